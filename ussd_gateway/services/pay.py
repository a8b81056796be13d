"""Pay a business: a bill under an account number, or goods at a till.

bill   payer's wallet -> biller     a fee of the payer's, and one out of what the biller gets
till   payer's wallet -> merchant   the payer pays the price and no more
"""

from dataclasses import dataclass
from datetime import date

from ussd_gateway.domain.accounts import PAYMENT_FEES
from ussd_gateway.domain.book import Book, Business, Decision, Subscriber, Trade
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Fee, PriceBook
from ussd_gateway.ports import Action, Answer, Call, Effect, Scalar, VarType
from ussd_gateway.services.fees import agreed, fee_accounts, fee_legs, in_force, price
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.spending import OVERSPENT, allowance, spent
from ussd_gateway.services.teller import (
    COUNT,
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
from ussd_gateway.services.terms.priced import BUSINESS

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"bill_paid", "bill_received", "till_paid", "till_received"})

NUMBER, ACCOUNT = VarType("digits", 12), VarType("digits", 20)


@dataclass(frozen=True, slots=True)
class Pay:
    """The command: what the payer saw and agreed to. `account` is empty at a till."""

    payer: Subscriber
    business: Business
    account: str
    amount: Money
    fee: Money  # as it was shown
    proof: Proof

    @property
    def kind(self) -> str:
        return _kind(self.business)


def decide(command: Pay, prices: PriceBook, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda payer: _judge(command, payer, prices, limit, book),
        pays_from=command.payer.wallet_id,
    )


def _judge(
    command: Pay, payer: Subscriber, prices: PriceBook, limit: Limit, book: Book
) -> Accepted | Refused:
    amount, business = command.amount, command.business
    if not book.accounts[business.account_id].status.takes_in:
        return Refused(_unknown(business.trade))
    kept = _kept(amount, business, prices, book.today)
    if isinstance(kept, Refused):
        return kept
    allowed = allowance(payer, limit, book)
    tariff = in_force(prices, command.kind, book.today)
    fee = agreed(amount, tariff, allowed, shown=command.fee)
    if isinstance(fee, Refused):
        return fee
    got = amount - kept.total
    if not book.accounts[business.account_id].takes(-got.minor):
        return Refused(Reason.PAYEE_FULL)
    if not book.accounts[payer.wallet_id].takes((amount + fee.total).minor):
        return Refused(Reason.LOW_BALANCE)
    left = allowed.left_today(amount)
    return _accept(command, payer, book, fee=fee, kept=kept, left=left, price_book_id=prices.id)


def _kind(business: Business) -> str:
    """Of the journal, and the name of its tariff."""
    return "pay_bill" if business.trade is Trade.BILLER else "buy_goods"


def _unknown(trade: Trade) -> Reason:
    return Reason.UNKNOWN_BUSINESS if trade is Trade.BILLER else Reason.UNKNOWN_TILL


def _kept(amount: Money, business: Business, prices: PriceBook, on: date) -> Fee | Refused:
    """What we keep of the amount that the business is paid: nothing at a till. It gets the
    rest, so there is one."""
    if business.trade is not Trade.BILLER:
        nothing = Money(0, amount.currency)
        return Fee(nothing, nothing)
    tariff = in_force(prices, f"{_kind(business)}{BUSINESS}", on)
    fee = tariff.fee(amount)
    if fee is None and amount > tariff.highest:
        return Refused(Reason.OVER_LIMIT)
    if fee is None or fee.total >= amount:
        return Refused(Reason.UNDER_MINIMUM)
    return fee


def _accept(
    command: Pay,
    payer: Subscriber,
    book: Book,
    *,
    fee: Fee,
    kept: Fee,
    left: Money,
    price_book_id: str,
) -> Accepted:
    amount, business = command.amount, command.business
    total, got = amount + fee.total, amount - kept.total
    seen: dict[str, Scalar] = {
        "amount": amount,
        "fee": fee.total,
        "name": business.name,
        "number": business.number,
        "balance": book.accounts[payer.wallet_id].balance - total,
    }
    theirs: dict[str, Scalar] = {
        "amount": got,
        "name": payer.name,
        "number": masked(payer.msisdn),
        "balance": book.accounts[business.account_id].balance + got,
    }
    if command.account:
        seen["account"] = theirs["account"] = command.account
    legs = (
        Leg(payer.wallet_id, total.minor),
        Leg(business.account_id, -got.minor),
        *fee_legs(fee + kept, PAYMENT_FEES),
    )
    paid, received = (
        ("bill_paid", "bill_received") if command.account else ("till_paid", "till_received")
    )
    return Accepted(
        seen,
        Posting(command.kind, legs, price_book_id),
        (tell(payer, paid, {**seen, "left": left}), tell(business, received, theirs)),
        spent=spent(payer, amount),
    )


