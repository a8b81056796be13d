"""Whole payments in currencies other than the shilling of Kenya: one that has no minor unit,
UGX, and one whose cents nobody uses, TZS. Tax and shares are rounded to what there is."""

from dataclasses import replace

import pytest

from tests.services.cast import AMINA, JUMA, RIGHT, STORE, TARIFFS, WATER, account, book
from ussd_gateway.domain.accounts import HOUSE, house_id
from ussd_gateway.domain.book import Account, Book, Decision
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Band, PriceBook, price_book
from ussd_gateway.services import cash, pay, send_money

CURRENCIES = ("UGX", "TZS")
# In minor units: of UGX whole shillings, of TZS cents.
FEES = {
    "send": 1_000,
    "withdraw": 1_501,
    "withdraw.commission": 1_003,
    "pay_bill": 333,
    "pay_bill.business": 777,
}


def prices(currency: str) -> PriceBook:
    return price_book(
        replace(
            each,
            currency=currency,
            bands=(Band(500, 5_000_000, FEES.get(each.service, 0)),),
            tax_percent=0 if each.service.endswith(".commission") else 15,
        )
        for each in TARIFFS.values()
    )


def limit(currency: str) -> Limit:
    most = Money(100_000_000, currency)
    return Limit(transaction_max=most, day_max=most, month_max=most, balance_max=most)


def rows(currency: str) -> Book:
    """The same people and businesses, who hold 1,000,000 each."""
    local = book()
    held = {
        number: replace(each, currency=currency, credits=1_000_000, cap=None)
        for number, each in local.accounts.items()
        if number < 1_000
    }
    house = {
        house_id(code, currency): _house(house_id(code, currency), currency) for code in HOUSE
    }
    return replace(local, accounts={**held, **house})


def _house(number: int, currency: str) -> Account:
    return replace(account(number, 0, cap=None), currency=currency, floor=None)


def legs(decision: Decision) -> dict[int, int]:
    assert decision.outcome == "ok", decision
    assert decision.posting is not None
    return {leg.account_id: leg.minor for leg in decision.posting.legs}


def house(currency: str, number: int) -> int:
    return house_id(next(code for code in HOUSE if code.number == number), currency)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_transfer(currency: str) -> None:
    amount, fee = Money(40_000, currency), Money(1_000, currency)
    command = send_money.SendMoney(AMINA, JUMA, amount, fee, RIGHT)
    decision = send_money.decide(command, prices(currency), limit(currency), rows(currency))

    # 1000 * 15 / 115 = 130.43...
    assert legs(decision) == {
        AMINA.wallet_id: 41_000,
        JUMA.wallet_id: -40_000,
        house(currency, 2440): -1_000,
        house(currency, 1320): 1_000,
        house(currency, 4010): -870,
        house(currency, 2310): -130,
    }
    shown = {"UGX": "UGX 959,000", "TZS": "TZS 9,590.00"}[currency]
    assert str(decision.values["balance"]) == shown


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_bill_of_which_each_side_pays_a_part_is_taxed_part_by_part(currency: str) -> None:
    amount, fee = Money(40_000, currency), Money(333, currency)
    command = pay.Pay(AMINA, WATER, "12345678", amount, fee, RIGHT)
    decision = pay.decide(command, prices(currency), limit(currency), rows(currency))

    # 333 * 15 / 115 = 43.43..., and 777 * 15 / 115 = 101.34...
    assert legs(decision) == {
        AMINA.wallet_id: 40_333,
        WATER.account_id: -39_223,
        house(currency, 2440): -1_110,
        house(currency, 1320): 1_110,
        house(currency, 4030): -966,
        house(currency, 2310): -144,
    }


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_withdrawal_with_its_commission(currency: str) -> None:
    amount, fee = Money(40_000, currency), Money(1_501, currency)
    command = cash.Cash(AMINA, STORE, amount, fee, RIGHT)
    decision = cash.withdraw(command, prices(currency), limit(currency), rows(currency))

    # 1501 * 15 / 115 = 195.78...; a fifth of 1003 is 200.6.
    assert legs(decision) == {
        AMINA.wallet_id: 41_501,
        STORE.account_id: -40_000,
        house(currency, 2440): -1_501,
        house(currency, 1320): 1_501,
        house(currency, 4020): -1_305,
        house(currency, 2310): -196,
        house(currency, 5010): 1_003,
        STORE.commission_id: -802,
        STORE.head_office_commission_id: -201,
    }


@pytest.mark.parametrize("currency", CURRENCIES)
def test_an_amount_above_the_last_band_is_refused(currency: str) -> None:
    rich = rows(currency)
    rich.accounts[AMINA.wallet_id].credits = 100_000_000
    for minor, outcome in ((5_000_000, "ok"), (5_000_001, "over_limit")):
        amount, fee = Money(minor, currency), Money(1_000, currency)
        command = send_money.SendMoney(AMINA, JUMA, amount, fee, RIGHT)
        decision = send_money.decide(command, prices(currency), limit(currency), rich)
        assert decision.outcome == outcome
