"""Content on the phone bill: the carrier charges, and our books follow once it has.

    agreed   the PIN's commit: nothing is posted, as nobody was charged yet
    charged  1120 phone bills -> 2120 content merchant
    refused  nothing

None of it touches the trust ring: what is charged to a phone never becomes e-money.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.accounts import PHONE_BILLS, house_id
from ussd_gateway.domain.book import Book, Business, Decision, Purchase, Subscriber, Trade
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import Action, Answer, Call, Carrier, Effect, Reads, Scalar
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.purchases.fulfilment import PENDING, Fulfilment, left_s
from ussd_gateway.services.teller import (
    COUNT,
    ID,
    MONEY,
    NAME,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    money,
    no,
    outcomes,
    pin_outcomes,
    tell,
    text,
)
from ussd_gateway.services.terms.catalogue import ITEMS_MAX, Item

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"content_bought", "content_received", "content_refused"})
KIND = "content"


@dataclass(frozen=True, slots=True)
class BuyContent:
    """The command. `key` names the purchase."""

    key: str
    buyer: Subscriber
    merchant: Business
    item: Item
    price: Money  # as it was shown
    at_ms: int
    proof: Proof


def decide(command: BuyContent, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(command.proof, book, lambda buyer: _judge(command, buyer, book))


def _judge(command: BuyContent, buyer: Subscriber, book: Book) -> Accepted | Refused:
    item = command.item
    if not book.accounts[command.merchant.account_id].status.takes_in:
        return Refused(Reason.UNKNOWN_BUSINESS)
    if item.price != command.price:
        return Refused(Reason.FEE_CHANGED)

    seen: dict[str, Scalar] = {"amount": item.price, "name": item.name}
    bought = Purchase(
        command.key,
        KIND,
        buyer.id,
        buyer.msisdn,
        item.price,
        item.merchant,
        item.name,
        command.at_ms,
    )
    return Accepted(seen, changes=(bought,), outcome=PENDING)


@dataclass(frozen=True, slots=True)
class Content:
    """`fulfilment.Good`: what the books keep of a charge."""

    carrier: Carrier
    reads: Reads
    repeat_ms: int = 0

    def account_ids(self, bought: Purchase, _buyer: Subscriber) -> tuple[int, ...]:
        bills = house_id(PHONE_BILLS, bought.amount.currency)
        return (self._merchant(bought).account_id, bills)

    def comes_back_to(self, _buyer: Subscriber) -> int | None:
        return None

    def event_ms(self, bought: Purchase, _now_ms: int) -> int:
        """Whenever it is told: it was bought then."""
        return bought.asked_at_ms

    def settle(
        self, bought: Purchase, buyer: Subscriber, book: Book, *, done: bool
    ) -> Accepted:
        amount, item = bought.amount, bought.item
        seen: dict[str, Scalar] = {"amount": amount, "name": item}
        if not done:
            told = tell(buyer, "content_refused", seen)
            return Accepted(seen, messages=(told,), outcome=Reason.CARRIER_REFUSED.value)

        merchant = self._merchant(bought)
        legs = (
            Leg(house_id(PHONE_BILLS, amount.currency), amount.minor),
            Leg(merchant.account_id, -amount.minor),
        )
        owed = book.accounts[merchant.account_id].balance + amount
        return Accepted(
            seen,
            Posting("content", legs),
            (
                tell(buyer, "content_bought", {**seen, "merchant": merchant.name}),
                tell(merchant, "content_received", {**seen, "balance": owed}),
            ),
        )

    def _merchant(self, bought: Purchase) -> Business:
        found = self.reads.business(bought.merchant)
        assert found is not None, "a merchant's number is never given up"
        return found


class BuyContentService:
    """What a menu calls `content`."""

    def __init__(
        self, teller: Teller, fulfilment: Fulfilment, catalogue: Mapping[str, Item]
    ) -> None:
        self._teller = teller
        self._fulfilment = fulfilment
        self._catalogue = catalogue

    def offered(self, _call: Call) -> Answer:
        """All that there is to buy, as it stands in the file."""
        rows: tuple[Mapping[str, Scalar], ...] = tuple(
            {"item": item.code, "name": item.name, "price": item.price}
            for item in self._catalogue.values()
        )
        return Answer("ok", {}, rows)

    def quote(self, call: Call) -> Answer:
        """What it is, whose, and what it adds to the phone bill."""
        item = self._catalogue.get(text(call.args["item"]))
        if item is None:
            return no(Reason.UNKNOWN_BUSINESS)
        merchant = self._teller.open_business(item.merchant, Trade.CONTENT)
        if merchant is None:
            return no(Reason.UNKNOWN_BUSINESS)
        return Answer("ok", {"name": item.name, "merchant": merchant.name, "price": item.price})

    def buy(self, call: Call) -> Answer:
        buyer = self._teller.caller(call)
        item = self._catalogue.get(text(call.args["item"]))
        if buyer is None:
            return no(Reason.NOT_REGISTERED)
        if item is None:
            return no(Reason.UNKNOWN_BUSINESS)
        merchant = self._teller.business(item.merchant, Trade.CONTENT)
        if merchant is None:
            return no(Reason.UNKNOWN_BUSINESS)

        began_ms, price = self._teller.now_ms(), money(call.args["price"])
        proof = self._teller.prove(buyer, call)
        command = BuyContent(call.key, buyer, merchant, item, price, began_ms, proof)
        agreed = self._teller.commit(
            call,
            ("content", buyer.msisdn, item.code, price),
            subscribers=(buyer.id,),
            accounts=(merchant.account_id,),
            # Not later than what settles it, which stands behind it in the books (ports.Truth).
            at_ms=began_ms,
            decide=lambda book: decide(command, book),
        )
        if agreed.outcome != PENDING:
            return agreed

        within_s = left_s(call, self._teller.now_ms() - began_ms)
        settled = self._fulfilment.ask(call.key, call.origin, within_s=within_s)
        return Answer(settled.name, settled.values) if settled else agreed

    def actions(self) -> tuple[Action, ...]:
        return (
            Action(
                "content.offered",
                Effect.READ,
                {},
                {},
                outcomes(),
                takes_secret=False,
                run=self.offered,
                rows={"item": ID, "name": NAME, "price": MONEY},
                rows_max=ITEMS_MAX,
            ),
            Action(
                "content.quote",
                Effect.READ,
                {"item": ID},
                {"name": NAME, "merchant": NAME, "price": MONEY},
                outcomes(Reason.UNKNOWN_BUSINESS),
                takes_secret=False,
                run=self.quote,
            ),
            Action(
                "content",
                Effect.MONEY,
                {"item": ID, "price": MONEY},
                {"receipt": RECEIPT, "amount": MONEY, "name": NAME, "tries_left": COUNT},
                pin_outcomes(
                    Reason.UNKNOWN_BUSINESS, Reason.FEE_CHANGED, Reason.CARRIER_REFUSED
                )
                | {PENDING},
                takes_secret=True,
                run=self.buy,
                moves=frozenset({"ok", PENDING}),
            ),
        )
