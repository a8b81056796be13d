"""What is kept of a recorded phone: what it chose, and nothing of who it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.ussd.stand_in import customer, stranger
from ussd_gateway.app import unbound_packs
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Profile, Request, SessionId
from ussd_gateway.settings import Settings
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Session
from ussd_gateway.ussd.menu import Input, List, Menu, Program, Secret
from ussd_gateway.ussd.turn import recording

CHEBET = customer("+254722333444", "Chebet Kiplagat", "en")
AGENT = Profile(
    Msisdn("+254722333555"),
    registered=True,
    name="Kamau",
    language="sw",
    can_send=True,
    till="345678",
)


@pytest.fixture(scope="module")
def packs() -> Mapping[str, Program]:
    return unbound_packs(Settings())


@pytest.fixture
def program(packs: Mapping[str, Program]) -> Program:
    return packs["customer"]


@dataclass(slots=True)
class Kept:
    """A recorder that wants one number."""

    wanted: str = CHEBET.msisdn
    texts: list[str] = field(default_factory=list)
    whose: list[str] = field(default_factory=list)

    def wants(self, msisdn: str) -> bool:
        return msisdn == self.wanted

    def keep(
        self, msisdn: str, *, who: str, language: str, state: str, dials: bool, text: str
    ) -> None:
        assert msisdn == self.wanted
        assert language in ("en", "sw", "fr")
        assert dials is not bool(state)
        self.texts.append(text)
        self.whose.append(who)


def request(text: str, *, msisdn: str = CHEBET.msisdn, code: str = "*384#") -> Request:
    return Request("test", SessionId("s1"), Msisdn(msisdn), code, "63902", text)


def at(program: Program, state: str) -> Session:
    begun = engine.begin(program, CHEBET)
    return Session(state, begun.language, begun.values, (), 0)


def dialled(program: Program, text: str, profile: Profile = CHEBET) -> str:
    kept = Kept(profile.msisdn)
    recording.dials(kept, program, request(text, msisdn=profile.msisdn), profile)
    [said] = kept.texts
    return said


@pytest.mark.parametrize(
    ("state", "typed", "kept"),
    [
        ("home", "1", "1"),
        ("home", "9", "9"),
        ("home", "4071", "x"),
        ("home", "Chebet", "x"),
        ("send_to", "0733555666", "0711000002"),
        ("send_to", "+254 733 555 666", "0711000002"),
        ("send_to", "0722333444", "0711000001"),
        ("send_to", "0", "0"),
        ("send_to", "00", "00"),
        ("send_to", "4071", "x"),
        ("send_amount", "1,250", "1250"),
        ("send_amount", "99.50", "99.50"),
        ("send_amount", "0733555666x", "x"),
        ("send_pin", "4071", "<PIN>"),
        ("send_pin", "407", "x"),
        ("send_pin", "4071 ", "<PIN>"),
        ("send_pin", "0", "0"),
        ("withdraw_till", "345678", "100200"),
        ("till_number", "345678", "500500"),
        ("bill_business", "345678", "600600"),
        ("bill_account", "99887766554", "12345678"),
        ("new_name", "Chebet Kiplagat", "Wanjiru Kamau"),
        ("new_id", "30405060", "10020034"),
        ("pin_old", "4071", "<PIN>"),
    ],
)
def test_what_is_typed_is_masked(program: Program, state: str, typed: str, kept: str) -> None:
    assert recording.masked(program, at(program, state), typed) == kept


def test_no_answer_of_a_person_is_kept_at_any_screen(packs: Mapping[str, Program]) -> None:
    """Whatever is typed wherever: a PIN, a name, a number, an account."""
    for program in packs.values():
        for name, state in program.states.items():
            if not isinstance(state, Menu | Input | Secret | List):
                continue
            money = isinstance(state, Input) and program.names[state.into].kind == "money"
            for text in ("4071", "0733555666", "Chebet Kiplagat", "99887766", "345678"):
                kept = recording.masked(program, at(program, name), text)
                # An amount is no person; and a text of digits is one where one is asked for.
                assert kept != text or money, (name, text)


def test_whoever_is_asked_whether_to_go_on_says_yes_or_no(program: Program) -> None:
    paused = Session("send_pin", "en", {}, (), 0, paused=True)

    assert [recording.masked(program, paused, text) for text in ("1", "2", "4071")] == [
        "1",
        "2",
        "x",
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", "*384#"),
        ("1", "*384*1#"),
        ("1*0733555666*1250", "*384*1*0711000002*1250#"),
        ("2*345678*500", "*384*2*100200*500#"),
        ("1*0733555666", "*384*1*0711000002#"),
        ("5*1*4071", "*384*5*1*<PIN>#"),
        ("1*0733555666*1250*4071", "*384*1*0711000002*1250*x#"),
        ("Chebet", "*384*x#"),
    ],
)
def test_what_is_dialled_is_masked(program: Program, text: str, kept: str) -> None:
    assert dialled(program, text) == kept


def test_whoever_dials_is_one_of_the_cast(packs: Mapping[str, Program]) -> None:
    nobody = stranger(Msisdn("+254722333666"))
    whose = []
    for profile, pack in ((CHEBET, "customer"), (AGENT, "agent"), (nobody, "customer")):
        kept = Kept(profile.msisdn)
        recording.dials(kept, packs[pack], request("", msisdn=profile.msisdn), profile)
        whose += kept.whose

    assert whose == ["Amina", "Wanjiru", "+254711000009"]


def test_what_nobody_wants_is_not_kept(program: Program) -> None:
    kept = Kept("+254722000000")
    recording.dials(kept, program, request(""), CHEBET)
    recording.enters(kept, program, request("1"), at(program, "home"), "1")

    assert kept.texts == []


def test_what_is_entered_is_kept_with_its_state(program: Program) -> None:
    kept = Kept()
    recording.enters(
        kept, program, request("1*0733555666"), at(program, "send_to"), "0733555666"
    )

    assert kept.texts == ["0711000002"]
