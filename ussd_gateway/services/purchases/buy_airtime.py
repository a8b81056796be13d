"""Airtime for one's own phone, out of the wallet.

    ordered    wallet -> airtime on order (ring)        the PIN's commit: receipt and SMS
    delivered  airtime on order -> out of the ring; the stock of airtime falls
    refused    airtime on order -> wallet               its own receipt and SMS

Between the two nobody knows, so the money waits where it can go either way.
"""

from dataclasses import dataclass
from datetime import date

from ussd_gateway.domain.accounts import (
    AIRTIME_ON_ORDER,
    AIRTIME_STOCK,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, Purchase, Subscriber
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.ports import Action, Answer, Call, Carrier, Effect, Scalar
from ussd_gateway.services.fees import in_force, price
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.purchases.fulfilment import Fulfilment, left_s
from ussd_gateway.services.spending import OVERSPENT, allowance, spent
from ussd_gateway.services.teller import (
    COUNT,
    MONEY,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    money,
    no,
    outcomes,
    pin_outcomes,
    tell,
)

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"airtime_bought", "airtime_returned"})
KIND = "airtime"  # also of its tariff


@dataclass(frozen=True, slots=True)
class BuyAirtime:
    """The command. `key` names the purchase."""

    key: str
    buyer: Subscriber
    amount: Money
    proof: Proof


def decide(command: BuyAirtime, prices: PriceBook, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda buyer: _judge(command, buyer, prices, limit, book),
        pays_from=command.buyer.wallet_id,
    )


def _judge(
    command: BuyAirtime, buyer: Subscriber, prices: PriceBook, limit: Limit, book: Book
) -> Accepted | Refused:
    amount = command.amount
    fee = price(amount, in_force(prices, KIND, book.today), limit)
    if isinstance(fee, Refused):
        return fee
    allowed = allowance(buyer, limit, book)
    over = allowed.refuses(amount)
    if over is not None:
        return Refused(over)
    wallet = book.accounts[buyer.wallet_id]
    if not wallet.takes(amount.minor):
        return Refused(Reason.LOW_BALANCE)

    seen: dict[str, Scalar] = {"amount": amount, "balance": wallet.balance - amount}
    on_order = house_id(AIRTIME_ON_ORDER, amount.currency)
    legs = (Leg(buyer.wallet_id, amount.minor), Leg(on_order, -amount.minor))
    # When it was decided: the date on which the limits count it, should it be given back.
    bought = Purchase(command.key, KIND, buyer.id, buyer.msisdn, amount, "", "", book.now_ms)
    told = {
        **seen,
        "fee": fee.total,
        "number": masked(buyer.msisdn),
        "left": allowed.left_today(amount),
    }
    return Accepted(
        seen,
        Posting("airtime", legs, prices.id),
        (tell(buyer, "airtime_bought", told),),
        (bought,),
        spent=spent(buyer, amount),
    )


