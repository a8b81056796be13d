"""Limits by tier: how much at once, in a day, in a month, and how much a wallet may hold.

A tier says how well its holder is known: whoever registers alone is in the lowest. What was
paid is counted on the wallet's own row, and what limits leave of it is decided under its lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason

LOWEST = "minimum"
STANDARD = "standard"
ENHANCED = "enhanced"
TIERS = (LOWEST, STANDARD, ENHANCED)


@dataclass(frozen=True, slots=True)
class Limit:
    """Of one tier. Day and month are calendar ones, of the market; fees do not count."""

    transaction_max: Money
    day_max: Money
    month_max: Money
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


@dataclass(frozen=True, slots=True)
class Allowance:
    """What somebody may pay now: their tier's limit, what they have used of it by today, and
    what they allow themselves, in minor units; None: as much as the limit."""

    limit: Limit
    used: Usage = UNUSED
    cap_payment: int | None = None
    cap_day: int | None = None

    def refuses(self, amount: Money) -> Reason | None:
        """Why not, if not. The most at once is not looked at: a quote tells that already."""
        day = self.used.day + amount.minor
        if day > self.limit.day_max.minor:
            return Reason.OVER_DAY
        if self.used.month + amount.minor > self.limit.month_max.minor:
            return Reason.OVER_MONTH
        if self.cap_payment is not None and amount.minor > self.cap_payment:
            return Reason.OVER_OWN_CAP
        if self.cap_day is not None and day > self.cap_day:
            return Reason.OVER_OWN_CAP
        return None

    def left_today(self, paid: Money) -> Money:
        """What may still be paid today, once `paid` is."""
        limit, used = self.limit, self.used
        left = min(limit.day_max.minor - used.day, limit.month_max.minor - used.month)
        if self.cap_day is not None:
            left = min(left, self.cap_day - used.day)
        return Money(max(0, left - paid.minor), paid.currency)
