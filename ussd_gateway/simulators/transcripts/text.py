"""The text of a transcript: its steps, what is written below each, and where that differs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import ndiff
from enum import Enum

ANYTHING = "..."


class Verb(Enum):
    GIVEN = "given"
    SPENT = "spent"
    DIALS = "dials"
    ENTERS = "enters"
    TEXTS = "texts"
    REPEATS = "repeats"
    HANGS_UP = "hangs up"
    SPEAKS = "speaks"
    WAITS = "waits"
    CARRIER = "carrier"
    SMS = "sms"
    LEDGER = "ledger"
    NEVER_STORED = "never stored"


_NAME = r"(?P<who>[A-Z]\w*|\+[0-9]+)"
_ACCOUNT = r"(?P<who>[A-Z]\w*|\+?[0-9]+)"
_WORDINGS: Mapping[Verb, re.Pattern[str]] = {
    Verb.GIVEN: re.compile(rf"given +{_ACCOUNT} +(?P<what>[A-Z]{{3}} [0-9,]+\.[0-9]{{2}})"),
    Verb.SPENT: re.compile(rf"spent +{_NAME} +(?P<what>[A-Z]{{3}} [0-9,]+\.[0-9]{{2}})"),
    Verb.DIALS: re.compile(rf"{_NAME} dials (?P<what>\S.*?)(?: by (?P<route>[a-z_]+))?"),
    Verb.ENTERS: re.compile(rf"{_NAME} enters(?: (?P<what>.*))?"),
    Verb.TEXTS: re.compile(rf"{_NAME} texts(?: (?P<what>.*))?"),
    Verb.REPEATS: re.compile(rf"{_NAME} repeats"),
    Verb.HANGS_UP: re.compile(rf"{_NAME} hangs up"),
    Verb.SPEAKS: re.compile(rf"{_NAME} speaks (?P<what>[a-z]{{2}})"),
    Verb.WAITS: re.compile(r"waits (?P<what>[0-9]{1,4}[smh])"),
    Verb.CARRIER: re.compile("carrier (?P<what>answers|refuses|is silent(?: after charging)?)"),
    Verb.SMS: re.compile("sms"),
    Verb.LEDGER: re.compile("ledger"),
    Verb.NEVER_STORED: re.compile(r"never stored (?P<what>\S.*)"),
}
_BARRED = re.compile(r"\s*\| ?(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a transcript, from 1, and what is written under bars below it."""

    line: int
    text: str
    verb: Verb
    who: str
    what: str
    route: str = ""  # where one is named
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    file: str
    lines: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A step that says something else now."""

    file: str
    step: Step
    said: tuple[str, ...]

    def __str__(self) -> str:
        lines = (line for line in ndiff(self.step.says, self.said) if line[0] != "?")
        shown = "".join(f"\n  {line[0]} | {line[2:]}".rstrip() for line in lines)
        return f"{self.file}:{self.step.line}: {self.step.text}{shown}"


def parse(text: str, *, file: str) -> Transcript | list[str]:
    """The transcript, or every fault of it, with file and line."""
    lines = tuple(text.splitlines())
    steps: list[Step] = []
    faults: list[str] = []
    below = 0  # where the next line under a bar may stand
    for number, line in enumerate(lines, 1):
        barred = _BARRED.fullmatch(line)
        if barred and number == below:
            steps[-1] = _saying(steps[-1], barred[1])
            below += 1
        elif barred:
            faults.append(f"{file}:{number}: what is said stands right below a step")
        elif line.strip() and not line.startswith("#"):
            step = _step(number, line.strip())
            if step is None:
                faults.append(f"{file}:{number}: no step of a transcript: {line.strip()}")
                continue
            steps.append(step)
            below = number + 1
    return faults or Transcript(file, lines, tuple(steps))


def rewritten(transcript: Transcript, differences: Sequence[Difference]) -> str:
    """The text with what is said now in the place of what was written."""
    lines = list(transcript.lines)
    for each in reversed(differences):
        at = each.step.line
        lines[at : at + len(each.step.says)] = (f"  | {line}".rstrip() for line in each.said)
    return "".join(f"{line}\n" for line in lines)


def agrees(step: Step, said: Sequence[str]) -> bool:
    """Whether this is what is written. A balance may stand in a column of its own."""
    tidy: Callable[[str], str] = _spaced if step.verb is Verb.LEDGER else str.rstrip
    return _matches([tidy(line) for line in step.says], [tidy(line) for line in said])


def _step(line: int, text: str) -> Step | None:
    for verb, wording in _WORDINGS.items():
        if match := wording.fullmatch(text):
            found = match.groupdict(default="")
            who, what = found.get("who", ""), found.get("what", "")
            return Step(line, text, verb, who, what, found.get("route", ""))
    return None


def _saying(step: Step, line: str) -> Step:
    return replace(step, says=(*step.says, line))


def _spaced(line: str) -> str:
    return " ".join(line.split())


def _matches(written: Sequence[str], said: Sequence[str]) -> bool:
    if not written:
        return not said
    if written[0] == ANYTHING:
        return any(_matches(written[1:], said[at:]) for at in range(len(said) + 1))
    return written[0] in said[:1] and _matches(written[1:], said[1:])
