"""Tariffs: what a service costs in each band of amounts, and how much of the fee is tax.

The one module that rounds. Bands are inclusive, touch without gap or overlap, and end: an
amount above the last band has no fee, and its payment is refused.
"""

from bisect import bisect_right
from dataclasses import dataclass

from ussd_gateway.domain.money import Money


def round_half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole, halves up. For what is not negative."""
    assert numerator >= 0, "what is negative has no halves up"
    return (2 * numerator + denominator) // (2 * denominator)


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
class Tariff:
    """The bands of one service, in order. `tax_percent` is included in each fee."""

    id: str
    service: str
    currency: str
    tax_percent: int
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
