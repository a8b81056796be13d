"""Tariffs: what a service costs in each band of amounts, how much of the fee is tax, and how
much of a commission is the head office's.

The one module that rounds. Bands are inclusive, touch without gap or overlap, and end: an
amount above the last band has no fee, and its payment is refused.

    price book   all tariffs together; its id names every price that was ever charged by it
      service    its tariffs, each from its own business date on until the next one's
        bands    lowest .. highest: fee
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby

from ussd_gateway.domain.money import Money

# Of the SHA-256 of a price book's content.
ID_DIGITS = 12


def round_half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole, halves up. For what is not negative."""
    assert numerator >= 0, "what is negative has no halves up"
    return (2 * numerator + denominator) // (2 * denominator)


def round_half_down(numerator: int, denominator: int) -> int:
    """The same, halves down."""
    assert numerator >= 0, "what is negative has no halves down"
    return (2 * numerator + denominator - 1) // (2 * denominator)


@dataclass(frozen=True, slots=True)
class Band:
    """`lowest` to `highest` inclusive, in minor units; `fee` includes the tax."""

    lowest: int
    highest: int
    fee: int


@dataclass(frozen=True, slots=True)
class Fee:
    """`total` is what the payer pays; `tax` is the part of it that is owed to the state."""

    total: Money
    tax: Money

    def __add__(self, other: "Fee") -> "Fee":
        return Fee(self.total + other.total, self.tax + other.tax)

    @property
    def income(self) -> Money:
        return self.total - self.tax


@dataclass(frozen=True, slots=True)
class Commission:
    """What an agent's store earns by one payment, and what its head office does."""

    store: Money
    head_office: Money

    @property
    def total(self) -> Money:
        return self.store + self.head_office


@dataclass(frozen=True, slots=True)
class Tariff:
    """The bands of one service, in order, from the business date `since` on. `tax_percent` is
    included in each fee; `head_office_percent` is of a commission."""

    id: str
    service: str
    currency: str
    since: date
    tax_percent: int
    head_office_percent: int
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        assert self.bands, "a tariff has a band"
        for lower, upper in zip(self.bands, self.bands[1:], strict=False):
            assert lower.highest + 1 == upper.lowest, "bands touch"

    @property
    def lowest(self) -> Money:
        return Money(self.bands[0].lowest, self.currency)

    @property
    def highest(self) -> Money:
        return Money(self.bands[-1].highest, self.currency)

    def fee(self, amount: Money) -> Fee | None:
        """The fee for `amount`; None outside the bands."""
        assert amount.currency == self.currency
        at = bisect_right(self.bands, amount.minor, key=lambda band: band.lowest) - 1
        if at < 0 or amount.minor > self.bands[at].highest:
            return None

        total = self.bands[at].fee
        tax = round_half_up(total * self.tax_percent, 100 + self.tax_percent)
        return Fee(Money(total, self.currency), Money(tax, self.currency))

    def commission(self, amount: Money, *, shared: bool) -> Commission:
        """What `amount` earns; nothing outside the bands. `shared`: there is a head office.

        Split by largest remainder; what could be either's is the store's.
        """
        fee = self.fee(amount)
        total = fee.total.minor if fee else 0
        share = round_half_down(total * self.head_office_percent, 100) if shared else 0
        return Commission(Money(total - share, self.currency), Money(share, self.currency))


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All tariffs that there are: of each service those that were, the one that is in force,
    and those that will be, the earliest first."""

    tariffs: Mapping[str, tuple[Tariff, ...]]
    content: str  # canonical: the same prices have the same text
    id: str

    def tariff(self, service: str, on: date) -> Tariff | None:
        """The one in force on a business date; None before the first one."""
        found = None
        for each in self.tariffs.get(service, ()):
            if each.since <= on:
                found = each
        return found

    def newest(self, service: str) -> Tariff:
        """The one that will be in force when all dates are past."""
        return self.tariffs[service][-1]


def price_book(tariffs: Iterable[Tariff]) -> PriceBook:
    """Of tariffs in any order, no two of one service from one date."""
    ordered = sorted(tariffs, key=lambda each: (each.service, each.since))
    dates = {(each.service, each.since) for each in ordered}
    assert len(dates) == len(ordered), "one tariff of a service from each date"
    by_service = groupby(ordered, key=lambda each: each.service)
    content = json.dumps(
        {"tariffs": [_canonical(each) for each in ordered]},
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )
    return PriceBook(
        {service: tuple(those) for service, those in by_service},
        content,
        f"T{sha256(content.encode()).hexdigest()[:ID_DIGITS]}",
    )


def _canonical(tariff: Tariff) -> dict[str, object]:
    return {
        "tariff": tariff.id,
        "service": tariff.service,
        "currency": tariff.currency,
        "from": tariff.since.isoformat(),
        "tax_percent": tariff.tax_percent,
        "head_office_percent": tariff.head_office_percent,
        "bands": [[band.lowest, band.highest, band.fee] for band in tariff.bands],
    }
