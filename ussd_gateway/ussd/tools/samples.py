"""Values in the place of real ones: what a person types, what actions answer, who dials.

Each is given in three sizes. Where a pack does something only for a certain value (`when:
amount > limit`), some walk of an explorer has to bring one, so the sizes are far apart.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Action,
    Answer,
    Effect,
    Profile,
    Scalar,
    VarType,
)
from ussd_gateway.ussd.menu import ME, Program
from ussd_gateway.ussd.render import count_septets_max, msisdn_septets_max
from ussd_gateway.ussd.typed import Parser


class Size(Enum):
    TYPICAL = "typical"
    WORST = "worst"  # as long as it can be
    LEAST = "least"  # the shortest, nothing, no


OK = "ok"
OWN_NUMBER = Msisdn("+254711000001")
OTHER_NUMBER = Msisdn("+254711000002")

# Of no market of ours: shown in full, it is the longest that there is.
_FOREIGN_NUMBER = Msisdn("+" + "9" * (msisdn_septets_max - 1))
_TYPED_NUMBERS = ("0711000002", "0241000002")  # one of which every market takes for a number
TYPED_OWN = "0711000001"
_RECEIPT = "UDP2KW5VQP"

_ROWS = ("Habari Daily", "Muziki Top 40", "Mchezo Live")
_NO_TYPE = VarType("")

# What a value of this name usually is, whatever record it stands in.
_TEXTS = {
    "name": "Juma Otieno",
    "full_name": "Wanjiru Kamau",
    "merchant": "Tamu Content",
    "receipt": "9XK4M7Q2RT",
    "at": "21/11/26 09:05",
    "language": "en",
}
_MINORS = {"fee": 7_00, "total": 507_00, "balance": 4_493_00, "price": 20_00}
_MINOR = 500_00
_COUNT_MAX = int("9" * count_septets_max)
_LINE = "21/11 Juma Otieno -500.00"
_DIGITS = "100200" + "3456789012345678"


def value(name: str, kind: VarType, size: Size, money_max: Money) -> Scalar:
    """Of a name such as `quote.fee`."""
    last = name.rpartition(".")[2]
    match kind.kind:
        case "msisdn" if size is Size.WORST and not kind.length:
            return _FOREIGN_NUMBER
        case "msisdn":
            return OWN_NUMBER if name == "me.msisdn" else OTHER_NUMBER
        case "money":
            return Money(_minor(last, size, money_max), money_max.currency)
        case "count":
            return {Size.TYPICAL: 2, Size.WORST: _COUNT_MAX, Size.LEAST: 0}[size]
        case "bool":
            return size is not Size.LEAST
        case "date":
            return "2026-11-21"
        case "digits":
            return _digits(kind, size)
        case "lines":
            line = VarType("text", kind.length)
            lines = 1 if size is Size.LEAST else kind.count
            return "\n".join([_text(_LINE, line, size)] * lines)
        case "text":
            return _text(_TEXTS.get(last, "Jirani"), kind, size)
        case _:
            return "1"


def typed(kind: VarType, parse: Parser, size: Size, money_max: Money) -> str | None:
    """What a person types for a value of this type; None where nothing is taken for one."""
    fits: tuple[str, ...]
    match kind.kind:
        case "msisdn":
            fits = _TYPED_NUMBERS
        case "money":
            amount = {Size.TYPICAL: "500", Size.WORST: money_max.plain, Size.LEAST: "1"}
            fits = (amount[size],)
        case "digits":
            fits = (_digits(kind, size),)
        case _:
            fits = (_text("Wanjiru Kamau", kind, size), _RECEIPT)
    return next((text for text in fits if parse(text) is not None), None)


def typed_badly(kind: VarType) -> tuple[str, ...]:
    """What is no such value; and the number of the person's own, which may be refused."""
    bad = ("", "x", "9" * 40)
    return (*bad, TYPED_OWN) if kind.kind == "msisdn" else bad


def profiles(language: str, size: Size, money_max: Money) -> Iterator[Profile]:
    """Everybody who may dial: strangers, customers, agents' assistants; blocked ones too."""
    name = str(value("me.name", ME["me.name"], size, money_max))
    till = str(value("me.till", ME["me.till"], Size.WORST, money_max))
    for registered, can_send, serves in (
        (True, True, ""),
        (True, True, till),
        (True, False, ""),
        (True, False, till),
        (False, False, ""),
    ):
        yield Profile(
            OWN_NUMBER,
            registered=registered,
            name=name if registered else "",
            language=language,
            can_send=can_send,
            till=serves,
        )


def answers(action: Action, size: Size, money_max: Money) -> Iterator[Answer]:
    """Every outcome that the action has. Of a list: some rows, and none at all."""
    outcomes = action.outcomes | {TIMEOUT}
    if action.effect is Effect.MONEY:
        outcomes |= {UNKNOWN}
    values = {name: value(name, kind, size, money_max) for name, kind in action.gives.items()}
    for outcome in sorted(outcomes, key=lambda each: (each != OK, each)):
        given = {} if outcome in (TIMEOUT, UNKNOWN) else values
        if outcome == OK and action.rows:
            yield Answer(OK, given, rows(action, size, money_max))
        yield Answer(outcome, given)


def rows(action: Action, size: Size, money_max: Money) -> tuple[Mapping[str, Scalar], ...]:
    count = {
        Size.TYPICAL: min(len(_ROWS), action.rows_max),
        Size.WORST: action.rows_max,
        Size.LEAST: 1,
    }
    row = {name: value(name, kind, size, money_max) for name, kind in action.rows.items()}
    if size is Size.TYPICAL and action.rows.get("name", _NO_TYPE).kind == "text":
        return tuple(row | {"name": name} for name in _ROWS[: count[size]])
    return (row,) * count[size]


def digits(length: int) -> str:
    """As a number of so many digits may look."""
    return _DIGITS[:length]


def every_name(program: Program, size: Size) -> dict[str, Scalar]:
    """A value for all that the texts of a pack may show."""
    return {
        name: value(name, kind, size, program.money_max) for name, kind in program.names.items()
    }


def _minor(last: str, size: Size, money_max: Money) -> int:
    match size:
        case Size.TYPICAL:
            return _MINORS.get(last, _MINOR)
        case Size.WORST:
            return money_max.minor
        case Size.LEAST:
            return 0


def _digits(kind: VarType, size: Size) -> str:
    match size:
        case Size.TYPICAL:
            return digits(min(kind.length, max(kind.least, 6)))
        case Size.WORST:
            return "8" * kind.length
        case Size.LEAST:
            return "1" * max(kind.least, 1)


def _text(typical: str, kind: VarType, size: Size) -> str:
    match size:
        case Size.TYPICAL:
            return typical[: kind.length]
        case Size.WORST:
            return "W" * kind.length
        case Size.LEAST:
            return "Jo"[: kind.length]
