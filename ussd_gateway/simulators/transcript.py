"""Conversations with phones, as text that runs: what is done, and below it what is to be said.

    # The fee counts.                       a comment, kept
    given  Juma  KES 250.00                 what is in the wallet now
    Juma dials *384#                        each line of the answer under a bar: the screen
      | CON Pesa
      | ...                                 ... stands for any lines
    Juma enters 1
    Juma enters <PIN>                       or <wrong PIN>, of equal length
    Juma repeats                            the last callback again
      | (identical)                         or the other screen that came
    Juma hangs up
    waits 6m                                or s, h
    sms                                     every SMS since the last such block, in order
      | to Juma: ...
    ledger                                  who is named here, whose money moved, who is listed
      | Juma    KES 250.00
    never stored <PIN>                      what was typed for it is found nowhere

Names are first names of the demo cast; any other number stands for itself, `+254711000009`. To
play a transcript is to write it as it should read. What has come to read otherwise is a
difference; what has not is left as it was written.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import ndiff
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, assert_never

import yaml

from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.simulators.handset import Handset, NoSession, Screen

IDENTICAL = "(identical)"
ANYTHING = "..."
PIN, WRONG_PIN = "<PIN>", "<wrong PIN>"


@dataclass(frozen=True, slots=True)
class Person:
    """One of the cast, as transcripts know them."""

    msisdn: str
    pin: str = field(repr=False)


class World(Protocol):
    """What a transcript is played on, and what can be seen of it from behind."""

    @property
    def people(self) -> Mapping[str, Person]:
        """By first name."""

    def phone(self, msisdn: str) -> Handset: ...

    def give(self, name: str, amount: Money) -> None:
        """Sets what a person has, if the ledger is asked."""

    def wait(self, span: timedelta) -> None:
        """Time goes by for all."""

    def sms(self) -> Sequence[tuple[str, str]]:
        """Sends all that is due: to whom, and the text, of those sent since the last time."""

    def balances(self) -> Mapping[str, Money]:
        """Of every account: a person's by first name, the house's by its name in the chart."""

    def places_of(self, secret: str) -> Sequence[str]:
        """Wherever the secret is kept, in words."""


class Verb(Enum):
    GIVEN = "given"
    DIALS = "dials"
    ENTERS = "enters"
    REPEATS = "repeats"
    HANGS_UP = "hangs up"
    WAITS = "waits"
    SMS = "sms"
    LEDGER = "ledger"
    NEVER_STORED = "never stored"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a transcript, and the lines with a bar below it. Lines count from 1."""

    line: int
    verb: Verb
    who: str
    what: str
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    file: str
    lines: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a step says now, where it is not what is written."""

    file: str
    step: Step
    wording: str
    said: tuple[str, ...]

    def __str__(self) -> str:
        lines = (line for line in ndiff(self.step.says, self.said) if line[0] != "?")
        shown = "".join(f"\n    {line[0]} | {line[2:]}".rstrip() for line in lines)
        return f"{self.file}:{self.step.line}: {self.wording}{shown}"


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


def parse(text: str, *, file: str) -> Transcript | list[str]:
    """The transcript, or every fault of it, with file and line."""
    lines = tuple(text.splitlines())
    steps: list[Step] = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if bar := _BAR.fullmatch(line):
            below = steps and number == steps[-1].line + len(steps[-1].says) + 1
            if not below:
                faults.append(f"{file}:{number}: what is said stands right below a step")
                continue
            step = steps[-1]
            says = (*step.says, bar[1])
            steps[-1] = Step(step.line, step.verb, step.who, step.what, says)
        elif line.strip() and not line.startswith("#"):
            found = _step(number, line.strip())
            if found is None:
                faults.append(f"{file}:{number}: no step of a transcript: {line.strip()}")
            else:
                steps.append(found)
    return faults or Transcript(file, lines, tuple(steps))


def play(transcript: Transcript, world: World) -> Played:
    """Every step in order, to the end, whatever the ones before have said."""
    player = _Player(world)
    lines = list(transcript.lines)
    differences: list[Difference] = []
    for step in transcript.steps:
        said = player.play(step)
        if not _agree(step, said):
            wording = transcript.lines[step.line - 1].strip()
            differences.append(Difference(transcript.file, step, wording, said))
    for differs in reversed(differences):
        at = differs.step.line
        lines[at : at + len(differs.step.says)] = map(_barred, differs.said)
    return Played("".join(f"{line}\n" for line in lines), tuple(differences))


_NAME = r"(?P<who>[A-Z]\w*|\+[0-9]+)"
_WORDINGS = {
    Verb.GIVEN: re.compile(rf"given +{_NAME} +(?P<what>[A-Z]{{3}} [0-9,.]+)"),
    Verb.DIALS: re.compile(rf"{_NAME} dials (?P<what>\S.*)"),
    Verb.ENTERS: re.compile(rf"{_NAME} enters(?: (?P<what>.*))?"),
    Verb.REPEATS: re.compile(rf"{_NAME} repeats"),
    Verb.HANGS_UP: re.compile(rf"{_NAME} hangs up"),
    Verb.WAITS: re.compile(r"waits (?P<what>[0-9]+[smh])"),
    Verb.SMS: re.compile("sms"),
    Verb.LEDGER: re.compile("ledger"),
    Verb.NEVER_STORED: re.compile(r"never stored (?P<what>\S.*)"),
}
_BAR = re.compile(r"\s*\| ?(.*?)\s*")
_BALANCE = re.compile(r"(.*\S)\s+[A-Z]{3} -?[0-9,.]+")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_NAME_WIDTH = len("Wanjiru")


def _step(line: int, text: str) -> Step | None:
    for verb, wording in _WORDINGS.items():
        if match := wording.fullmatch(text):
            found = match.groupdict(default="")
            return Step(line, verb, found.get("who", ""), found.get("what", ""), ())
    return None


def _barred(line: str) -> str:
    return f"  | {line}".rstrip()


def _agree(step: Step, said: Sequence[str]) -> bool:
    # A balance may stand in a column of its own.
    tidy: Callable[[str], str] = _spaced if step.verb is Verb.LEDGER else str.rstrip
    return _matches([tidy(line) for line in step.says], [tidy(line) for line in said])


def _spaced(line: str) -> str:
    return " ".join(line.split())


def _matches(written: Sequence[str], said: Sequence[str]) -> bool:
    if not written or written[0] != ANYTHING:
        return written[:1] == said[:1] and (not written or _matches(written[1:], said[1:]))
    return any(_matches(written[1:], said[at:]) for at in range(len(said) + 1))


class _Player:
    def __init__(self, world: World) -> None:
        self._world = world
        self._phones: dict[str, Handset] = {}
        self._named: dict[str, None] = {}  # in the order in which they come
        self._secrets: dict[str, None] = {}
        self._opening = dict(world.balances())

    def play(self, step: Step) -> tuple[str, ...]:
        """The lines that the step says. What cannot be done is said in brackets."""
        if step.who:
            known = step.who in self._world.people or step.who.startswith("+")
            if not known:
                return (f"(nobody is called {step.who})",)
            self._named[step.who] = None
        match step.verb:
            case Verb.GIVEN:
                return self._give(step.who, step.what)
            case Verb.DIALS:
                return _lines(self._phone(step.who).dial(self._typed(step.who, step.what)))
            case Verb.ENTERS:
                return self._enter(step.who, step.what)
            case Verb.REPEATS:
                return self._repeat(step.who)
            case Verb.HANGS_UP:
                self._phone(step.who).hang_up()
                return ()
            case Verb.WAITS:
                span = timedelta(**{_UNITS[step.what[-1]]: int(step.what[:-1])})
                self._world.wait(span)
                return ()
            case Verb.SMS:
                return tuple(self._told())
            case Verb.LEDGER:
                return tuple(self._ledger(step.says))
            case Verb.NEVER_STORED:
                return self._stored(step.what)
            case _:
                assert_never(step.verb)

    def _give(self, who: str, what: str) -> tuple[str, ...]:
        currency, _, figure = what.partition(" ")
        amount = parse_typed(figure, currency) or Money(0, currency)
        if who not in self._world.balances():
            return (f"({who} has no wallet)",)
        self._world.give(who, amount)
        self._opening[who] = amount
        return ()

    def _enter(self, who: str, what: str) -> tuple[str, ...]:
        try:
            return _lines(self._phone(who).enter(self._typed(who, what)))
        except NoSession:
            return ("(no session is open)",)

    def _repeat(self, who: str) -> tuple[str, ...]:
        try:
            again = self._phone(who).repeat()
        except NoSession:
            return ("(there is nothing to repeat)",)
        return (IDENTICAL,) if again.identical else _lines(again.screen)

    def _told(self) -> Iterable[str]:
        names = {person.msisdn: name for name, person in self._world.people.items()}
        for msisdn, text in self._world.sms():
            yield from f"to {names.get(msisdn, msisdn)}: {text}".split("\n")

    def _ledger(self, listed: Iterable[str]) -> Iterable[str]:
        balances = self._world.balances()
        written = (match[1] for line in listed if (match := _BALANCE.fullmatch(line)))
        moved = (
            name
            for name in self._world.people
            if name in balances and balances[name] != self._opening[name]
        )
        named = (name for name in self._named if name in balances)
        for name in dict.fromkeys((*written, *named, *moved)):
            balance = balances.get(name, "(no such account)")
            yield f"{name:<{_NAME_WIDTH}} {balance}"

    def _stored(self, what: str) -> tuple[str, ...]:
        secrets = tuple(self._secrets) if what == PIN else (what,)
        if not secrets:
            return ("(nobody typed a PIN)",)
        return tuple(place for secret in secrets for place in self._world.places_of(secret))

    def _phone(self, who: str) -> Handset:
        if who not in self._phones:
            person = self._world.people.get(who)
            self._phones[who] = self._world.phone(person.msisdn if person else who)
        return self._phones[who]

    def _typed(self, who: str, what: str) -> str:
        """What is typed, with the PIN in its place."""
        person = self._world.people.get(who)
        if person is None:
            return what
        for word, secret in ((PIN, person.pin), (WRONG_PIN, _other(person.pin))):
            if word in what:
                self._secrets[secret] = None
                what = what.replace(word, secret)
        return what


def _lines(screen: Screen) -> tuple[str, ...]:
    if screen.trouble:
        return (f"({screen.trouble})",)
    return tuple(f"{'END' if screen.ends else 'CON'} {screen.text}".split("\n"))


def _other(pin: str) -> str:
    """A PIN of the same length that is not this one."""
    return pin[:-1] + str((int(pin[-1]) + 1) % 10)
