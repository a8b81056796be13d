"""Plays a transcript on a world: phones, a gateway, and what can be seen of it from behind."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, assert_never

import yaml

from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.pin import is_weak
from ussd_gateway.simulators.handset import Handset, NoSession, Screen
from ussd_gateway.simulators.transcripts.text import (
    Difference,
    Step,
    Transcript,
    Verb,
    agrees,
    rewritten,
)
from ussd_gateway.simulators.vendors import VENDORS

IDENTICAL = "(identical)"
PIN, WRONG_PIN, NEW_PIN = "<PIN>", "<wrong PIN>", "<new PIN>"
# Of a number that is nobody's of the cast, once it has registered.
DEMO_PIN = "9067"

_BALANCE = re.compile(r"(.*\S)\s+[A-Z]{3} -?[0-9,.]+")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_NAME_WIDTH = len("Wanjiru")
_NOT_REGISTERED = "({} is not registered)"


@dataclass(frozen=True, slots=True)
class Person:
    """One of the cast, as transcripts know them."""

    msisdn: str
    pin: str = field(repr=False)


class World(Protocol):
    """`people` by first name."""

    @property
    def people(self) -> Mapping[str, Person]: ...

    def phone(self, msisdn: str) -> Handset:
        """A new one."""

    def give(self, name: str, amount: Money) -> None:
        """From now on there is so much in an account: a person's by first name, any other by
        its public reference."""

    def spend(self, name: str, amount: Money) -> bool:
        """Limits count it as paid by a person today; False where nobody is registered so."""

    def speak(self, name: str, language: str) -> bool:
        """From now on a person has chosen a language; False where nobody is registered so.
        Any other than one of the cast is called by the number."""

    def carrier(self, mood: str) -> None:
        """From now on the carrier `answers`, `refuses`, is `silent`, or is `silent after
        charging`."""

    def wait(self, span: timedelta) -> None:
        """Time goes by for everything."""

    def sms(self) -> Sequence[tuple[str, str]]:
        """Sends what is due. Gives the number and the text of all that was sent since the
        last time, in order."""

    def balances(self) -> Mapping[str, Money]:
        """Of every account: a person's by first name, the house's by its name in the chart."""

    def places_of(self, secret: str) -> Sequence[str]:
        """Wherever the secret is kept, in words."""


@dataclass(frozen=True, slots=True)
class Played:
    """`text` is the transcript as it should read."""

    text: str
    differences: tuple[Difference, ...]


def read_people(path: Path) -> dict[str, Person]:
    """Whoever has a PIN, in the order of the file (fixtures/people.yaml)."""
    # This loader builds no objects, and leaves each scalar the string that is written.
    cast: Mapping[str, Any] = yaml.load(path.read_text("utf-8"), yaml.CBaseLoader)  # noqa: S506
    groups = (cast["customers"], cast["assistants"], cast["super_agents"])
    return {
        one["name"].split()[0]: Person(one["msisdn"], one["pin"])
        for group in groups
        for one in group
    }


def play(transcript: Transcript, world: World) -> Played:
    """Every step in its order, to the end, whatever the ones before have said."""
    player = _Player(world)
    differences = []
    for step in transcript.steps:
        said = tuple(player.say(step))
        if not agrees(step, said):
            differences.append(Difference(transcript.file, step, said))
    return Played(rewritten(transcript, differences), tuple(differences))


class _Player:
    def __init__(self, world: World) -> None:
        self._world = world
        self._phones: dict[str, Handset] = {}
        self._named: dict[str, None] = {}  # in the order in which they come
        self._secrets: dict[str, None] = {}
        self._given = dict(world.balances())

    def say(self, step: Step) -> Iterable[str]:
        """The lines below a step. What cannot be done is said in brackets."""
        if step.who[:1].isalpha() and step.who not in self._world.people:
            return [f"(nobody is called {step.who})"]

        match step.verb:
            case Verb.GIVEN:
                return self._give(step.who, step.what)
            case Verb.SPENT:
                known = self._world.spend(step.who, _amount(step.what))
                return [] if known else [_NOT_REGISTERED.format(step.who)]
            case Verb.DIALS:
                return self._dial(step)
            case Verb.ENTERS:
                return self._enter(step)
            case Verb.TEXTS:
                trouble = self._phone(step.who).text(self._typed(step))
                return [f"({trouble})"] if trouble else []
            case Verb.REPEATS:
                return self._repeat(step.who)
            case Verb.HANGS_UP:
                self._phone(step.who).hang_up()
                return []
            case Verb.SPEAKS:
                known = self._world.speak(step.who, step.what)
                return [] if known else [_NOT_REGISTERED.format(step.who)]
            case Verb.WAITS:
                count, unit = int(step.what[:-1]), _UNITS[step.what[-1]]
                self._world.wait(timedelta(**{unit: count}))
                return []
            case Verb.CARRIER:
                self._world.carrier(step.what.removeprefix("is "))
                return []
            case Verb.SMS:
                return self._told()
            case Verb.LEDGER:
                return self._ledger(step.says)
            case Verb.NEVER_STORED:
                return self._places(step.what)
            case _:
                assert_never(step.verb)

    def _give(self, who: str, what: str) -> Iterable[str]:
        if who not in self._world.balances():
            return [f"({who} has no wallet)" if who[0].isalpha() else f"(no account is {who})"]

        amount = _amount(what)
        self._world.give(who, amount)
        self._given[who] = amount
        self._named[who] = None
        return []

    def _dial(self, step: Step) -> Iterable[str]:
        if step.route and step.route not in VENDORS:
            return [f"(no route is called {step.route})"]
        return _lines(self._phone(step.who).dial(self._typed(step), by=step.route or None))

    def _enter(self, step: Step) -> Iterable[str]:
        try:
            return _lines(self._phone(step.who).enter(self._typed(step)))
        except NoSession:
            return ["(no session is open)"]

    def _repeat(self, who: str) -> Iterable[str]:
        try:
            again = self._phone(who).repeat()
        except NoSession:
            return ["(there is nothing to repeat)"]
        return [IDENTICAL] if again.identical else _lines(again.screen)

    def _told(self) -> Iterable[str]:
        names = {person.msisdn: name for name, person in self._world.people.items()}
        for msisdn, text in self._world.sms():
            yield from f"to {names.get(msisdn, msisdn)}: {text}".split("\n")

    def _ledger(self, says: Sequence[str]) -> Iterable[str]:
        """Those listed, then those named in the transcript, then whose money moved."""
        balances = self._world.balances()
        listed = [match[1] for line in says if (match := _BALANCE.fullmatch(line))]
        named = [name for name in self._named if name in balances]
        people = [name for name in self._world.people if name in balances]
        moved = [name for name in people if balances[name] != self._given.get(name)]
        for name in dict.fromkeys(listed + named + moved):
            yield f"{name:<{_NAME_WIDTH}} {balances.get(name, '(no such account)')}"

    def _places(self, what: str) -> Iterable[str]:
        secrets = list(self._secrets) if what == PIN else [what]
        if not secrets:
            return ["(nobody typed a PIN)"]
        return [place for secret in secrets for place in self._world.places_of(secret)]

    def _phone(self, who: str) -> Handset:
        self._named[who] = None
        if who not in self._phones:
            person = self._world.people.get(who)
            self._phones[who] = self._world.phone(person.msisdn if person else who)
        return self._phones[who]

    def _typed(self, step: Step) -> str:
        """What is typed, with the PIN in its place."""
        typed, person = step.what, self._world.people.get(step.who)
        pin = person.pin if person else DEMO_PIN
        for word, make in _PINS.items():
            if word in typed:
                secret = make(pin)
                self._secrets[secret] = None
                typed = typed.replace(word, secret)
        return typed


def _amount(written: str) -> Money:
    """What is written well and is no amount is nothing: KES 0.00."""
    currency, _, figure = written.partition(" ")
    return parse_typed(figure, currency) or Money(0, currency)


def _lines(screen: Screen) -> Sequence[str]:
    if screen.trouble:
        return [f"({screen.trouble})"]
    return f"{'END' if screen.ends else 'CON'} {screen.text}".split("\n")


def _other(pin: str) -> str:
    """A PIN of the same length that is not this one."""
    return pin[:-1] + str((int(pin[-1]) + 1) % 10)


def _better(pin: str) -> str:
    """A PIN of the same digits that is not this one, and good enough to be taken for it."""
    turned = (pin[at:] + pin[:at] for at in range(1, len(pin)))
    return next(each for each in turned if each != pin and not is_weak(each))


_PINS: Mapping[str, Callable[[str], str]] = {PIN: str, WRONG_PIN: _other, NEW_PIN: _better}
