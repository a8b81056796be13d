"""Airtime: the order, what becomes of its money, and what the buyer is told of it."""

from dataclasses import replace

import pytest

from tests.services.cast import AMINA, LIMIT, RIGHT, TARIFFS, WRONG, book, house, kes
from tests.services.stand_in import (
    Args,
    ScriptedCarrier,
    World,
    call,
    with_pin,
)
from ussd_gateway.domain.book import Book, Purchase, PurchaseState
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Standing, Supplied
from ussd_gateway.services.buy_airtime import (
    KIND,
    Airtime,
    BuyAirtime,
    BuyAirtimeService,
    decide,
)

TARIFF = TARIFFS["airtime"]
GOOD = BuyAirtime("k1", AMINA, kes(100), 1_000, RIGHT)
BOUGHT = Purchase("k1", KIND, AMINA.id, AMINA.msisdn, kes(100), "", "", 1_000)

SENT = Supplied(Standing.PENDING, "ATQid_1", "Sent")
DONE = Supplied(Standing.DONE, "ATQid_1", "Success")
REFUSED = Supplied(Standing.REFUSED, None, "Failed")


def test_an_order_moves_the_price_to_where_it_can_go_either_way() -> None:
    decision = decide(GOOD, TARIFF, LIMIT, book())

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (AMINA.wallet_id, 100_00),
        (house(2421), -100_00),
    ]
    assert decision.changes == (BOUGHT,)
    assert [told.template for told in decision.messages] == ["airtime_bought"]
    assert decision.values == {"amount": kes(100), "balance": kes(4_900)}


def test_what_is_delivered_leaves_the_ring_and_the_stock_and_is_told_to_nobody_again() -> None:
    settled = Airtime(_carrier(SENT)).settle(BOUGHT, AMINA, book(), done=True)

    assert settled.outcome == "delivered"
    assert settled.posting is not None
    assert [(leg.account_id, leg.minor) for leg in settled.posting.legs] == [
        (house(2421), 100_00),
        (house(2440), -100_00),
        (house(1320), 100_00),
        (house(1210), -100_00),
    ]
    assert settled.messages == ()


