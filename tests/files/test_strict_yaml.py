"""YAML is read as it was written, or refused."""

import pytest

from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults, faults_max
from ussd_gateway.files.strict_yaml import Branch, Leaf, Row


def test_every_scalar_is_the_text_that_was_written() -> None:
    tree = strict_yaml.read(b"a: [on, 0712, 1:30, ~, 1.0]\nb: 'no'\nc:\n", Faults("f"))
    assert tree == Branch(
        (
            (
                Leaf("a", 1),
                Row(
                    (
                        Leaf("on", 1),
                        Leaf("0712", 1),
                        Leaf("1:30", 1),
                        Leaf("~", 1),
                        Leaf("1.0", 1),
                    ),
                    1,
                ),
            ),
            (Leaf("b", 2), Leaf("no", 2)),
            (Leaf("c", 3), Leaf("", 3)),
        ),
        1,
    )


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        (b"a: &x 1\nb: 2\n", "E00", 1),
        (b"a: 1\nb: *x\n", "E00", 2),
        (b"a: 1\nb: !!str 2\n", "E00", 2),
        (b"a: 1\nb: !own {}\n", "E00", 2),
        (b"a: 1\nb: &x [1]\n", "E00", 2),
        (b"a: 1\n---\nb: 2\n", "E00", 2),
        (b"a: 1\n[b]: 2\n", "E00", 1),
        (b"a: 1\n  b: 2\n", "E00", 2),
        (b"a: [1\n", "E00", 2),
        (b"a: 1\n--- 2\n", "E00", 2),
        (b"a: 1\nb: \x00\n", "E00", 2),
        (b"a: 1\nb: \x07\n", "E00", 2),
        (b"a: 1\nb: \xff\n", "E00", 2),
        (b"a: 1\nb: \xed\xa0\x80\n", "E00", 2),
        ("a: 1\n".encode("utf-16"), "E00", 1),
        (b'a: 1\nb: "\\0"\n', "E00", 2),
        (b'a: 1\nb: "x\\ty"\n', "E00", 2),
        (b'a: 1\nb: "x\\u202ey"\n', "E00", 2),
        ("a: 1\nb: x\u200by\n".encode(), "E00", 2),
        (b"a: 1\n<<: *a\n", "E00", 2),
        (b"a: !!python/object/apply:os.system [id]\n", "E00", 1),
        (b"a: 1\n? [b]\n: 2\n", "E00", 1),
        (b"a: 1\r\nb: 2\r\na: 3\r\n", "E02", 3),
        (b"\xef\xbb\xbfa: 1\nb: 2\na: 3\n", "E02", 3),
        (b"[" * 13 + b"]" * 13, "E00", 1),
        (b"#" * (strict_yaml.octets_max + 1), "E00", 1),
        (b"a: 1\nb: 2\na: 3\n", "E02", 3),
    ],
)
def test_what_could_surprise_is_refused(source: bytes, code: str, line: int) -> None:
    faults = Faults("f")
    strict_yaml.read(source, faults)
    assert [(fault.code, fault.line) for fault in faults.errors] == [(code, line)]


def test_aliases_are_refused_before_they_are_followed() -> None:
    laughs = b"a: &a [x, x]\n" + b"".join(
        b"%c: &%c [*%c, *%c]\n" % (after, after, before, before)
        for before, after in zip(
            b"abcdefghijklmnopqrstuvwxy", b"bcdefghijklmnopqrstuvwxyz", strict=True
        )
    )
    faults = Faults("f")
    assert strict_yaml.read(laughs, faults) is None
    assert [fault.code for fault in faults.errors] == ["E00"]


def test_a_file_of_more_than_anybody_writes_is_refused() -> None:
    faults = Faults("f")
    assert strict_yaml.read(b"- a\n" * strict_yaml.nodes_max, faults) is None
    assert [fault.code for fault in faults.errors] == ["E00"]


def test_no_more_faults_are_kept_than_anybody_mends_at_once() -> None:
    faults = Faults("f")
    strict_yaml.read(b"a: 1\n" * (2 * faults_max), faults)
    assert len(faults.errors) == faults_max


def test_an_empty_file_is_no_tree() -> None:
    assert strict_yaml.read(b"# nothing\n", Faults("f")) is None
