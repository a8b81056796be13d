"""Money for a number that is not registered: put aside, and sent as a code.

    wallet -> unclaimed    amount and fee; the code goes to the number, by SMS

The code stands in the recipient's SMS and nowhere else: what is kept is its tag, which says
nothing without the verifier's key.

Somebody who is barred looks as if they were not registered, up to the PIN of the sender. If the
number registers after a voucher was sent, it is cashed all the same, or goes back.
"""

from dataclasses import dataclass

from ussd_gateway.domain.accounts import TRANSFER_FEES, UNCLAIMED, house_id
from ussd_gateway.domain.book import Book, Decision, Message, Subscriber, VoucherSent
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn, masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Fee, PriceBook
from ussd_gateway.domain.voucher import OPEN_MS, SALT_OCTETS, Voucher, VoucherState, code_of
from ussd_gateway.ports import Action, Answer, Call, Effect, Numbers, Random, Scalar, Secret
from ussd_gateway.services.fees import agreed, fee_accounts, fee_legs, in_force, price
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.spending import OVERSPENT, allowance, spent
from ussd_gateway.services.teller import (
    AT,
    COUNT,
    MONEY,
    MSISDN,
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
TEMPLATES = frozenset({"voucher_sent", "voucher_code"})
# What it costs (menus/tariffs).
SERVICE = "voucher"
_CHANCE_OCTETS = 16


@dataclass(frozen=True, slots=True)
class SendVoucher:
    """The command: what the sender saw and agreed to. `payee` is whoever has the number, if
    anybody: then nothing is sent. The number, salt and tag are the voucher's; the code is for
    the SMS."""

    sender: Subscriber
    to: Msisdn
    payee: Subscriber | None
    amount: Money
    fee: Money  # as it was shown
    proof: Proof
    number: int
    kid: str
    salt: bytes
    tag: bytes
    code: str

    def __repr__(self) -> str:
        """Without the code, wherever it is shown."""
        return f"SendVoucher({self.number})"


def send(
    command: SendVoucher, prices: PriceBook, limit: Limit, market: Market, book: Book
) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda sender: _judge(command, sender, prices, limit, market=market, book=book),
        pays_from=command.sender.wallet_id,
    )


def _judge(
    command: SendVoucher,
    sender: Subscriber,
    prices: PriceBook,
    limit: Limit,
    *,
    market: Market,
    book: Book,
) -> Accepted | Refused:
    if command.payee is not None:
        return Refused(_why_not(command.payee, book))
    allowed = allowance(sender, limit, book)
    tariff = in_force(prices, SERVICE, book.today)
    fee = agreed(command.amount, tariff, allowed, shown=command.fee)
    if isinstance(fee, Refused):
        return fee
    total = command.amount + fee.total
    if not book.accounts[sender.wallet_id].takes(total.minor):
        return Refused(Reason.LOW_BALANCE)
    voucher = _voucher(command, book.now_ms)
    balance = book.accounts[sender.wallet_id].balance - total
    seen: dict[str, Scalar] = {
        "amount": command.amount,
        "fee": fee.total,
        "balance": balance,
        "until": market.written(voucher.expires_at_ms),
    }
    left = allowed.left_today(command.amount)
    got = {
        "amount": command.amount,
        "name": sender.name,
        "code": command.code,
        "until": seen["until"],
    }
    return Accepted(
        {**seen, "number": command.to},
        _posting(sender, command.amount, fee, prices.id),
        (
            tell(sender, "voucher_sent", {**seen, "number": masked(command.to), "left": left}),
            Message(command.to, "voucher_code", sender.language, got),
        ),
        changes=(VoucherSent(voucher),),
        spent=spent(sender, command.amount),
    )


def _why_not(payee: Subscriber, book: Book) -> Reason:
    """Somebody has the number: they can be sent money, or are barred and cannot."""
    now = book.subscribers[payee.id]
    takes_in = book.accounts[now.wallet_id].status.takes_in
    return Reason.ALREADY_REGISTERED if now.active and takes_in else Reason.UNKNOWN_PAYEE


def _voucher(command: SendVoucher, now_ms: int) -> Voucher:
    return Voucher(
        id=command.number,
        subscriber_id=command.sender.id,
        wallet_id=command.sender.wallet_id,
        msisdn=command.to,
        currency=command.amount.currency,
        minor=command.amount.minor,
        kid=command.kid,
        salt=command.salt,
        tag=command.tag,
        wrong_tries=0,
        state=VoucherState.OPEN,
        sent_at_ms=now_ms,
        expires_at_ms=now_ms + OPEN_MS,
    )


