"""Airtime: the order, what becomes of its money, and what the buyer is told of it."""

from dataclasses import replace

import pytest

from tests.services.cast import (
    AMINA,
    LIMIT,
    NOW_MS,
    PRICES,
    RIGHT,
    TODAY,
    WRONG,
    barred,
    book,
    house,
    kes,
    used,
)
from tests.services.stand_in import (
    MARKET,
    Args,
    ScriptedCarrier,
    World,
    call,
    with_pin,
)
from ussd_gateway.domain.book import Book, Purchase, PurchaseState, Spent
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Standing, Supplied
from ussd_gateway.services.purchases.buy_airtime import (
    KIND,
    Airtime,
    BuyAirtime,
    BuyAirtimeService,
    decide,
)

GOOD = BuyAirtime("k1", AMINA, kes(100), RIGHT)
BOUGHT = Purchase("k1", KIND, AMINA.id, AMINA.msisdn, kes(100), "", "", NOW_MS)

SENT = Supplied(Standing.PENDING, "ATQid_1", "Sent")
DONE = Supplied(Standing.DONE, "ATQid_1", "Success")
REFUSED = Supplied(Standing.REFUSED, None, "Failed")


def test_an_order_moves_the_price_to_where_it_can_go_either_way() -> None:
    decision = decide(GOOD, PRICES, LIMIT, book())

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
    settled = Airtime(_carrier(SENT), MARKET).settle(BOUGHT, AMINA, book(), done=True)

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
    settled = Airtime(_carrier(SENT), MARKET).settle(BOUGHT, AMINA, book(), done=False)

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
    (Reason.ACCOUNT_BLOCKED, GOOD, barred(AMINA.wallet_id)),
    (Reason.PIN_LOCKED, GOOD, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=WRONG), book()),
    (Reason.UNDER_MINIMUM, replace(GOOD, amount=Money(4_99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(GOOD, amount=kes(10_001)), book(amina=20_000)),
    (Reason.OVER_DAY, GOOD, used(day=499_901)),
    (Reason.OVER_MONTH, GOOD, used(month=2_999_901)),
    (Reason.OVER_OWN_CAP, GOOD, book(replace(AMINA, cap_payment=99_99))),
    (Reason.LOW_BALANCE, GOOD, book(amina=99)),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_orders_nothing(
    reason: Reason, command: BuyAirtime, rows: Book
) -> None:
    decision = decide(command, PRICES, LIMIT, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None
    assert decision.changes == ()
    assert decision.messages == ()


def test_reasons_are_checked_in_their_order() -> None:
    told = list(dict.fromkeys(reason for reason, _, _ in REFUSALS))
    assert told == [reason for reason in Reason if reason in told]


def test_the_last_shilling_buys_airtime() -> None:
    assert decide(GOOD, PRICES, LIMIT, book(amina=100)).outcome == "ok"


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
    repeat_s = Airtime(carrier, MARKET).repeat_ms / 1000
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


@pytest.mark.parametrize(
    ("says", "counted"),
    [(DONE, 100), (SENT, 100), (REFUSED, 0)],
    ids=["done", "open", "refused"],
)
def test_limits_count_what_was_ordered_until_it_comes_back(
    says: Supplied, counted: int
) -> None:
    world, service, _ = _world(says)
    service.buy(call({"amount": kes(100)}, pin="4826"))

    used = world.ledger.accounts[AMINA.wallet_id].used.at(TODAY)
    assert (used.day, used.month) == (counted * 100, counted * 100)


@pytest.mark.parametrize("waits_s", [86_400, 12 * 86_400], ids=["next day", "next month"])
def test_what_comes_back_on_another_day_gives_nothing_of_that_day_back(waits_s: int) -> None:
    world, service, carrier = _world(SENT)
    service.buy(call({"amount": kes(100)}, key="k1", pin="4826"))
    world.clock.wait(waits_s)
    service.buy(call({"amount": kes(50)}, key="k2", pin="4826"))
    bought = world.purchases.rows["k1"].purchase
    settled = Airtime(carrier, MARKET).settle(
        bought, AMINA, Book(world.ledger.people, world.ledger.accounts), done=False
    )

    assert settled.spent == Spent(AMINA.wallet_id, 100_00, back_of=TODAY)
    used = world.ledger.accounts[AMINA.wallet_id].used
    back = used.minus(settled.spent.minor, spent_on=TODAY)
    assert (back.day, back.month) == (50_00, 50_00)


def test_a_stranger_is_sold_nothing() -> None:
    _, service, _ = _world(DONE)
    asked = call({"amount": kes(100)}, msisdn=Msisdn("+254711000009"), pin="4826")

    assert service.quote(asked).outcome == "not_registered"
    assert service.buy(asked).outcome == "not_registered"


def _carrier(says: Supplied) -> ScriptedCarrier:
    return ScriptedCarrier(asked=says)


def _world(says: Supplied) -> tuple[World, BuyAirtimeService, ScriptedCarrier]:
    world, carrier = World(book(with_pin(AMINA, "4826"))), _carrier(says)
    fulfilment = world.fulfilment({KIND: Airtime(carrier, MARKET)})
    return world, BuyAirtimeService(world.teller, fulfilment), carrier
