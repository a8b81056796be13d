"""Limits by tier: how much at once, and how much a wallet may hold.

A tier says how well its holder is known: whoever registers alone is in the lowest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ussd_gateway.domain.money import Money

LOWEST = "minimum"
STANDARD = "standard"
TIERS = (LOWEST, STANDARD)


@dataclass(frozen=True, slots=True)
class Limit:
    transaction_max: Money
    balance_max: Money


Limits = Mapping[str, Limit]


@dataclass(frozen=True, slots=True)
class Usage:
    """What was paid out of an account: on the business date `on`, and in its month so far."""

    on: date | None = None
    day: int = 0
    month: int = 0

    def at(self, today: date) -> "Usage":
        """As it counts on that date: an earlier day, or month, counts no more. A date before
        `on` (a clock was set back) goes on counting."""
        if self.on is None or today <= self.on:
            return self
        same_month = (today.year, today.month) == (self.on.year, self.on.month)
        return Usage(today, 0, self.month if same_month else 0)

    def plus(self, minor: int, today: date) -> "Usage":
        then = self.at(today)
        return Usage(then.on or today, then.day + minor, then.month + minor)

    def minus(self, minor: int, *, spent_on: date) -> "Usage":
        """Where what was spent on a date came back: it counts no more, if it still did."""
        if self.on is None or (spent_on.year, spent_on.month) != (self.on.year, self.on.month):
            return self
        month = max(0, self.month - minor)
        day = max(0, self.day - minor) if spent_on == self.on else self.day
        return Usage(self.on, min(day, month), month)


UNUSED = Usage()
