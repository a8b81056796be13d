"""The chart of accounts, beside the checker's own table of the trust ring."""

import pytest

from ussd_gateway.domain.accounts import (
    AGENT_FLOAT,
    AIRTIME_ON_ORDER,
    BANK_IN_TRANSIT,
    BILLER,
    CARRIER,
    CHART,
    CONTENT_MERCHANT,
    DISBURSER,
    DORMANT,
    DUE_TO_OPERATING,
    HELD,
    HOUSE,
    HOUSE_ID_MIN,
    PHONE_BILLS,
    PREPAID_AIRTIME,
    SUPER_AGENT_FLOAT,
    SUSPENSE,
    TILL,
    TRUST_BANK,
    UNCLAIMED,
    WALLET,
    Code,
    Side,
    house_id,
    house_ref,
)
from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.store.verify import ring

PEOPLES = {WALLET, AGENT_FLOAT, SUPER_AGENT_FLOAT, TILL, BILLER, DISBURSER}
ON_ITS_WAY = {UNCLAIMED, SUSPENSE, AIRTIME_ON_ORDER, DORMANT}


def test_an_account_is_the_houses_or_somebodys_and_each_code_is_in_the_chart() -> None:
    assert not set(HOUSE) & set(HELD)
    assert len(CHART) == len(HOUSE) + len(HELD)
    assert set(CHART.values()) == {*HOUSE, *HELD}
    assert all(CHART[code.number] is code for code in (*HOUSE, *HELD))


def test_names_of_accounts_are_their_own() -> None:
    assert len({code.name for code in CHART.values()}) == len(CHART)


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        (ring.TRUST_MONEY, {TRUST_BANK, BANK_IN_TRANSIT}),
        (ring.HELD_MONEY, PEOPLES),
        (ring.E_MONEY, PEOPLES | ON_ITS_WAY),
        (
            ring.RING,
            PEOPLES | ON_ITS_WAY | {TRUST_BANK, BANK_IN_TRANSIT, DUE_TO_OPERATING},
        ),
        (ring.CARRIER_MONEY, {PHONE_BILLS, PREPAID_AIRTIME, CONTENT_MERCHANT, CARRIER}),
    ],
    ids=["trust money", "held money", "e-money", "ring", "carrier money"],
)
def test_the_checkers_tables_and_the_chart_agree(
    numbers: frozenset[int], codes: set[Code]
) -> None:
    assert {code for code in CHART.values() if code.number in numbers} == codes


def test_what_is_charged_to_phones_is_outside_the_ring() -> None:
    assert not ring.RING & ring.CARRIER_MONEY


def test_assets_and_expenses_are_debits_and_what_is_owed_or_earned_is_a_credit() -> None:
    for code in CHART.values():
        assert code.side is (Side.DEBIT if str(code.number)[0] in "15" else Side.CREDIT)


def test_the_houses_accounts_have_ids_and_names_of_their_own_in_every_currency() -> None:
    every = [(code, currency) for code in HOUSE for currency in EXPONENTS]

    assert len({house_id(*one) for one in every}) == len(every)
    assert len({house_ref(*one) for one in every}) == len(every)
    assert min(house_id(*one) for one in every) >= HOUSE_ID_MIN
    assert house_id(DUE_TO_OPERATING, "KES") == 1_000_004_042_440
    assert house_ref(DUE_TO_OPERATING, "KES") == "KES-2440"
