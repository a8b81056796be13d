"""A pack of menus as a frozen program: the loader makes it, the engine walks it.

Everything that can be settled once is settled here: names are flat (`quote.fee`, `me.msisdn`,
`result.receipt`), texts are split into parts, guards and parsers are closures. A program that
the loader hands out has no dangling target, no unset name on any path, and no screen that is
too long.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Effect, Scalar, VarType

Vars = Mapping[str, Scalar]

# What every text and guard may know of the person who dials (ports.Profile).
ME: Mapping[str, VarType] = {
    "me.msisdn": VarType("msisdn"),
    "me.registered": VarType("bool"),
    "me.name": VarType("text", 20),
    "me.language": VarType("text", 2),
    "me.can_send": VarType("bool"),
    "me.till": VarType("digits", 12),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text where a value is shown, and what it costs there at most."""

    name: str
    show: Callable[[Scalar], str]
    septets_max: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text in every language of its pack. `names` are those its slots show; `wide` the
    languages that cannot be said in GSM-7, and go out as UCS-2; `lines` where each language
    of it stands in the file."""

    line: int
    names: frozenset[str]
    parts: Mapping[str, tuple[str | Slot, ...]]
    wide: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_in(self, language: str) -> int:
        return self.lines.get(language, self.line)


@dataclass(frozen=True, slots=True)
class Guard:
    line: int
    names: frozenset[str]
    holds: Callable[[Vars], bool]


@dataclass(frozen=True, slots=True)
class Taken:
    """A value that an answer gives: its name there and here, and how it is made fit to show."""

    given: str
    name: str
    fit: Callable[[Scalar], Scalar]


@dataclass(frozen=True, slots=True)
class Again:
    """The target of an outcome that asks for the secret once more, saying why."""

    note: Text


Target = str | Again


@dataclass(frozen=True, slots=True)
class Act:
    """What a state asks of an action, and where each of its outcomes leads."""

    line: int
    action: str
    effect: Effect
    args: tuple[tuple[str, str], ...]  # the action's parameter, our name
    fixed: Mapping[str, str]  # the action's parameter, a text that the pack itself gives
    within_s: float
    outcomes: Mapping[str, Target]


@dataclass(frozen=True, slots=True)
class Option:
    """`speaks`: the language that the session goes on in; None: as before."""

    line: int
    when: Guard | None
    text: Text
    go: str
    speaks: str | None


@dataclass(frozen=True, slots=True)
class Menu:
    """`root`: reached from the entry without a choice, so there is nowhere to go back to."""

    line: int
    text: Text
    options: Mapping[str, Option]
    nav: bool
    root: bool
    # All of it on one page: its lines, those under one guard together; and what that costs at
    # worst, with a reason above it, by language.
    blocks: tuple[tuple[Guard | None, Text], ...]
    septets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Check:
    unless: Guard
    say: Text


@dataclass(frozen=True, slots=True)
class Input:
    line: int
    text: Text
    into: str
    parse: Callable[[str], Scalar | None]
    bad: Text
    checks: tuple[Check, ...]
    go: str
    retries: int | None  # None: as many as the session has hops
    nav: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """What is answered becomes `result.*`, and what moves no money can be saved as well: one
    secret may lead to the next, and `result.*` is that of the last."""

    line: int
    text: Text
    digits_min: int
    digits_max: int
    bad: Text
    act: Act
    takes: tuple[Taken, ...]
    saves: tuple[Taken, ...]
    nav: bool


@dataclass(frozen=True, slots=True)
class Call:
    """Its values become `result.*`, or else are saved under a record's name, and leave
    `result.*` alone."""

    line: int
    act: Act
    takes: tuple[Taken, ...]
    saves: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class List:
    """Rows of a read action to choose from. The number that is printed before a row is bound,
    in the session, to the row as it was read; the one that is chosen becomes the record
    `into`. Its labels know `row.*`. `chooses_one`: of a single row there is nothing to ask."""

    line: int
    text: Text
    act: Act  # its outcomes: all but `ok`, and EMPTY for no rows at all
    row: Text
    fields: tuple[Taken, ...]  # of a row: its name there, ours, `row.name`
    into: str
    rows_max: int
    chooses_one: bool
    go: str
    nav: bool


EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Rule:
    line: int
    when: Guard | None
    go: str


@dataclass(frozen=True, slots=True)
class Decide:
    line: int
    rules: tuple[Rule, ...]  # the last has no guard


@dataclass(frozen=True, slots=True)
class End:
    line: int
    text: Text


State = Menu | Input | Secret | List | Call | Decide | End


@dataclass(frozen=True, slots=True)
class Notices:
    """What the engine itself has to say: a closed set, each required of every pack."""

    bad_choice: Text
    bad_number: Text
    bad_amount: Text
    bad_digits: Text  # knows {digits}: how many
    bad_text: Text
    bad_pin: Text  # knows {digits}
    too_many_tries: Text
    too_many_hops: Text
    dial_again: Text
    pin_dialled: Text
    checking: Text
    not_now: Text  # an action that operators have stopped
    menu_changed: Text  # above a screen that a session is moved to
    resume: Text  # asks: 1 goes on, 2 starts again
    back: Text
    more: Text
    prev: Text


@dataclass(frozen=True, slots=True)
class Capture:
    """A `{name}` in a dialled string."""

    name: str
    parse: Callable[[str], Scalar | None]


@dataclass(frozen=True, slots=True)
class Shortcut:
    line: int
    tokens: tuple[str | Capture, ...]
    when: Guard | None
    go: str


@dataclass(frozen=True, slots=True)
class Nav:
    """`more` and `prev` are keys only on screens that page."""

    back: str
    home: str
    more: str
    prev: str


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    digest: str  # of the file: a session goes on only in the program it began in
    entry: str
    languages: tuple[str, ...]
    nav: Nav
    idle_s: int
    hops_max: int
    resume_s: int  # how long after its last screen a session can be gone on with; 0: never
    moves: Mapping[str, str]  # `map`: states of versions before, to those that take their place
    names: Mapping[str, VarType]  # what texts and guards may use, flat
    needs: Mapping[str, frozenset[str]]  # what is set on every path to a state
    notices: Notices
    above: Mapping[str, int]  # septets kept for a reason above a page, by language
    shortcuts: tuple[Shortcut, ...]
    states: Mapping[str, State]
    money_max: Money
    warnings: tuple[Fault, ...]

    def language(self, wished: str | None) -> str:
        return wished if wished in self.languages else self.languages[0]
