"""How two versions of a pack differ, told to the person who publishes the second."""

from tests.ussd.small_pack import RIGHT, load
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.versions import (
    Changes,
    OptionAt,
    OptionMoved,
    TextChange,
    VarChange,
    changes,
    digest_of,
)


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
    assert changed_by(("schema: 1\n", "# Small.\n\nschema: '1'\n")) == Changes()


def test_a_state_is_told_however_little_of_it_changes() -> None:
    assert changed_by(("retries: 3", "retries: 4")).changed == ("ask_to",)


def test_states_come_and_go() -> None:
    renamed = ("  stranger:\n", "  unknown_here:\n")
    found = changed_by(renamed, ("{go: stranger}", "{go: unknown_here}"))
    assert found == Changes(added=("unknown_here",), removed=("stranger",), changed=("start",))


def test_what_stands_beside_the_states_is_told_by_its_name() -> None:
    found = changed_by(
        ("idle: 3m", "idle: 2m"), ('shortcuts:\n  "1*{to}*{amount}": ask_quote\n', "")
    )
    assert found.beside == ("session", "shortcuts")


def test_a_version_that_cannot_be_read_has_no_states() -> None:
    found = changes(b"\x00 no menu", RIGHT.encode())
    assert "home" in found.added
    assert found.removed == ()


STOP = '{key: "2", text: {en: Stop, sw: Acha}, go: stopped}'


def test_an_option_that_leads_where_it_led_is_moved() -> None:
    found = changed_by((STOP, STOP.replace("2", "3")))
    assert found.moved == (OptionMoved("home", "stopped", before="2", after="3"),)
    assert (found.options_added, found.options_removed) == ((), ())


def test_options_come_and_go() -> None:
    found = changed_by((STOP, STOP.replace("go: stopped", "go: stranger")))
    assert found.moved == ()
    assert found.options_added == (OptionAt("home", "2", "stranger"),)
    assert found.options_removed == (OptionAt("home", "2", "stopped"),)


def test_a_text_is_told_by_its_place_and_language() -> None:
    found = changed_by(("en: Stop,", "en: Leave,"), ("sw: Si kiasi.", "sw: Sio kiasi."))
    assert found.texts == (
        TextChange("notices.bad_amount", "sw", "Si kiasi.", "Sio kiasi."),
        TextChange("home.menu.options.2.text", "en", "Stop", "Leave"),
    )


def test_the_texts_of_a_new_language_are_told() -> None:
    found = changed_by(("[en, sw]", "[en, sw, fr]"), ("en: Home,", "en: Home, fr: Accueil,"))
    assert found.texts == (TextChange("home.menu.text", "fr", "", "Accueil"),)


def test_a_var_of_another_type_is_told_and_a_new_one_is_not() -> None:
    old = "to: {type: msisdn, region: KE}"
    found = changed_by((old, "to: {type: msisdn, region: UG}\n  till: {type: digits(5)}"))
    assert found.vars == (
        VarChange("to", "{type: msisdn, region: KE}", "{type: msisdn, region: UG}"),
    )
    assert found.beside == ("vars",)
