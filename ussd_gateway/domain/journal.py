"""Journals: one event's entries, which sum to zero in each currency.

send 500, fee 7 of which excise 0.91      debit +   credit -
  2010 sender's wallet                     +507.00
  2010 recipient's wallet                             -500.00
  2440 due to operating (ring)                          -7.00
  1320 due from trust                        +7.00
  4010 transfer fees                                    -6.09
  2310 excise                                           -0.91
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leg:
    """A debit (positive) or credit (negative) of one account, in minor units of its
    currency."""

    account_id: int
    minor: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A journal about to be written. All its accounts have one currency."""

    kind: str
    legs: tuple[Leg, ...]
    tariff: str | None = None

    def __post_init__(self) -> None:
        assert len(self.legs) >= 2, "a journal has two legs at least"
        assert all(leg.minor for leg in self.legs), "a leg moves something"
        assert sum(leg.minor for leg in self.legs) == 0, "legs must balance"