def _posting(sender: Subscriber, amount: Money, fee: Fee, price_book_id: str) -> Posting:
    legs = (
        Leg(sender.wallet_id, (amount + fee.total).minor),
        Leg(house_id(UNCLAIMED, amount.currency), -amount.minor),
        *fee_legs(fee, TRANSFER_FEES),
    )
    return Posting("voucher", legs, price_book_id)


class SendVoucherService:
    """What menus call `voucher.quote` and `voucher.send`."""

    def __init__(self, teller: Teller, numbers: Numbers, random: Random, *, kid: str) -> None:
        """`kid` names the key of the tags of new codes."""
        self._teller = teller
        self._numbers = numbers
        self._random = random
        self._kid = kid

    def quote(self, call: Call) -> Answer:
        """What it would cost. Says nothing of the sender's balance, nor of who is barred."""
        sender_number, to = call.origin.msisdn, number(call.args["to"])
        amount = money(call.args["amount"])
        people = self._teller.reads.subscribers(sender_number, to)
        sender, payee = people.get(sender_number), people.get(to)
        if sender is None:
            return no(Reason.NOT_REGISTERED)
        takes_in = self._teller.reads.takes_in(payee.wallet_id if payee else NOBODY)
        if payee is not None and payee.active and takes_in:
            return no(Reason.ALREADY_REGISTERED)
        tariff = in_force(self._teller.prices, SERVICE, self._teller.today())
        fee = price(amount, tariff, self._teller.limit(sender))
        if isinstance(fee, Refused):
            return no(fee.reason)
        return Answer("ok", {"fee": fee.total, "total": amount + fee.total})

    def send(self, call: Call) -> Answer:
        """Once for each key: a repeat draws a code too, which nobody ever hears of."""
        to, amount, fee = (call.args[name] for name in ("to", "amount", "fee"))
        people = self._teller.reads.subscribers(call.origin.msisdn, number(to))
        sender, payee = people.get(call.origin.msisdn), people.get(number(to))
        if sender is None:
            return no(Reason.NOT_REGISTERED)

        command = self._command(call, sender, payee)
        limit, market = self._teller.limit(sender), self._teller.market
        house = fee_accounts(TRANSFER_FEES, market.currency)
        locked = (sender,) if payee is None else (sender, payee)
        return self._teller.commit(
            call,
            ("voucher.send", sender.msisdn, to, amount, fee),
            subscribers=(each.id for each in locked),
            accounts=(
                *(each.wallet_id for each in locked),
                house_id(UNCLAIMED, market.currency),
                *house,
            ),
            decide=lambda book: send(command, self._teller.prices, limit, market, book),
        )

    def _command(self, call: Call, sender: Subscriber, payee: Subscriber | None) -> SendVoucher:
        chance = self._random.octets(SALT_OCTETS + _CHANCE_OCTETS)
        salt, code = chance[:SALT_OCTETS], code_of(chance[SALT_OCTETS:])
        new = self._numbers.next()
        tag = self._teller.verifier.tag(
            kid=self._kid, subscriber_id=new, salt=salt, pin=Secret(code)
        )
        return SendVoucher(
            sender,
            number(call.args["to"]),
            payee,
            money(call.args["amount"]),
            money(call.args["fee"]),
            self._teller.prove(sender, call),
            new,
            self._kid,
            salt,
            tag,
            code,
        )

    def actions(self) -> tuple[Action, ...]:
        bounds = (Reason.ALREADY_REGISTERED, Reason.UNDER_MINIMUM, Reason.OVER_LIMIT)
        quote = Action(
            "voucher.quote",
            Effect.READ,
            {"to": MSISDN, "amount": MONEY},
            {"fee": MONEY, "total": MONEY},
            outcomes(Reason.NOT_REGISTERED, *bounds),
            takes_secret=False,
            run=self.quote,
        )
        sends = Action(
            "voucher.send",
            Effect.MONEY,
            {"to": MSISDN, "amount": MONEY, "fee": MONEY},
            {
                "receipt": RECEIPT,
                "amount": MONEY,
                "fee": MONEY,
                "number": MSISDN,
                "balance": MONEY,
                "until": AT,
                "tries_left": COUNT,
            },
            pin_outcomes(
                *bounds,
                Reason.UNKNOWN_PAYEE,
                *OVERSPENT,
                Reason.FEE_CHANGED,
                Reason.LOW_BALANCE,
            ),
            takes_secret=True,
            run=self.send,
        )
        return quote, sends
