"""Bills and tills: what `decide` says, one row a Reason, in their order."""

from dataclasses import replace

import pytest

from tests.services.cast import (
    AMINA,
    HARDWARE,
    LIMIT,
    PRICES,
    RIGHT,
    STORE,
    TAMU,
    TARIFFS,
    WATER,
    WRONG,
    barred,
    book,
    house,
    kes,
    used,
)
from tests.services.stand_in import Args, World, call, with_pin
from ussd_gateway.domain.book import Book, Business, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.domain.tariff import Band, price_book
from ussd_gateway.services.pay import Pay, PayService, decide

GOOD = Pay(AMINA, WATER, "12345678", kes(1_200), kes(10), RIGHT)
AT_A_TILL = Pay(AMINA, HARDWARE, "", kes(750), kes(0), RIGHT)


def test_a_bill_costs_its_payer_a_fee_and_its_biller_another() -> None:
    decision = decide(GOOD, PRICES, LIMIT, book())

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert decision.posting.kind == "pay_bill"
    assert decision.posting.tariff == PRICES.id
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (AMINA.wallet_id, 1_210_00),
        (WATER.account_id, -1_195_00),
        (house(2440), -15_00),
        (house(1320), 15_00),
        (house(4030), -13_05),
        (house(2310), -1_95),
    ]


@pytest.mark.parametrize(
    ("bands", "amount", "outcome"),
    [
        ((Band(1_00, 2_500_00, 0),), 3_000, "over_limit"),
        ((Band(60_00, 250_000_00, 0),), 50, "under_minimum"),
        ((Band(1_00, 250_000_00, 5_00),), 1, "under_minimum"),
        ((Band(1_00, 250_000_00, 5_00),), 5, "under_minimum"),
        ((Band(1_00, 250_000_00, 5_00),), 6, "ok"),
    ],
)
def test_a_bill_of_which_its_biller_would_get_nothing_or_we_no_part_is_refused(
    world: World, bands: tuple[Band, ...], amount: int, outcome: str
) -> None:
    tariffs = TARIFFS | {
        "pay_bill.business": replace(TARIFFS["pay_bill.business"], bands=bands)
    }
    prices = price_book(tariffs.values())
    fee = TARIFFS["pay_bill"].fee(kes(amount))
    assert fee is not None
    command = replace(GOOD, amount=kes(amount), fee=fee.total)

    assert decide(command, prices, LIMIT, book()).outcome == outcome
    service = PayService(replace(world.teller, prices=prices))
    asked: Args = {"business": WATER.number, "account": "12345678", "amount": kes(amount)}
    assert service.quote_bill(call(asked)).outcome == outcome


def test_both_sides_of_a_bill_are_told_with_its_account_number() -> None:
    payer, biller = decide(GOOD, PRICES, LIMIT, book()).messages

    assert (payer.to, payer.template) == (AMINA.msisdn, "bill_paid")
    assert payer.params["balance"] == kes(3_790)
    assert (biller.to, biller.template) == (WATER.msisdn, "bill_received")
    assert (biller.params["amount"], biller.params["number"]) == (kes(1_195), "0711***001")
    assert payer.params["account"] == biller.params["account"] == "12345678"


