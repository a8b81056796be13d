"""A statement: what an account held, what came and went in a period, what it holds.

    opening + paid in - paid out = closing

Amounts are on the account's own side: more of it is positive, whichever side it grows on. Days
are the market's, both ends counted.
"""

from dataclasses import dataclass
from datetime import date

from ussd_gateway.domain.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the holder sees it. `other` stood on the other side: a name and a masked
    number; empty where that was the house."""

    at_ms: int
    receipt: str
    kind: str
    other: str
    minor: int
    balance_minor: int

    @property
    def words(self) -> str:
        """The kind as people say it: `Send money`."""
        return in_words(self.kind)


@dataclass(frozen=True, slots=True)
class Pending:
    """Money that waits, now: it is in no balance yet. `minor` is what would move."""

    kind: str
    minor: int
    placed_at_ms: int
    expires_at_ms: int

    @property
    def words(self) -> str:
        return in_words(self.kind)


@dataclass(frozen=True, slots=True)
class Statement:
    """`lines` are in the order of their days, and within a day in that in which they changed
    the balance. What it was before them and after them is what the books say of their own: a
    sum of the lines would hide a fault."""

    ref: str  # a phone number, a till, `KES-2440`
    code: int
    holder: str  # empty where the house holds it
    currency: str
    first: date
    last: date
    opening_minor: int
    closing_minor: int
    lines: tuple[Line, ...]
    pending: tuple[Pending, ...]

    @property
    def opening(self) -> Money:
        return Money(self.opening_minor, self.currency)

    @property
    def closing(self) -> Money:
        return Money(self.closing_minor, self.currency)

    @property
    def paid_in(self) -> Money:
        return Money(sum(max(line.minor, 0) for line in self.lines), self.currency)

    @property
    def paid_out(self) -> Money:
        return Money(sum(max(-line.minor, 0) for line in self.lines), self.currency)

    @property
    def adds_up(self) -> bool:
        return self.opening + self.paid_in - self.paid_out == self.closing


def in_words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()
