"""How two versions of a pack differ, told to the person who publishes the second."""

from tests.ussd.small_pack import RIGHT, load
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.versions import Changes, changes, digest_of


def changed_by(*edits: tuple[str, str]) -> Changes:
    after = RIGHT
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    return changes(RIGHT.encode(), after.encode())


def test_the_name_of_a_version_is_its_programs() -> None:
    program = load(RIGHT)
    assert isinstance(program, Program)
    assert digest_of(RIGHT.encode()) == program.digest


def test_comments_and_layout_change_nothing() -> None:
    nothing = Changes((), (), (), ())
    assert changed_by(("schema: 1\n", "# Small.\n\nschema: '1'\n")) == nothing


def test_a_state_is_told_however_little_of_it_changes() -> None:
    assert changed_by(("retries: 3", "retries: 4")).changed == ("ask_to",)


def test_states_come_and_go() -> None:
    renamed = ("  stranger:\n", "  unknown_here:\n")
    found = changed_by(renamed, ("{go: stranger}", "{go: unknown_here}"))
    assert found == Changes(
        added=("unknown_here",), removed=("stranger",), changed=("start",), beside=()
    )


def test_what_stands_beside_the_states_is_told_by_its_name() -> None:
    found = changed_by(
        ("idle: 3m", "idle: 2m"), ('shortcuts:\n  "1*{to}*{amount}": ask_quote\n', "")
    )
    assert found.beside == ("session", "shortcuts")


def test_a_version_that_cannot_be_read_has_no_states() -> None:
    found = changes(b"\x00 no menu", RIGHT.encode())
    assert "home" in found.added
    assert found.removed == ()
