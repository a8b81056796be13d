"""Send money from one wallet to another: a quote first, then PIN and money in one command.

    quote:  name, fee and total, read without a lock, shown on the commit screen
    send:   plan (ids, proof) -> decide, under the lock: PIN, payee, fee, floor, cap -> postings

The fee that was shown comes back with the command. Should the tariff have changed meanwhile,
the payment is refused, and nobody pays what they did not see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from ussd_gateway.domain.accounts import (
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    TRANSFER_FEES,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, Message, PinCount, Subscriber, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn, masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Fee, Tariff
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Action,
    Answer,
    Call,
    Clock,
    Effect,
    Ledger,
    PinVerifier,
    Reads,
    VarType,
)
from ussd_gateway.services.pins import Proof, count, judged, prove, refuse, refuse_pin

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"sent", "received"})

MSISDN, MONEY, ID = VarType("msisdn"), VarType("money"), VarType("id")
NAME, RECEIPT, COUNT = VarType("text", 20), VarType("text", 10), VarType("count")


@dataclass(frozen=True, slots=True)
class SendMoney:
    """The command: what the sender saw and agreed to."""

    sender: Subscriber
    payee: Subscriber
    amount: Money
    fee: Money  # as it was shown
    proof: Proof


def decide(command: SendMoney, tariff: Tariff, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`; the PIN's count is kept whatever the answer."""
    sender, tried = judged(command.proof, book)
    if not sender.active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    if tried.refused is not None:
        return refuse_pin(sender, tried)

    pin = count(sender, tried)
    fee = _fee_or_refusal(command, tariff, book)
    if isinstance(fee, Refused):
        return refuse(fee, pin)
    return _accept(command, fee, tariff.id, book, pin)


def _fee_or_refusal(command: SendMoney, tariff: Tariff, book: Book) -> Fee | Refused:
    """The fee of a payment that can be made, or the first reason why it cannot."""
    sender, payee = book.subscribers[command.sender.id], book.subscribers[command.payee.id]
    if payee.id == sender.id:
        return Refused(Reason.OWN_NUMBER)
    if not payee.active or payee.msisdn != command.payee.msisdn:
        return Refused(Reason.UNKNOWN_PAYEE)
    if command.amount < tariff.lowest:
        return Refused(Reason.UNDER_MINIMUM)
    fee = tariff.fee(command.amount)
    if fee is None:
        return Refused(Reason.OVER_LIMIT)
    if fee.total != command.fee:
        return Refused(Reason.FEE_CHANGED)
    if not book.accounts[payee.wallet_id].takes(-command.amount.minor):
        return Refused(Reason.PAYEE_FULL)
    if not book.accounts[sender.wallet_id].takes((command.amount + fee.total).minor):
        return Refused(Reason.LOW_BALANCE)
    return fee


def _accept(
    command: SendMoney, fee: Fee, tariff_id: str, book: Book, pin: PinCount | None
) -> Decision:
    sender, payee = book.subscribers[command.sender.id], book.subscribers[command.payee.id]
    amount, total = command.amount, command.amount + fee.total
    balance = book.accounts[sender.wallet_id].balance - total
    legs = (
        Leg(sender.wallet_id, total.minor),
        Leg(payee.wallet_id, -amount.minor),
        *_fee_legs(fee),
    )
    seen: dict[str, Money | str] = {
        "amount": amount,
        "fee": fee.total,
        "name": payee.name,
        "balance": balance,
    }
    got: dict[str, Money | str] = {
        "amount": amount,
        "name": sender.name,
        "number": masked(sender.msisdn),
        "balance": book.accounts[payee.wallet_id].balance + amount,
    }
    return Decision(
        "ok",
        {**seen, "number": payee.msisdn},
        Posting("send_money", legs, tariff_id),
        (
            _tell(sender, "sent", {**seen, "number": masked(payee.msisdn)}),
            _tell(payee, "received", got),
        ),
        pin,
    )


def _tell(person: Subscriber, template: str, params: Mapping[str, Money | str]) -> Message:
    return Message(person.msisdn, template, person.language, params)


