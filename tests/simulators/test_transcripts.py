"""What a transcript makes of its words: who does what to the world, and with which PIN."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.pin import is_weak
from ussd_gateway.simulators.handset import Handset
from ussd_gateway.simulators.main import PEOPLE
from ussd_gateway.simulators.transcripts import Person, Transcript, parse, play, read_people

from .stand_in import StandIn

CAST = read_people(PEOPLE)
NOBODY = "+254711000009"


@dataclass
class Village:
    """A world of phones and two accounts, that keeps what was done to it. `opens`: accounts
    that are opened when time goes by."""

    gateway: StandIn
    people: Mapping[str, Person] = field(default_factory=lambda: CAST)
    opens: dict[str, Money] = field(default_factory=dict)
    done: list[tuple[object, ...]] = field(default_factory=list)
    accounts: dict[str, Money] = field(
        default_factory=lambda: {"Juma": Money(25_000, "KES"), "100200": Money(0, "KES")}
    )

    def phone(self, msisdn: str) -> Handset:
        return Handset(self.gateway.callback_url, msisdn)

    def give(self, name: str, amount: Money) -> None:
        self.accounts[name] = amount

    def spend(self, name: str, amount: Money) -> bool:
        self.done.append((name, amount))
        return name != NOBODY

    def speak(self, name: str, language: str) -> bool:
        self.done.append((name, language))
        return name != NOBODY

    def carrier(self, mood: str) -> None:
        self.done.append((mood,))

    def wait(self, span: timedelta) -> None:
        self.done.append((span,))
        self.accounts |= self.opens

    def sms(self) -> Sequence[tuple[str, str]]:
        return []

    def balances(self) -> Mapping[str, Money]:
        return dict(self.accounts)

    def places_of(self, secret: str) -> Sequence[str]:
        return [f"a note of {secret}"]


@pytest.fixture
def village(gateway: StandIn) -> Village:
    return Village(gateway)


def said(village: Village, text: str) -> str:
    """The transcript as it should read."""
    transcript = parse(text, file="talk.txt")
    assert isinstance(transcript, Transcript), transcript
    return play(transcript, village).text


def typed(village: Village) -> str:
    """The last input that the gateway was sent."""
    return village.gateway.callbacks[-1]["text"].rpartition("*")[2]


@pytest.mark.parametrize(
    ("who", "word", "pin"),
    [
        ("Amina", "<PIN>", "4826"),
        ("Amina", "<wrong PIN>", "4827"),
        ("Amina", "<new PIN>", "8264"),
        (NOBODY, "<PIN>", "9067"),
        (NOBODY, "<wrong PIN>", "9068"),
        (NOBODY, "<new PIN>", "0679"),
    ],
)
def test_a_word_for_a_pin_is_the_same_pin_in_every_run(
    village: Village, who: str, word: str, pin: str
) -> None:
    said(village, f"{who} dials *384#\n{who} enters {word}\n")
    assert typed(village) == pin


@pytest.mark.parametrize("name", CAST)
def test_a_new_pin_is_one_that_is_taken(village: Village, name: str) -> None:
    said(village, f"{name} dials *384#\n{name} enters <new PIN>\n")
    assert typed(village) != CAST[name].pin
    assert not is_weak(typed(village))


def test_every_pin_that_was_typed_is_looked_for(village: Village) -> None:
    text = "Amina dials *384#\nAmina enters <PIN>\nAmina enters <new PIN>\nnever stored <PIN>\n"
    assert said(village, text).endswith("\n  | a note of 4826\n  | a note of 8264\n")


def test_an_account_is_given_money_by_its_number(village: Village) -> None:
    text = "given 100200 KES 500.00\ngiven Juma KES 1.00\nledger\n"
    assert said(village, text).endswith("\n  | 100200  KES 500.00\n  | Juma    KES 1.00\n")


def test_accounts_that_are_opened_meanwhile_are_in_the_ledger(village: Village) -> None:
    village.opens = {"Amina": Money(700, "KES"), NOBODY: Money(0, "KES")}
    text = f"{NOBODY} dials *384#\n  | ...\nwaits 1s\ngiven {NOBODY} KES 9.00\nledger\n"
    assert said(village, text).endswith(f"\n  | {NOBODY} KES 9.00\n  | Amina   KES 7.00\n")


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("given 999999 KES 5.00", "(no account is 999999)"),
        ("given Amina KES 5.00", "(Amina has no wallet)"),
        ("Pendo speaks fr", "(nobody is called Pendo)"),
        (f"{NOBODY} speaks fr", f"({NOBODY} is not registered)"),
        (f"spent {NOBODY} KES 5.00", f"({NOBODY} is not registered)"),
    ],
)
def test_what_cannot_be_done_is_said_in_brackets(
    village: Village, step: str, says: str
) -> None:
    assert said(village, f"{step}\n") == f"{step}\n  | {says}\n"


@pytest.mark.parametrize(
    ("step", "done"),
    [
        ("Grace speaks fr", ("Grace", "fr")),
        ("spent  Grace  KES 490,000.00", ("Grace", Money(490_000_00, "KES"))),
        ("carrier answers", ("answers",)),
        ("carrier refuses", ("refuses",)),
        ("carrier is silent", ("silent",)),
        ("carrier is silent after charging", ("silent after charging",)),
        ("waits 6m", (timedelta(minutes=6),)),
    ],
)
def test_a_step_without_a_screen_says_nothing_and_is_done(
    village: Village, step: str, done: tuple[object, ...]
) -> None:
    assert said(village, f"{step}\n") == f"{step}\n"
    assert village.done == [done]


def test_a_route_is_named_where_a_phone_dials(village: Village) -> None:
    text = "Amina dials *384# by hubtel\nAmina dials *384# by hubble\n"
    assert said(village, text) == (
        "Amina dials *384# by hubtel\n  | (HTTP status 404)\n"
        "Amina dials *384# by hubble\n  | (no route is called hubble)\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Grace speaks French",
        "carrier is angry",
        "carrier silent",
        "given 100200 500",
        "spent 100200 KES 500.00",
        "speaks fr",
    ],
)
def test_what_is_no_step_is_told_with_its_line(line: str) -> None:
    assert parse(f"{line}\n", file="talk.txt") == [
        f"talk.txt:1: no step of a transcript: {line}"
    ]


def test_an_sms_is_texted_with_the_pin_in_its_place(village: Village) -> None:
    lines = "Amina texts BAL\nAmina texts pin <PIN>\nJuma texts\nnever stored <PIN>\n"
    shown = said(village, lines)

    assert [sent["text"] for sent in village.gateway.texts] == ["BAL", "pin 4826", ""]
    assert shown == f"{lines}  | a note of 4826\n"
    village.gateway.texts_refused = 1
    assert said(village, "Amina texts BAL\n") == "Amina texts BAL\n  | (HTTP status 503)\n"