def test_goods_at_a_till_cost_their_price_and_no_more() -> None:
    decision = decide(AT_A_TILL, PRICES, LIMIT, book())

    assert decision.posting is not None
    assert decision.posting.kind == "buy_goods"
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (AMINA.wallet_id, 750_00),
        (HARDWARE.account_id, -750_00),
    ]
    assert [told.template for told in decision.messages] == ["till_paid", "till_received"]
    assert not any("account" in told.params for told in decision.messages)


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, GOOD, book(replace(AMINA, active=False))),
    (Reason.ACCOUNT_BLOCKED, GOOD, barred(AMINA.wallet_id)),
    (Reason.PIN_LOCKED, GOOD, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=WRONG), book()),
    (Reason.UNKNOWN_TILL, AT_A_TILL, barred(HARDWARE.account_id)),
    (Reason.UNKNOWN_BUSINESS, GOOD, barred(WATER.account_id, by=Status.DORMANT)),
    (Reason.UNDER_MINIMUM, replace(GOOD, amount=Money(99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(GOOD, amount=kes(250_001)), book()),
    (Reason.OVER_DAY, GOOD, used(day=500_001 - 1_200)),
    (Reason.OVER_MONTH, GOOD, used(month=3_000_001 - 1_200)),
    (Reason.OVER_OWN_CAP, GOOD, book(replace(AMINA, cap_payment=1_200_00 - 1))),
    (Reason.OVER_OWN_CAP, GOOD, book(replace(AMINA, cap_day=1_200_00 - 1))),
    (Reason.FEE_CHANGED, replace(GOOD, fee=kes(9)), book()),
    (Reason.PAYEE_FULL, GOOD, book(full=1_194)),
    (Reason.LOW_BALANCE, GOOD, book(amina=1_209)),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_moves_nothing(
    reason: Reason, command: Pay, rows: Book
) -> None:
    decision = decide(command, PRICES, LIMIT, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None
    assert decision.messages == ()


def test_reasons_are_checked_in_their_order() -> None:
    told = list(dict.fromkeys(reason for reason, _, _ in REFUSALS))
    assert told == [reason for reason in Reason if reason in told]


@pytest.mark.parametrize(("command", "has"), [(GOOD, 1_210), (AT_A_TILL, 750)])
def test_the_last_shilling_can_be_paid(command: Pay, has: int) -> None:
    assert decide(command, PRICES, LIMIT, book(amina=has)).outcome == "ok"
    assert decide(command, PRICES, LIMIT, book(amina=has - 1)).outcome == "low_balance"


def test_a_biller_has_room_for_what_it_gets_and_need_not_for_our_part() -> None:
    assert decide(GOOD, PRICES, LIMIT, book(full=1_195)).outcome == "ok"


STRANGER = Msisdn("+254711000009")


@pytest.fixture
def world() -> World:
    return World(book(with_pin(AMINA, "4826")))


@pytest.mark.parametrize(
    ("business", "account", "outcome"),
    [
        (WATER, "12345678", "ok"),
        (HARDWARE, "12345678", "unknown_business"),
        (STORE, "12345678", "unknown_business"),
        (TAMU, "12345678", "unknown_business"),
        (WATER, "1234567", "wrong_account"),
        (WATER, "123456789", "wrong_account"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_bill_is_paid_to_a_biller_under_a_whole_account_number(
    world: World, business: Business, account: str, outcome: str
) -> None:
    service = PayService(world.teller)
    asked: Args = {"business": business.number, "account": account, "amount": kes(1_200)}

    assert service.quote_bill(call(asked)).outcome == outcome
    assert service.pay_bill(call({**asked, "fee": kes(10)}, pin="4826")).outcome == outcome
    assert len(world.ledger.works) == (outcome == "ok")


@pytest.mark.parametrize(
    ("business", "outcome"),
    [
        (HARDWARE, "ok"),
        (WATER, "unknown_till"),
        (STORE, "unknown_till"),
        (TAMU, "unknown_till"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_goods_are_paid_at_a_merchants_till_and_no_other(
    world: World, business: Business, outcome: str
) -> None:
    service = PayService(world.teller)
    asked: Args = {"business": business.number, "amount": kes(750)}

    assert service.quote_goods(call(asked)).outcome == outcome
    assert service.buy_goods(call({**asked, "fee": kes(0)}, pin="4826")).outcome == outcome


def test_a_quote_names_business_fee_and_total_and_no_balance(world: World) -> None:
    answer = PayService(world.teller).quote_bill(
        call({"business": WATER.number, "account": "12345678", "amount": kes(1_200)})
    )
    assert answer.values == {"name": "Maji Water", "fee": kes(10), "total": kes(1_210)}


def test_nobody_pays_without_being_registered(world: World) -> None:
    service = PayService(world.teller)
    asked: Args = {"business": HARDWARE.number, "amount": kes(750)}

    assert service.quote_goods(call(asked, msisdn=STRANGER)).outcome == "not_registered"
    paid = service.buy_goods(call({**asked, "fee": kes(0)}, msisdn=STRANGER, pin="4826"))
    assert paid.outcome == "not_registered"


def test_a_bill_paid_twice_under_one_key_is_paid_once(world: World) -> None:
    service = PayService(world.teller)
    asked: Args = {"business": WATER.number, "account": "12345678", "amount": kes(1_200)}
    paid = call({**asked, "fee": kes(10)}, pin="4826")

    assert service.pay_bill(paid) == service.pay_bill(paid)
    assert world.ledger.balance(AMINA.wallet_id) == kes(3_790)
