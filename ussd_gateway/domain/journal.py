"""Journals: one event's entries, which sum to zero in each currency.

send 500, fee 7 of which excise 0.91      debit +   credit -
  2010 sender's wallet                     +507.00
  2010 recipient's wallet                             -500.00
  2440 due to operating (ring)                          -7.00
  1320 due from trust                        +7.00
  4010 transfer fees                                    -6.09
  2310 excise                                           -0.91

What was posted is never changed: a reversal takes all of it back, a refund a part. A hold keeps
money aside until it is decided:

    place -> pending -> posted | part posted     a journal, for all or a part of it
                     -> voided | expired         nothing moved
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

# The kind of a journal that takes another back whole.
REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Leg:
    """A debit (positive) or credit (negative) of one account, in minor units of its
    currency."""

    account_id: int
    minor: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A journal about to be written. All its accounts have one currency. `reverses_id`: the
    journal that it takes back, in part or whole; `hold_id`: the hold that it resolves."""

    kind: str
    legs: tuple[Leg, ...]
    tariff: str | None = None
    reverses_id: int | None = None
    hold_id: int | None = None

    def __post_init__(self) -> None:
        assert len(self.legs) >= 2, "a journal has two legs at least"
        minors = [leg.minor for leg in self.legs]
        assert all(minors), "a leg moves something"
        assert sum(minors) == 0, "legs must balance"


@dataclass(frozen=True, slots=True)
class Posted:
    """A journal that stands in the books, and what later ones have taken back of it so far: of
    each account, the sum of their legs."""

    id: int
    kind: str
    receipt: str
    event_at_ms: int
    business_date: date
    legs: tuple[Leg, ...]
    taken_back: Mapping[int, int]
    reversed: bool  # whole, which happens once
    in_hand: int | None = None  # the pending hold by which it is about to be taken back
    held_as: frozenset[str] = frozenset()  # the kinds of all holds that were to take it back

    def left(self, account_id: int) -> int:
        """What of its legs on an account stands still, signed as they are."""
        moved = sum(leg.minor for leg in self.legs if leg.account_id == account_id)
        return moved + self.taken_back.get(account_id, 0)


def reverse(posted: Posted) -> Posting:
    """Takes all of it back, leg by leg. Not where something was taken back before."""
    legs = tuple(Leg(leg.account_id, -leg.minor) for leg in posted.legs)
    return Posting(REVERSAL, legs, reverses_id=posted.id)


class HoldState(Enum):
    """A hold is decided once: out of PENDING there is one way, and none leads back."""

    PENDING = "pending"
    POSTED = "posted"
    PART_POSTED = "part_posted"  # the rest was let go
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Hold:
    """Money that waits between two accounts: `source` cannot spend it, and `target` has no use
    of it yet; a cap counts it already. `journal_id`: what it is to take back, if it is."""

    id: int
    kind: str
    source_id: int
    target_id: int
    minor: int
    posted: int
    state: HoldState
    expires_at_ms: int
    journal_id: int | None = None

    def __post_init__(self) -> None:
        assert self.minor > 0, "a hold holds something"
        assert 0 <= self.posted <= self.minor, "no more is posted than was held"
        assert self.source_id != self.target_id, "a hold has two parties"

    def open(self, now_ms: int) -> bool:
        """Whether it can still be posted: its time may be over before anybody says so."""
        return self.state is HoldState.PENDING and now_ms < self.expires_at_ms
