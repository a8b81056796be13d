"""Money: whole minor units and an ISO 4217 currency; it prints itself as every screen shows it.

No float ever touches it. `KES 1,234.00` is its one written form, in every language.
"""

import re
from dataclasses import dataclass
from functools import total_ordering

# ISO 4217 minor-unit exponents of the currencies the gateway keeps books in.
EXPONENTS = {"KES": 2, "UGX": 0, "TZS": 2, "RWF": 0, "XOF": 0}

_TYPED = re.compile(r"([0-9]{1,12})(?:\.([0-9]+))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """`Money(50_000, "KES")` is KES 500.00. Sums and comparisons need one currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, "money is whole minor units"
        assert self.currency in EXPONENTS, f"unknown currency {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __str__(self) -> str:
        return f"{self.currency} {self.plain}"

    @property
    def plain(self) -> str:
        """The amount without its currency: `1,234.00`, or `1,234` where there is no minor
        unit."""
        exponent = EXPONENTS[self.currency]
        sign = "-" if self.minor < 0 else ""
        whole, rest = divmod(abs(self.minor), 10**exponent)
        return f"{sign}{whole:,}.{rest:0{exponent}d}" if exponent else f"{sign}{whole:,}"

    def _same(self, other: "Money") -> None:
        assert self.currency == other.currency, f"{self.currency} met {other.currency}"


def parse_typed(text: str, currency: str) -> Money | None:
    """The amount a person typed, in whole or decimal shillings: `500`, `500.50`, `1,500`.

    None where it is no amount, is zero, or has more decimals than the currency.
    """
    exponent = EXPONENTS[currency]
    match = _TYPED.fullmatch(text.strip().replace(",", ""))
    if match is None or len(match[2] or "") > exponent:
        return None

    minor = int(match[1]) * 10**exponent + int((match[2] or "").ljust(exponent, "0") or "0")
    return Money(minor, currency) if minor > 0 else None
