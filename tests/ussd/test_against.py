"""What a new version does to people who know the published one: each rule, at its line."""

from pathlib import Path

import pytest

from tests.ussd.small_pack import RIGHT, load
from ussd_gateway.ussd.lint.against import against
from ussd_gateway.ussd.menu import Program

FOLDER = Path("fixtures/lint/against")
PUBLISHED = FOLDER / "published.yaml"
BROKEN = sorted(set(FOLDER.glob("*.yaml")) - {PUBLISHED})


def found(*edits: tuple[str, str], published: str = RIGHT) -> list[str]:
    after = RIGHT
    for old, new in edits:
        assert old in after, old
        after = after.replace(old, new)
    faults = against(after.encode(), file="small.yaml", published=published.encode())
    return [f"{fault.code} {fault.found}" for fault in faults]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_each_rule_is_broken_alone_at_the_line_that_is_marked(path: Path) -> None:
    source = path.read_text("utf-8")
    code = path.stem.split("_")[0]
    marked = [
        line
        for line, text in enumerate(source.splitlines(), start=1)
        if text.endswith(f"# <- {code}")
    ]
    faults = against(source.encode(), file=path.name, published=PUBLISHED.read_bytes())

    assert [(fault.code, fault.line) for fault in faults] == [(code, marked[0])]
    assert isinstance(load(source), Program)


def test_what_is_the_same_breaks_nothing() -> None:
    assert found() == []


def test_the_first_version_has_nobody_who_knows_another() -> None:
    assert found(published="") == []


def test_a_version_that_does_not_load_any_longer_is_compared_all_the_same() -> None:
    stale = RIGHT.replace("do: send_money\n", "do: send_more\n")
    gone = stale.replace("  home:\n", "  house:\n")
    assert found(published=gone) == ["W26 house is removed"]


RENAMED = (
    ("go: ask_to,", "go: ask_number,"),
    ("  ask_to:\n", "  ask_number:\n"),
    ("states:\n", "map: {ask_to: ask_number}\nstates:\n"),
)


def test_a_map_says_which_state_takes_the_place_of_one_that_is_gone() -> None:
    assert found(*RENAMED) == []
    assert found(*RENAMED[:2]) == ["W26 ask_to is removed"]


def test_a_menu_is_known_by_its_digits_under_its_new_name_too() -> None:
    renamed = (
        ("go: home}", "go: house}"),
        ("  home:\n", "  house:\n"),
        ("states:\n", "map: {home: house}\nstates:\n"),
        (
            'key: "2", text: {en: Stop, sw: Acha}, go: stopped',
            'key: "2", text: {en: Go, sw: Nenda}, go: done',
        ),
    )
    assert found(*renamed) == ["W33 home: 2 is now Go"]


@pytest.mark.parametrize("passed", ["start", "stranger"])
def test_no_session_stands_where_none_stops(passed: str) -> None:
    renamed = RIGHT.replace(f"  {passed}:\n", "  passed:\n")
    assert found(published=renamed) == []


def test_the_same_label_at_the_same_digit_may_lead_elsewhere() -> None:
    assert found(("sw: Acha}, go: stopped", "sw: Acha}, go: stranger")) == []


def test_the_same_option_may_have_another_label() -> None:
    assert found(("en: Stop, sw: Acha", "en: Leave, sw: Ondoka")) == []


def test_a_digit_that_is_gone_is_not_reused() -> None:
    assert found(('        - {key: "2", text: {en: Stop, sw: Acha}, go: stopped}\n', "")) == []


def test_a_name_in_a_map_that_is_nearly_right_is_told() -> None:
    mistyped = (*RENAMED[:2], ("states:\n", "map: {ask_too: ask_number}\nstates:\n"))
    assert found(*mistyped) == ["W26 map of ask_too", "W26 ask_to is removed"]
    # One from long before may stand there still.
    assert found((RENAMED[2][0], "map: {once_upon: ask_to}\nstates:\n")) == []
