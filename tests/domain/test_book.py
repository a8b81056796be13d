"""What an account takes: floor and cap, with everything pending counted against them."""

from dataclasses import replace

import pytest

from ussd_gateway.domain.book import Account
from ussd_gateway.domain.journal import Leg, Posting

WALLET = Account(
    id=1,
    currency="KES",
    sign=-1,
    debits=0,
    credits=1_000,
    debits_pending=0,
    credits_pending=0,
    floor=0,
    cap=1_500,
    seq=1,
)
BANK = replace(WALLET, sign=1, debits=1_000, credits=0)


@pytest.mark.parametrize(
    ("account", "minor", "takes"),
    [
        (WALLET, 1_000, True),
        (WALLET, 1_001, False),
        (WALLET, -500, True),
        (WALLET, -501, False),
        (BANK, -1_000, True),
        (BANK, -1_001, False),
        (BANK, 500, True),
        (BANK, 501, False),
        (replace(WALLET, debits_pending=400), 600, True),
        (replace(WALLET, debits_pending=400), 601, False),
        (replace(WALLET, credits_pending=400), -100, True),
        (replace(WALLET, credits_pending=400), -101, False),
        (replace(WALLET, floor=None), 10**12, True),
        (replace(WALLET, cap=None), -(10**12), True),
    ],
)
def test_floor_and_cap_hold_on_both_sides(account: Account, minor: int, takes: bool) -> None:
    assert account.takes(minor) is takes


@pytest.mark.parametrize(
    "legs", [(), (Leg(1, 5),), (Leg(1, 5), Leg(2, -4)), (Leg(1, 0), Leg(2, 0))]
)
def test_a_posting_that_does_not_balance_cannot_be_made(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(AssertionError):
        Posting("transfer", legs)