@dataclass(frozen=True, slots=True)
class Airtime:
    """`fulfilment.Good`: what becomes of the money on order."""

    carrier: Carrier
    market: Market
    # Longer than the vendor's own 5 minutes, which begin when the order reaches it.
    repeat_ms: int = 330_000

    def account_ids(self, bought: Purchase, buyer: Subscriber) -> tuple[int, ...]:
        codes = (AIRTIME_ON_ORDER, AIRTIME_STOCK, DUE_FROM_TRUST, DUE_TO_OPERATING)
        house = (house_id(code, bought.amount.currency) for code in codes)
        return (buyer.wallet_id, *house)

    def comes_back_to(self, buyer: Subscriber) -> int | None:
        return buyer.wallet_id

    def event_ms(self, _bought: Purchase, now_ms: int) -> int:
        """The money comes back now."""
        return now_ms

    def settle(
        self, bought: Purchase, buyer: Subscriber, book: Book, *, done: bool
    ) -> Accepted:
        minor, currency = bought.amount.minor, bought.amount.currency
        on_order = Leg(house_id(AIRTIME_ON_ORDER, currency), minor)
        if done:
            legs = (
                on_order,
                Leg(house_id(DUE_TO_OPERATING, currency), -minor),
                Leg(house_id(DUE_FROM_TRUST, currency), minor),
                Leg(house_id(AIRTIME_STOCK, currency), -minor),
            )
            return Accepted({}, Posting("airtime_delivered", legs), outcome="delivered")

        balance = book.accounts[buyer.wallet_id].balance + bought.amount
        seen: dict[str, Scalar] = {"amount": bought.amount, "balance": balance}
        posting = Posting("airtime_returned", (on_order, Leg(buyer.wallet_id, -minor)))
        return Accepted(
            seen,
            posting,
            (tell(buyer, "airtime_returned", seen),),
            outcome=Reason.CARRIER_REFUSED.value,
            spent=spent(buyer, bought.amount, back_of=self._bought_on(bought)),
        )

    def _bought_on(self, bought: Purchase) -> date:
        return self.market.business_date(bought.asked_at_ms)


class BuyAirtimeService:
    """What a menu calls `airtime`."""

    def __init__(self, teller: Teller, fulfilment: Fulfilment) -> None:
        self._teller = teller
        self._fulfilment = fulfilment

    def quote(self, call: Call) -> Answer:
        """Whether that much can be bought at all. It costs what it is: its tariff is free."""
        buyer = self._teller.caller(call)
        if buyer is None:
            return no(Reason.NOT_REGISTERED)
        amount = money(call.args["amount"])
        tariff = in_force(self._teller.prices, KIND, self._teller.today())
        fee = price(amount, tariff, self._teller.limit(buyer))
        if isinstance(fee, Refused):
            return no(fee.reason)
        if self._fulfilment.repeated(KIND, buyer.msisdn, amount):
            return no(Reason.REPEATED)
        return Answer("ok", {"fee": fee.total, "total": amount + fee.total})

    def buy(self, call: Call) -> Answer:
        buyer = self._teller.caller(call)
        if buyer is None:
            return no(Reason.NOT_REGISTERED)

        began_ms, amount = self._teller.now_ms(), money(call.args["amount"])
        proof = self._teller.prove(buyer, call)
        command = BuyAirtime(call.key, buyer, amount, proof)
        limit = self._teller.limit(buyer)
        ordered = self._teller.commit(
            call,
            ("airtime", buyer.msisdn, amount),
            subscribers=(buyer.id,),
            accounts=(buyer.wallet_id, house_id(AIRTIME_ON_ORDER, amount.currency)),
            decide=lambda book: decide(command, self._teller.prices, limit, book),
        )
        if ordered.outcome != "ok":
            return ordered

        within_s = left_s(call, self._teller.now_ms() - began_ms)
        settled = self._fulfilment.ask(call.key, call.origin, within_s=within_s)
        if settled is None or settled.name == "delivered":
            return ordered
        return Answer(settled.name, settled.values)

    def actions(self) -> tuple[Action, ...]:
        bounds = (Reason.UNDER_MINIMUM, Reason.OVER_LIMIT)
        return (
            Action(
                "airtime.quote",
                Effect.READ,
                {"amount": MONEY},
                {"fee": MONEY, "total": MONEY},
                outcomes(Reason.NOT_REGISTERED, *bounds, Reason.REPEATED),
                takes_secret=False,
                run=self.quote,
            ),
            Action(
                "airtime",
                Effect.MONEY,
                {"amount": MONEY},
                {
                    "receipt": RECEIPT,
                    "amount": MONEY,
                    "balance": MONEY,
                    "tries_left": COUNT,
                },
                pin_outcomes(*bounds, *OVERSPENT, Reason.LOW_BALANCE, Reason.CARRIER_REFUSED),
                takes_secret=True,
                run=self.buy,
            ),
        )