class PayService:
    """What menus call `pay_bill` and `buy_goods`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def biller(self, call: Call) -> Answer:
        """Whose bill it is, before its account number is asked for."""
        biller = self._open(call, Trade.BILLER)
        return no(Reason.UNKNOWN_BUSINESS) if biller is None else _named(biller)

    def quote_bill(self, call: Call) -> Answer:
        biller = self._open(call, Trade.BILLER)
        if biller is None:
            return no(Reason.UNKNOWN_BUSINESS)
        if len(text(call.args["account"])) != biller.account_digits:
            return no(Reason.WRONG_ACCOUNT)
        return self._quote(call, biller)

    def quote_goods(self, call: Call) -> Answer:
        merchant = self._open(call, Trade.MERCHANT)
        return no(Reason.UNKNOWN_TILL) if merchant is None else self._quote(call, merchant)

    def pay_bill(self, call: Call) -> Answer:
        biller, account = self._business(call, Trade.BILLER), text(call.args["account"])
        if biller is None:
            return no(Reason.UNKNOWN_BUSINESS)
        if len(account) != biller.account_digits:
            return no(Reason.WRONG_ACCOUNT)
        return self._pay(call, biller, account)

    def buy_goods(self, call: Call) -> Answer:
        merchant = self._business(call, Trade.MERCHANT)
        return no(Reason.UNKNOWN_TILL) if merchant is None else self._pay(call, merchant, "")

    def _business(self, call: Call, trade: Trade) -> Business | None:
        return self._teller.business(text(call.args["business"]), trade)

    def _open(self, call: Call, trade: Trade) -> Business | None:
        return self._teller.open_business(text(call.args["business"]), trade)

    def _quote(self, call: Call, business: Business) -> Answer:
        payer, amount = self._teller.caller(call), money(call.args["amount"])
        if payer is None:
            return no(Reason.NOT_REGISTERED)
        prices, today = self._teller.prices, self._teller.today()
        kept = _kept(amount, business, prices, today)
        if isinstance(kept, Refused):
            return no(kept.reason)
        fee = price(amount, in_force(prices, _kind(business), today), self._teller.limit(payer))
        if isinstance(fee, Refused):
            return no(fee.reason)
        return Answer(
            "ok", {"name": business.name, "fee": fee.total, "total": amount + fee.total}
        )

    def _pay(self, call: Call, business: Business, account: str) -> Answer:
        payer = self._teller.caller(call)
        if payer is None:
            return no(Reason.NOT_REGISTERED)

        amount, fee = money(call.args["amount"]), money(call.args["fee"])
        proof = self._teller.prove(payer, call)
        command = Pay(payer, business, account, amount, fee, proof)
        limit = self._teller.limit(payer)
        house = fee_accounts(PAYMENT_FEES, self._teller.market.currency)
        return self._teller.commit(
            call,
            (command.kind, payer.msisdn, business.number, account, amount, fee),
            subscribers=(payer.id,),
            accounts=(payer.wallet_id, business.account_id, *house),
            decide=lambda book: decide(command, self._teller.prices, limit, book),
        )

    def actions(self) -> tuple[Action, ...]:
        goods, bill = {"business": NUMBER}, {"business": NUMBER, "account": ACCOUNT}
        no_till = (Reason.UNKNOWN_TILL,)
        no_bill = (Reason.UNKNOWN_BUSINESS, Reason.WRONG_ACCOUNT)
        priced = {"name": NAME, "fee": MONEY, "total": MONEY}
        paid = {
            "receipt": RECEIPT,
            "amount": MONEY,
            "fee": MONEY,
            "name": NAME,
            "balance": MONEY,
            "tries_left": COUNT,
        }
        asked = (Reason.NOT_REGISTERED, Reason.UNDER_MINIMUM, Reason.OVER_LIMIT)
        refused = (
            Reason.UNDER_MINIMUM,
            Reason.OVER_LIMIT,
            *OVERSPENT,
            Reason.FEE_CHANGED,
            Reason.PAYEE_FULL,
            Reason.LOW_BALANCE,
        )
        read, move = Effect.READ, Effect.MONEY
        amount, agreed = {"amount": MONEY}, {"amount": MONEY, "fee": MONEY}
        return (
            Action(
                "pay_bill.business",
                read,
                goods,
                {"name": NAME},
                outcomes(Reason.UNKNOWN_BUSINESS),
                takes_secret=False,
                run=self.biller,
            ),
            Action(
                "pay_bill.quote",
                read,
                bill | amount,
                priced,
                outcomes(*asked, *no_bill),
                takes_secret=False,
                run=self.quote_bill,
            ),
            Action(
                "pay_bill",
                move,
                bill | agreed,
                paid | {"account": ACCOUNT},
                pin_outcomes(*no_bill, *refused),
                takes_secret=True,
                run=self.pay_bill,
            ),
            Action(
                "buy_goods.quote",
                read,
                goods | amount,
                priced,
                outcomes(*asked, *no_till),
                takes_secret=False,
                run=self.quote_goods,
            ),
            Action(
                "buy_goods",
                move,
                goods | agreed,
                paid,
                pin_outcomes(*no_till, *refused),
                takes_secret=True,
                run=self.buy_goods,
            ),
        )


def _named(business: Business) -> Answer:
    return Answer("ok", {"name": business.name})
