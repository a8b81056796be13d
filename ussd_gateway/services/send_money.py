"""Send money from one wallet to another: a quote first, then PIN and money in one command.

    quote:  name, fee and total, read without a lock, shown on the commit screen
    send:   plan (ids, proof) -> decide, under the lock: PIN, payee, fee, floor, cap -> postings

The fee that was shown comes back with the command. Should the tariff have changed meanwhile,
the payment is refused, and nobody pays what they did not see.
"""

from dataclasses import dataclass

from ussd_gateway.domain.accounts import TRANSFER_FEES
from ussd_gateway.domain.book import Book, Decision, Subscriber
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Fee, PriceBook
from ussd_gateway.ports import Action, Answer, Call, Effect, Scalar
from ussd_gateway.services.fees import agreed, fee_accounts, fee_legs, in_force, price
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.spending import OVERSPENT, allowance, spent
from ussd_gateway.services.teller import (
    COUNT,
    ID,
    MONEY,
    MSISDN,
    NAME,
    NOBODY,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    money,
    no,
    number,
    outcomes,
    pin_outcomes,
    tell,
)

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"sent", "received"})
# What it costs (menus/tariffs).
SERVICE = "send"


@dataclass(frozen=True, slots=True)
class SendMoney:
    """The command: what the sender saw and agreed to."""

    sender: Subscriber
    payee: Subscriber
    amount: Money
    fee: Money  # as it was shown
    proof: Proof


def decide(command: SendMoney, prices: PriceBook, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda sender: _judge(command, sender, prices, limit, book),
        pays_from=command.sender.wallet_id,
    )


def _judge(
    command: SendMoney, sender: Subscriber, prices: PriceBook, limit: Limit, book: Book
) -> Accepted | Refused:
    payee = book.subscribers[command.payee.id]
    if payee.id == sender.id:
        return Refused(Reason.OWN_NUMBER)
    if not payee.active or payee.msisdn != command.payee.msisdn:
        return Refused(Reason.UNKNOWN_PAYEE)
    if not book.accounts[payee.wallet_id].status.takes_in:
        return Refused(Reason.UNKNOWN_PAYEE)
    allowed = allowance(sender, limit, book)
    tariff = in_force(prices, SERVICE, book.today)
    fee = agreed(command.amount, tariff, allowed, shown=command.fee)
    if isinstance(fee, Refused):
        return fee
    if not book.accounts[payee.wallet_id].takes(-command.amount.minor):
        return Refused(Reason.PAYEE_FULL)
    if not book.accounts[sender.wallet_id].takes((command.amount + fee.total).minor):
        return Refused(Reason.LOW_BALANCE)
    left = allowed.left_today(command.amount)
    return _accept(
        command.amount, sender, payee, fee=fee, left=left, price_book_id=prices.id, book=book
    )


def _accept(
    amount: Money,
    sender: Subscriber,
    payee: Subscriber,
    *,
    fee: Fee,
    left: Money,
    price_book_id: str,
    book: Book,
) -> Accepted:
    total = amount + fee.total
    seen: dict[str, Scalar] = {
        "amount": amount,
        "fee": fee.total,
        "name": payee.name,
        "balance": book.accounts[sender.wallet_id].balance - total,
    }
    got: dict[str, Scalar] = {
        "amount": amount,
        "name": sender.name,
        "number": masked(sender.msisdn),
        "balance": book.accounts[payee.wallet_id].balance + amount,
    }
    legs = (
        Leg(sender.wallet_id, total.minor),
        Leg(payee.wallet_id, -amount.minor),
        *fee_legs(fee, TRANSFER_FEES),
    )
    return Accepted(
        {**seen, "number": payee.msisdn},
        Posting("send_money", legs, price_book_id),
        (
            tell(sender, "sent", {**seen, "number": masked(payee.msisdn), "left": left}),
            tell(payee, "received", got),
        ),
        spent=spent(sender, amount),
    )


class SendMoneyService:
    """Binds the use case to the doors, and to what a menu calls `send_money`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def quote(self, call: Call) -> Answer:
        """What it would cost, and who would get it. Says nothing of the sender's balance."""
        sender_number, to = call.origin.msisdn, number(call.args["to"])
        amount = money(call.args["amount"])
        people = self._teller.reads.subscribers(sender_number, to)
        if to == sender_number:
            return no(Reason.OWN_NUMBER)
        sender, payee = people.get(sender_number), people.get(to)
        if sender is None:
            return no(Reason.NOT_REGISTERED)
        takes_in = self._teller.reads.takes_in(payee.wallet_id if payee else NOBODY)
        if payee is None or not payee.active or not takes_in:
            return no(Reason.UNKNOWN_PAYEE)
        tariff = in_force(self._teller.prices, SERVICE, self._teller.today())
        fee = price(amount, tariff, self._teller.limit(sender))
        if isinstance(fee, Refused):
            return no(fee.reason)

        return Answer(
            "ok",
            {
                "name": payee.name,
                "fee": fee.total,
                "total": amount + fee.total,
                "payee": str(payee.id),
            },
        )

    def send(self, call: Call) -> Answer:
        """The payment, once for each key. The PIN is proved here and goes no further."""
        to, amount, fee = (call.args[name] for name in ("to", "amount", "fee"))
        people = self._teller.reads.subscribers(call.origin.msisdn, number(to))
        sender, payee = people.get(call.origin.msisdn), people.get(number(to))
        if sender is None:
            return no(Reason.NOT_REGISTERED)
        if payee is None or str(payee.id) != call.args["payee"]:
            return no(Reason.UNKNOWN_PAYEE)

        proof = self._teller.prove(sender, call)
        command = SendMoney(sender, payee, money(amount), money(fee), proof)
        limit = self._teller.limit(sender)
        house = fee_accounts(TRANSFER_FEES, self._teller.market.currency)
        return self._teller.commit(
            call,
            ("send_money", sender.msisdn, to, amount, fee),
            subscribers=(sender.id, payee.id),
            accounts=(sender.wallet_id, payee.wallet_id, *house),
            decide=lambda book: decide(command, self._teller.prices, limit, book),
        )

    def actions(self) -> tuple[Action, ...]:
        quote = Action(
            "send_money.quote",
            Effect.READ,
            takes={"to": MSISDN, "amount": MONEY},
            gives={"name": NAME, "fee": MONEY, "total": MONEY, "payee": ID},
            outcomes=outcomes(
                Reason.NOT_REGISTERED,
                Reason.OWN_NUMBER,
                Reason.UNKNOWN_PAYEE,
                Reason.UNDER_MINIMUM,
                Reason.OVER_LIMIT,
            ),
            takes_secret=False,
            run=self.quote,
        )
        send = Action(
            "send_money",
            Effect.MONEY,
            takes={"to": MSISDN, "amount": MONEY, "fee": MONEY, "payee": ID},
            gives={
                "receipt": RECEIPT,
                "amount": MONEY,
                "fee": MONEY,
                "name": NAME,
                "number": MSISDN,
                "balance": MONEY,
                "tries_left": COUNT,
            },
            outcomes=pin_outcomes(
                Reason.OWN_NUMBER,
                Reason.UNKNOWN_PAYEE,
                Reason.UNDER_MINIMUM,
                Reason.OVER_LIMIT,
                *OVERSPENT,
                Reason.FEE_CHANGED,
                Reason.PAYEE_FULL,
                Reason.LOW_BALANCE,
            ),
            takes_secret=True,
            run=self.send,
        )
        return quote, send
