"""Content on the phone bill: nothing is posted before the charge, then 1120 and 2120 only."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.services.cast import AMINA, RIGHT, TAMU, WATER, WRONG, barred, book, house, kes
from tests.services.stand_in import Args, ScriptedCarrier, World, call, with_pin
from ussd_gateway.domain.book import Book, Purchase, PurchaseState
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Call, Standing, Supplied
from ussd_gateway.services.purchases.buy_content import (
    KIND,
    BuyContent,
    BuyContentService,
    Content,
    decide,
)
from ussd_gateway.services.terms.catalogue import Item

ARTICLE = Item("article", TAMU.number, "Article", kes(20))
CATALOGUE = {
    "article": ARTICLE,
    "water": Item("water", WATER.number, "Water", kes(20)),
    "closed": Item("closed", "700799", "Closed", kes(20)),
}
GOOD = BuyContent("k1", AMINA, TAMU, ARTICLE, kes(20), 1_000, RIGHT)
BOUGHT = Purchase("k1", KIND, AMINA.id, AMINA.msisdn, kes(20), TAMU.number, "Article", 1_000)

CHARGED = Supplied(Standing.DONE, "ch_1", "Succeeded")
WAITING = Supplied(Standing.PENDING, "ch_1", "Processing")
SILENCE = Supplied(Standing.UNKNOWN, None, "ReadTimeout")
DENIED = Supplied(Standing.REFUSED, None, "Denied")


def test_what_was_agreed_is_a_purchase_and_no_posting() -> None:
    decision = decide(GOOD, book())

    assert decision.outcome == "pending"
    assert decision.changes == (BOUGHT,)
    assert decision.posting is None
    assert decision.messages == ()


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, GOOD, book(replace(AMINA, active=False))),
    (Reason.PIN_LOCKED, GOOD, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=WRONG), book()),
    (Reason.UNKNOWN_BUSINESS, GOOD, barred(TAMU.account_id)),
    (Reason.FEE_CHANGED, replace(GOOD, price=kes(19)), book()),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_buys_nothing(
    reason: Reason, command: BuyContent, rows: Book
) -> None:
    decision = decide(command, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None
    assert decision.changes == ()


def test_reasons_are_checked_in_their_order() -> None:
    told = list(dict.fromkeys(reason for reason, _, _ in REFUSALS))
    assert told == [reason for reason in Reason if reason in told]


def test_who_has_nothing_in_the_wallet_can_buy_on_the_phone_bill() -> None:
    assert decide(GOOD, book(amina=0)).outcome == "pending"


def test_a_charge_is_posted_outside_the_ring_and_told_to_both() -> None:
    world, service, _ = _world(CHARGED)
    answer = service.buy(_asked())

    assert answer.outcome == "ok"
    assert answer.values == {"amount": kes(20), "name": "Article"}
    (posting,) = world.ledger.postings
    assert [(leg.account_id, leg.minor) for leg in posting.legs] == [
        (house(1120), 20_00),
        (TAMU.account_id, -20_00),
    ]
    assert [(told.to, told.template) for told in world.ledger.messages] == [
        (AMINA.msisdn, "content_bought"),
        (TAMU.msisdn, "content_received"),
    ]
    assert world.ledger.balance(AMINA.wallet_id) == kes(5_000)
    assert world.purchases.state("k1") is PurchaseState.DONE


@pytest.mark.parametrize("says", [WAITING, SILENCE], ids=["pending", "unknown"])
def test_what_nobody_knows_yet_is_neither_posted_nor_told(says: Supplied) -> None:
    world, service, _ = _world(says)

    assert service.buy(_asked()).outcome == "pending"
    assert world.ledger.postings == []
    assert world.ledger.messages == []
    assert world.purchases.state("k1") is PurchaseState.ASKED


def test_what_the_carrier_denies_is_told_and_not_posted() -> None:
    world, service, _ = _world(DENIED)

    assert service.buy(_asked()).outcome == "carrier_refused"
    assert world.ledger.postings == []
    assert world.ledger.templates == ["content_refused"]
    assert world.purchases.state("k1") is PurchaseState.REFUSED


def test_an_sms_of_a_late_charge_tells_when_it_was_bought() -> None:
    world, service, carrier = _world(SILENCE, found=[CHARGED])
    service.buy(_asked())
    bought_ms = world.purchases.rows["k1"].purchase.asked_at_ms
    world.clock.wait(3_600)
    assert world.fulfilment({KIND: Content(carrier, world.reads)}).follow_up() == 1

    assert world.ledger.works[-1].event_at_ms == bought_ms
    assert world.ledger.templates == ["content_bought", "content_received"]


def test_a_repeat_of_the_hop_is_charged_once() -> None:
    world, service, carrier = _world(CHARGED)
    service.buy(_asked())
    service.buy(_asked())

    assert carrier.heard == ["ask k1"]
    assert len(world.ledger.postings) == 1


def test_a_wrong_pin_is_never_charged() -> None:
    _, service, carrier = _world(CHARGED)

    assert service.buy(_asked(pin="1111")).outcome == "wrong_pin"
    assert carrier.heard == []


@pytest.mark.parametrize("item", ["water", "closed", "nothing"])
def test_only_what_a_content_merchant_sells_can_be_bought(item: str) -> None:
    """Neither a biller's, nor nobody's, nor what is in no catalogue."""
    _, service, _ = _world(CHARGED)

    assert service.quote(call({"item": item})).outcome == "unknown_business"


def test_a_quote_says_whose_it_is_and_what_it_costs() -> None:
    _, service, _ = _world(CHARGED)

    assert service.quote(call({"item": "article"})).values == {
        "name": "Article",
        "merchant": "Tamu Content",
        "price": kes(20),
    }


def test_what_is_in_no_catalogue_is_not_bought_and_a_stranger_buys_nothing() -> None:
    world, service, _ = _world(CHARGED)
    unknown: Args = {"item": "nothing", "price": kes(20)}
    article: Args = {"item": "article", "price": kes(20)}
    stranger = Msisdn("+254711000009")

    assert service.buy(call(unknown, pin="4826")).outcome == "unknown_business"
    bought = service.buy(call(article, msisdn=stranger, pin="4826"))
    assert bought.outcome == "not_registered"
    assert world.ledger.works == []


def _asked(pin: str = "4826") -> Call:
    return call({"item": "article", "price": kes(20)}, pin=pin)


def _world(
    says: Supplied, found: Sequence[Supplied] = ()
) -> tuple[World, BuyContentService, ScriptedCarrier]:
    world = World(book(with_pin(AMINA, "4826")))
    carrier = ScriptedCarrier(asked=says, found=found)
    fulfilment = world.fulfilment({KIND: Content(carrier, world.reads)})
    return world, BuyContentService(world.teller, fulfilment, CATALOGUE), carrier
