"""Somebody who is barred is asked about in the books just as somebody who is not there: neither
what is answered nor how often was looked tells them apart."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from tests.services.cast import AMINA, HARDWARE, JUMA, STORE, TAMU, WANJIRU, WATER, book, kes
from tests.services.stand_in import Args, InMemoryReads, World, call
from ussd_gateway.domain.book import Business, Movement, Status, Subscriber
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, Call
from ussd_gateway.services.cash import CashService
from ussd_gateway.services.pay import PayService
from ussd_gateway.services.purchases.buy_content import BuyContentService
from ussd_gateway.services.send_money import SendMoneyService
from ussd_gateway.services.teller import Teller
from ussd_gateway.services.terms.catalogue import Item

NOBODYS = Msisdn("+254711000009")
CATALOGUE = {
    "article": Item("article", TAMU.number, "Article", kes(20)),
    "gone": Item("gone", "700799", "Gone", kes(20)),
}


class Counting:
    """`ports.Reads`, and the name of each look."""

    def __init__(self, reads: InMemoryReads) -> None:
        self.looks: list[str] = []
        self._reads = reads

    def subscribers(self, *msisdns: Msisdn) -> Mapping[Msisdn, Subscriber]:
        self.looks.append("subscribers")
        return self._reads.subscribers(*msisdns)

    def business(self, number: str) -> Business | None:
        self.looks.append("business")
        return self._reads.business(number)

    def workplace(self, subscriber_id: int) -> Business | None:
        self.looks.append("workplace")
        return self._reads.workplace(subscriber_id)

    def takes_in(self, account_id: int) -> bool:
        self.looks.append("takes_in")
        return self._reads.takes_in(account_id)

    def has_room(self, account_id: int, amount: Money) -> bool:
        self.looks.append("has_room")
        return self._reads.has_room(account_id, amount)

    def movements(self, account_id: int, *, count_max: int) -> Sequence[Movement]:
        self.looks.append("movements")
        return self._reads.movements(account_id, count_max=count_max)

    def business_language(self, msisdn: Msisdn) -> str | None:
        self.looks.append("business_language")
        return self._reads.business_language(msisdn)

    def asked_by_sms(self, msisdn: Msisdn, *, since_ms: int) -> int:
        self.looks.append("asked_by_sms")
        return self._reads.asked_by_sms(msisdn, since_ms=since_ms)

    def last_answered(self, msisdn: Msisdn, outcome: str, *, since_ms: int) -> Answer | None:
        self.looks.append("last_answered")
        return self._reads.last_answered(msisdn, outcome, since_ms=since_ms)


Quote = Callable[[Teller, Call], Answer]

TO_JUMA: Args = {"to": JUMA.msisdn, "amount": kes(500)}
FOR_AMINA: Args = {"customer_number": AMINA.msisdn, "amount": kes(500)}
AT_TILL: Args = {"business": HARDWARE.number, "amount": kes(500)}
BILL: Args = {"business": WATER.number, "account": "12345678", "amount": kes(500)}
CASH: Args = {"till": STORE.number, "amount": kes(500)}


def _content(teller: Teller, asked: Call) -> Answer:
    fulfilment = World(book()).fulfilment({})
    return BuyContentService(teller, fulfilment, CATALOGUE).quote(asked)


@pytest.mark.parametrize(
    ("quote", "barred", "args", "absent"),
    [
        (
            lambda teller, asked: SendMoneyService(teller).quote(asked),
            JUMA.wallet_id,
            TO_JUMA,
            {"to": NOBODYS},
        ),
        (
            lambda teller, asked: CashService(teller).quote_deposit(asked),
            AMINA.wallet_id,
            FOR_AMINA,
            {"customer_number": NOBODYS},
        ),
        (
            lambda teller, asked: CashService(teller).quote_withdrawal(asked),
            STORE.account_id,
            CASH,
            {"till": "999999"},
        ),
        (
            lambda teller, asked: PayService(teller).quote_goods(asked),
            HARDWARE.account_id,
            AT_TILL,
            {"business": "999999"},
        ),
        (
            lambda teller, asked: PayService(teller).biller(asked),
            WATER.account_id,
            BILL,
            {"business": "999999"},
        ),
        (
            lambda teller, asked: PayService(teller).quote_bill(asked),
            WATER.account_id,
            BILL,
            {"business": "999999"},
        ),
        (_content, TAMU.account_id, {"item": "article"}, {"item": "gone"}),
    ],
    ids=["send", "deposit", "withdraw", "till", "biller", "bill", "content"],
)
@pytest.mark.parametrize("status", [each for each in Status if not each.takes_in])
def test_a_quote_for_one_who_is_barred_is_one_for_nobody(
    quote: Quote, barred: int, args: Args, absent: Args, status: Status
) -> None:
    world = World(book())
    by = WANJIRU if "customer_number" in args else AMINA

    def asked(args: Args) -> tuple[Answer, list[str]]:
        reads = Counting(world.reads)
        teller = Teller(
            reads,
            world.ledger,
            world.teller.verifier,
            world.clock,
            world.teller.market,
            world.teller.prices,
            world.teller.limits,
        )
        return quote(teller, call(args, msisdn=by.msisdn)), reads.looks

    there, _ = asked(args)
    assert there.outcome == "ok"

    world.ledger.accounts[barred].status = status
    assert asked(args) == asked({**args, **absent})
