"""What an account takes: floor and cap, with everything pending counted against them."""

from dataclasses import replace

import pytest

from ussd_gateway.domain.book import Account, Status

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
    ("status", "pays_out", "takes_in", "gives_back"),
    [
        (Status.ACTIVE, True, True, True),
        (Status.FROZEN_IN, True, False, True),
        (Status.FROZEN_BOTH, False, False, True),
        (Status.DORMANT, False, False, True),
        (Status.CLOSED, False, False, False),
    ],
)
def test_a_status_bars_what_goes_out_or_comes_in(
    status: Status, pays_out: bool, takes_in: bool, gives_back: bool
) -> None:
    for account in (replace(WALLET, status=status), replace(BANK, status=status)):
        out = -account.sign
        assert account.takes(out) is pays_out
        assert account.takes(-out) is takes_in
        assert account.gives_back(out) is gives_back
        assert not account.gives_back(-out)


def test_no_more_is_taken_back_than_is_there_whatever_the_status() -> None:
    frozen = replace(WALLET, status=Status.FROZEN_BOTH, debits_pending=900)

    assert frozen.gives_back(100)
    assert not frozen.gives_back(101)
    assert frozen.gives_back(1_000, freed=900)
    assert not frozen.gives_back(1_001, freed=900)


def test_the_leg_that_resolves_a_hold_has_what_was_held() -> None:
    payer = replace(WALLET, debits_pending=900)
    payee = replace(WALLET, credits_pending=500)

    assert payer.spendable_minor == 100
    assert not payer.takes(900)
    assert payer.takes(900, freed=900)
    assert not payer.takes(1_001, freed=900)
    assert not payee.takes(-500)
    assert payee.takes(-500, freed=500)
    assert not payee.takes(-501, freed=500)
