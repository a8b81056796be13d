"""Whatever is paid, by whichever service: legs sum to zero, the trust ring is balanced, and
what is charged to phones never meets e-money.

The checker's own tables say what is in the ring.
"""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.services.cast import (
    AMINA,
    HARDWARE,
    JUMA,
    LIMIT,
    PRICES,
    RIGHT,
    STORE,
    TAMU,
    TARIFFS,
    WANJIRU,
    WATER,
    book,
    kes,
)
from tests.services.stand_in import MARKET, InMemoryReads, ScriptedCarrier, World
from ussd_gateway.domain import accounts
from ussd_gateway.domain.accounts import HOUSE, house_id
from ussd_gateway.domain.book import Decision, Purchase
from ussd_gateway.domain.journal import Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Standing, Supplied
from ussd_gateway.services import cash, pay, send_money
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.purchases.buy_airtime import Airtime, BuyAirtime
from ussd_gateway.services.purchases.buy_airtime import decide as order_airtime
from ussd_gateway.services.purchases.buy_content import Content
from ussd_gateway.store.verify.ring import CARRIER_MONEY, RING

CODES = {
    AMINA.wallet_id: accounts.WALLET.number,
    JUMA.wallet_id: accounts.WALLET.number,
    WANJIRU.wallet_id: accounts.WALLET.number,
    STORE.account_id: accounts.AGENT_FLOAT.number,
    STORE.commission_id: accounts.COMMISSION.number,
    STORE.head_office_commission_id: accounts.COMMISSION.number,
    HARDWARE.account_id: accounts.TILL.number,
    WATER.account_id: accounts.BILLER.number,
    TAMU.account_id: accounts.CONTENT_MERCHANT.number,
} | {house_id(code, "KES"): code.number for code in HOUSE}

ROWS = book(amina=400_000, store=400_000)
READS: InMemoryReads = World(ROWS).reads
CARRIER = ScriptedCarrier(asked=Supplied(Standing.PENDING, None, ""))
AT_WANJIRUS = Proof(WANJIRU.id, b"right")


def _fee(service: str, amount: Money) -> Money:
    found = TARIFFS[service].fee(amount)
    return found.total if found else kes(0)


def _send(amount: Money) -> Decision:
    command = send_money.SendMoney(AMINA, JUMA, amount, _fee("send", amount), RIGHT)
    return send_money.decide(command, PRICES, LIMIT, ROWS)


def _bill(amount: Money) -> Decision:
    command = pay.Pay(AMINA, WATER, "12345678", amount, _fee("pay_bill", amount), RIGHT)
    return pay.decide(command, PRICES, LIMIT, ROWS)


def _till(amount: Money) -> Decision:
    return pay.decide(pay.Pay(AMINA, HARDWARE, "", amount, kes(0), RIGHT), PRICES, LIMIT, ROWS)


def _withdraw(amount: Money) -> Decision:
    command = cash.Cash(AMINA, STORE, amount, _fee("withdraw", amount), RIGHT)
    return cash.withdraw(command, PRICES, LIMIT, ROWS)


def _deposit(amount: Money) -> Decision:
    command = cash.Cash(JUMA, STORE, amount, kes(0), AT_WANJIRUS)
    return cash.deposit(command, PRICES, LIMIT, ROWS)


def _airtime(amount: Money) -> Decision:
    command = BuyAirtime("k1", AMINA, amount, RIGHT)
    return order_airtime(command, PRICES, LIMIT, ROWS)


SERVICES: tuple[tuple[str, Callable[[Money], Decision]], ...] = (
    ("send", _send),
    ("pay_bill", _bill),
    ("buy_goods", _till),
    ("withdraw", _withdraw),
    ("deposit", _deposit),
    ("airtime", _airtime),
)

AMOUNTS = st.integers(min_value=1, max_value=250_000_00).map(lambda minor: Money(minor, "KES"))


@given(AMOUNTS)
def test_every_payment_keeps_the_ring(amount: Money) -> None:
    for service, decide in SERVICES:
        decision = decide(amount)
        tariff = TARIFFS[service]
        accepted = tariff.lowest <= amount <= tariff.highest
        assert decision.outcome == "ok" if accepted else decision.posting is None, service
        if decision.posting:
            _check(decision.posting)


@given(AMOUNTS, st.booleans())
def test_every_settlement_keeps_the_ring(amount: Money, done: bool) -> None:
    airtime = Purchase("k1", "airtime", AMINA.id, AMINA.msisdn, amount, "", "", 0)
    _check(_posting(Airtime(CARRIER, MARKET).settle(airtime, AMINA, ROWS, done=done).posting))

    item = Purchase("k2", "content", AMINA.id, AMINA.msisdn, amount, TAMU.number, "Article", 0)
    charged = Content(CARRIER, READS).settle(item, AMINA, ROWS, done=done).posting
    assert (charged is not None) == done
    if charged:
        assert {CODES[leg.account_id] for leg in charged.legs} <= CARRIER_MONEY
        _check(charged)


def _posting(found: Posting | None) -> Posting:
    assert found is not None
    return found


def _check(posting: Posting) -> None:
    codes = {CODES[leg.account_id] for leg in posting.legs}
    assert sum(leg.minor for leg in posting.legs) == 0
    assert sum(leg.minor for leg in posting.legs if CODES[leg.account_id] in RING) == 0
    assert not (codes & RING and codes & CARRIER_MONEY)