def _fee_legs(fee: Fee) -> list[Leg]:
    """The fee leaves the trust ring: due to operating inside, its mirror and income outside."""
    currency = fee.total.currency
    legs = (
        Leg(house_id(DUE_TO_OPERATING, currency), -fee.total.minor),
        Leg(house_id(DUE_FROM_TRUST, currency), fee.total.minor),
        Leg(house_id(TRANSFER_FEES, currency), -fee.income.minor),
        Leg(house_id(EXCISE, currency), -fee.tax.minor),
    )
    return [leg for leg in legs if leg.minor]


class SendMoneyService:
    """Binds the use case to the doors, and to what a menu calls `send_money`."""

    def __init__(
        self,
        reads: Reads,
        ledger: Ledger,
        verifier: PinVerifier,
        clock: Clock,
        *,
        tariff: Tariff,
        market: Market,
    ) -> None:
        self._reads = reads
        self._ledger = ledger
        self._verifier = verifier
        self._clock = clock
        self._tariff = tariff
        house = (DUE_TO_OPERATING, DUE_FROM_TRUST, TRANSFER_FEES, EXCISE)
        self._house = tuple(house_id(code, market.currency) for code in house)

    def quote(self, call: Call) -> Answer:
        """What it would cost, and who would get it. Says nothing of the sender's balance."""
        to, amount = call.args["to"], call.args["amount"]
        assert isinstance(to, str)
        assert isinstance(amount, Money)
        if to == call.origin.msisdn:
            return _no(Reason.OWN_NUMBER)
        payee = self._reads.subscribers(Msisdn(to)).get(Msisdn(to))
        if payee is None or not payee.active:
            return _no(Reason.UNKNOWN_PAYEE)
        if amount < self._tariff.lowest:
            return _no(Reason.UNDER_MINIMUM)
        fee = self._tariff.fee(amount)
        if fee is None:
            return _no(Reason.OVER_LIMIT)

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
        assert isinstance(to, str)
        assert isinstance(amount, Money)
        assert isinstance(fee, Money)
        assert call.secret is not None
        people = self._reads.subscribers(call.origin.msisdn, Msisdn(to))
        sender, payee = people.get(call.origin.msisdn), people.get(Msisdn(to))
        if sender is None:
            return _no(Reason.NOT_REGISTERED)
        if payee is None or str(payee.id) != call.args["payee"]:
            return _no(Reason.UNKNOWN_PAYEE)

        proof = prove(sender, call.secret, self._verifier)
        command = SendMoney(sender, payee, amount, fee, proof)
        content = f"send_money {sender.msisdn} {to} {amount} {fee}"
        outcome = self._ledger.run(
            Work(
                key=call.key,
                content=sha256(content.encode()).hexdigest(),
                event_at_ms=int(self._clock.now().timestamp() * 1000),
                subscriber_ids=(sender.id, payee.id),
                account_ids=(sender.wallet_id, payee.wallet_id, *self._house),
                decide=lambda book: decide(command, self._tariff, book),
                route=call.origin.route,
                session_id=call.origin.session_id,
                msisdn=call.origin.msisdn,
            ),
            within_s=call.within_s,
        )
        return Answer(outcome.name, outcome.values)

    def actions(self) -> tuple[Action, Action]:
        quote = Action(
            "send_money.quote",
            Effect.READ,
            takes={"to": MSISDN, "amount": MONEY},
            gives={"name": NAME, "fee": MONEY, "total": MONEY, "payee": ID},
            outcomes=frozenset(
                {
                    "ok",
                    Reason.OWN_NUMBER.value,
                    Reason.UNKNOWN_PAYEE.value,
                    Reason.UNDER_MINIMUM.value,
                    Reason.OVER_LIMIT.value,
                    TIMEOUT,
                }
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
            outcomes=frozenset({"ok", TIMEOUT, UNKNOWN} | {r.value for r in Reason}),
            takes_secret=True,
            run=self.send,
        )
        return quote, send


def _no(reason: Reason) -> Answer:
    return Answer(reason.value, {})
