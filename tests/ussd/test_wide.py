"""A language that GSM-7 cannot say: it goes out as UCS-2, with half the room."""

from tests.ussd.listed_pack import LISTED, listed
from tests.ussd.stand_in import AMINA
from ussd_gateway.domain import gsm7
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import New, Screen, Session, Typed
from ussd_gateway.ussd.menu import Program

NARROW = LISTED.replace('sw: "{row.name} {row.price|money}"', 'sw: "{row.price|money}"')
AMHARIC = NARROW.replace("sw: Nyumbani", "sw: ዋና ምናሌ")
LONG = "ይህ በጣም ረጅም ጽሑፍ ነው " * 6


def test_a_language_that_cannot_be_folded_is_told_of_and_kept() -> None:
    program = listed(AMHARIC)
    assert isinstance(program, Program)
    (warning,) = [each for each in program.warnings if each.found.startswith("sw")]
    assert warning.code == "W12"
    assert "UCS-2" in warning.advice
    assert program.states["home"].text.wide == {"sw"}  # type: ignore[union-attr]


def test_its_screens_have_room_for_80_characters() -> None:
    found = listed(NARROW.replace("sw: Imesimama.", f"sw: {LONG}"))
    assert isinstance(found, list)
    assert {(each.code, each.found.split(":")[0]) for each in found if not each.warns} == {
        ("E11", "stopped in sw")
    }


def test_its_menus_turn_pages_sooner() -> None:
    program = listed(AMHARIC)
    assert isinstance(program, Program)
    session = engine.begin(program, AMINA)
    for language, pages in (("en", 2), ("sw", 2)):
        here = Session("home", language, session.values, (), 0)
        here, _ = engine.step(program, here, Typed("2"), 160)
        seen = 1
        while True:
            here, shown = engine.step(program, here, Typed("98"), 160)
            assert isinstance(shown, Screen)
            if shown.rejected:
                break
            seen += 1
            if language == "sw":
                assert gsm7.ucs2_units(shown.text) <= 80
        assert seen >= pages


def test_it_is_shown_as_it_is_written() -> None:
    program = listed(AMHARIC)
    assert isinstance(program, Program)
    session = Session("home", "sw", engine.begin(program, AMINA).values, (), 0)
    _, shown = engine.step(program, session, New(), 160)
    assert isinstance(shown, Screen)
    assert shown.text.startswith("ዋና ምናሌ\n1. ")


def test_what_can_be_folded_stays_gsm_7() -> None:
    program = listed(LISTED.replace("sw: Nyumbani", "sw: Nyûmbani"))
    assert isinstance(program, Program)
    (warning,) = [each for each in program.warnings if each.code == "W12"]
    assert "bare letters" in warning.advice