def test_what_is_refused_goes_back_to_the_wallet_and_is_told() -> None:
    settled = Airtime(_carrier(SENT)).settle(BOUGHT, AMINA, book(), done=False)

    assert settled.outcome == "carrier_refused"
    assert settled.posting is not None
    assert [(leg.account_id, leg.minor) for leg in settled.posting.legs] == [
        (house(2421), 100_00),
        (AMINA.wallet_id, -100_00),
    ]
    assert [(told.template, told.params["balance"]) for told in settled.messages] == [
        ("airtime_returned", kes(5_100))
    ]


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, GOOD, book(replace(AMINA, active=False))),
    (Reason.PIN_LOCKED, GOOD, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=WRONG), book()),
    (Reason.UNDER_MINIMUM, replace(GOOD, amount=Money(4_99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(GOOD, amount=kes(10_001)), book(amina=20_000)),
    (Reason.LOW_BALANCE, GOOD, book(amina=99)),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_orders_nothing(
    reason: Reason, command: BuyAirtime, rows: Book
) -> None:
    decision = decide(command, TARIFF, LIMIT, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None
    assert decision.changes == ()
    assert decision.messages == ()


def test_reasons_are_checked_in_their_order() -> None:
    told = [reason for reason, _, _ in REFUSALS]
    assert told == [reason for reason in Reason if reason in told]


def test_the_last_shilling_buys_airtime() -> None:
    assert decide(GOOD, TARIFF, LIMIT, book(amina=100)).outcome == "ok"


@pytest.mark.parametrize(
    ("says", "outcome", "left", "state"),
    [
        (DONE, "ok", 4_900, PurchaseState.DONE),
        (SENT, "ok", 4_900, PurchaseState.ASKED),
        (Supplied(Standing.UNKNOWN, None, "timeout"), "ok", 4_900, PurchaseState.ASKED),
        (REFUSED, "carrier_refused", 5_000, PurchaseState.REFUSED),
    ],
    ids=["done", "pending", "unknown", "refused"],
)
def test_only_a_refusal_for_good_gives_the_money_back(
    says: Supplied, outcome: str, left: int, state: PurchaseState
) -> None:
    world, service, carrier = _world(says)
    answer = service.buy(call({"amount": kes(100)}, pin="4826"))

    assert answer.outcome == outcome
    assert world.ledger.balance(AMINA.wallet_id) == kes(left)
    assert world.purchases.state("k1") is state
    assert carrier.heard == ["ask k1"]


def test_a_repeat_of_the_hop_orders_once_and_asks_once() -> None:
    world, service, carrier = _world(SENT)
    bought = call({"amount": kes(100)}, pin="4826")

    assert service.buy(bought) == service.buy(bought)
    assert world.ledger.balance(AMINA.wallet_id) == kes(4_900)
    assert carrier.heard == ["ask k1"]


def test_what_is_refused_at_the_counter_is_not_asked_for() -> None:
    world, service, carrier = _world(DONE)

    assert service.buy(call({"amount": kes(100)}, pin="1111")).outcome == "wrong_pin"
    assert carrier.heard == []
    assert world.purchases.rows == {}


def test_the_same_is_not_sold_again_while_its_vendor_takes_it_for_a_repeat() -> None:
    world, service, carrier = _world(DONE)
    repeat_s = Airtime(carrier).repeat_ms / 1000
    quote = call({"amount": kes(100)})
    assert service.quote(quote).values == {"fee": kes(0), "total": kes(100)}

    service.buy(call({"amount": kes(100)}, pin="4826"))
    world.clock.wait(repeat_s - 1)
    assert service.quote(quote).outcome == "repeated"
    assert service.quote(call({"amount": kes(101)})).outcome == "ok"
    world.clock.wait(1)
    assert service.quote(quote).outcome == "ok"


@pytest.mark.parametrize(
    ("says", "outcome"),
    [(REFUSED, "ok"), (Supplied(Standing.REFUSED, "ATQid_1", "Failed"), "repeated")],
    ids=["not taken", "taken first and failed later"],
)
def test_what_the_vendor_never_took_can_be_tried_again_at_once(
    says: Supplied, outcome: str
) -> None:
    _, service, _ = _world(says)
    service.buy(call({"amount": kes(100)}, pin="4826"))

    assert service.quote(call({"amount": kes(100)})).outcome == outcome


def test_the_same_from_two_sessions_that_were_quoted_both_is_ordered_once() -> None:
    world, service, carrier = _world(SENT)
    asked: Args = {"amount": kes(100)}
    first = service.buy(call(asked, key="k1", pin="4826"))
    second = service.buy(call(asked, key="k2", pin="4826"))

    assert (first.outcome, second.outcome) == ("ok", "carrier_refused")
    assert carrier.heard == ["ask k1"]
    assert world.ledger.balance(AMINA.wallet_id) == kes(4_900)


def test_a_stranger_is_sold_nothing() -> None:
    _, service, _ = _world(DONE)
    asked = call({"amount": kes(100)}, msisdn=Msisdn("+254711000009"), pin="4826")

    assert service.quote(asked).outcome == "not_registered"
    assert service.buy(asked).outcome == "not_registered"


def _carrier(says: Supplied) -> ScriptedCarrier:
    return ScriptedCarrier(asked=says)


def _world(says: Supplied) -> tuple[World, BuyAirtimeService, ScriptedCarrier]:
    world, carrier = World(book(with_pin(AMINA, "4826"))), _carrier(says)
    fulfilment = world.fulfilment({KIND: Airtime(carrier)})
    return world, BuyAirtimeService(world.teller, fulfilment), carrier
