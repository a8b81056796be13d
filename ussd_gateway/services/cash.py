"""Cash into e-money and back, at an agent's store: float and wallet in one commit.

    withdraw, from the customer's phone   wallet -> float    fee of the customer's
    deposit, from the agent's phone       float  -> wallet   free
    both                                  the store earns a commission

The agent hands out cash only for a withdrawal's SMS or screen, and types a deposit only with
the cash in hand: both sides are told, and the receipt is the same.
"""

from dataclasses import dataclass

from ussd_gateway.domain.accounts import COMMISSION_PAID, WITHDRAWAL_FEES, house_id
from ussd_gateway.domain.book import Book, Business, Decision, Subscriber, Trade
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.ports import Action, Answer, Call, Effect, Scalar, VarType
from ussd_gateway.services.fees import (
    agreed,
    commission_accounts,
    commission_legs,
    earns,
    fee_accounts,
    fee_legs,
    in_force,
    price,
)
from ussd_gateway.services.pins import Proof, refuse
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
    text,
)
from ussd_gateway.services.terms.priced import COMMISSION

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"withdrawn", "paid_out", "deposited", "taken_in"})

TILL = VarType("digits", 12)


@dataclass(frozen=True, slots=True)
class Cash:
    """The command of either direction. `proof` is of the one who gave a PIN: the customer who
    withdraws, or the assistant who takes a deposit in."""

    customer: Subscriber
    store: Business
    amount: Money
    fee: Money  # as it was shown
    proof: Proof


def withdraw(command: Cash, prices: PriceBook, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda payer: _withdraw(command, payer, prices, limit, book),
        pays_from=command.customer.wallet_id,
    )


def deposit(command: Cash, prices: PriceBook, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    earned = _earned("deposit", command, prices, book)
    if not earns(earned, book):
        return refuse(Refused(Reason.NOT_AGENT))
    return decided(
        command.proof,
        book,
        lambda taker: _deposit(command, taker, prices, limit, book, earned=earned),
        pays_from=command.store.account_id,
    )


def _withdraw(
    command: Cash, customer: Subscriber, prices: PriceBook, limit: Limit, book: Book
) -> Accepted | Refused:
    amount, store = command.amount, command.store
    earned = _earned("withdraw", command, prices, book)
    if not (book.accounts[store.account_id].status.takes_in and earns(earned, book)):
        return Refused(Reason.UNKNOWN_TILL)
    allowed = allowance(customer, limit, book)
    tariff = in_force(prices, "withdraw", book.today)
    fee = agreed(amount, tariff, allowed, shown=command.fee)
    if isinstance(fee, Refused):
        return fee
    if not book.accounts[store.account_id].takes(-amount.minor):
        return Refused(Reason.PAYEE_FULL)
    total = amount + fee.total
    if not book.accounts[customer.wallet_id].takes(total.minor):
        return Refused(Reason.LOW_BALANCE)

    seen: dict[str, Scalar] = {
        "amount": amount,
        "fee": fee.total,
        "name": store.name,
        "till": store.number,
        "balance": book.accounts[customer.wallet_id].balance - total,
    }
    theirs: dict[str, Scalar] = {
        "amount": amount,
        "name": customer.name,
        "number": masked(customer.msisdn),
        "balance": book.accounts[store.account_id].balance + amount,
    }
    legs = (Leg(customer.wallet_id, total.minor), Leg(store.account_id, -amount.minor))
    return Accepted(
        seen,
        Posting("withdraw", (*legs, *fee_legs(fee, WITHDRAWAL_FEES), *earned), prices.id),
        (
            tell(customer, "withdrawn", {**seen, "left": allowed.left_today(amount)}),
            tell(store, "paid_out", theirs),
        ),
        spent=spent(customer, amount),
    )


def _deposit(
    command: Cash,
    assistant: Subscriber,
    prices: PriceBook,
    limit: Limit,
    book: Book,
    *,
    earned: tuple[Leg, ...],
) -> Accepted | Refused:
    amount, store = command.amount, command.store
    customer = book.subscribers[command.customer.id]
    if customer.id == assistant.id:
        return Refused(Reason.OWN_NUMBER)
    if not customer.active or customer.msisdn != command.customer.msisdn:
        return Refused(Reason.UNKNOWN_PAYEE)
    if not book.accounts[customer.wallet_id].status.takes_in:
        return Refused(Reason.UNKNOWN_PAYEE)
    fee = price(amount, in_force(prices, "deposit", book.today), limit)
    if isinstance(fee, Refused):
        return fee
    if not book.accounts[customer.wallet_id].takes(-amount.minor):
        return Refused(Reason.PAYEE_FULL)
    if not book.accounts[store.account_id].takes(amount.minor):
        return Refused(Reason.LOW_FLOAT)

    seen: dict[str, Scalar] = {
        "amount": amount,
        "name": customer.name,
        "number": masked(customer.msisdn),
        "balance": book.accounts[store.account_id].balance - amount,
    }
    theirs: dict[str, Scalar] = {
        "amount": amount,
        "name": store.name,
        "till": store.number,
        "balance": book.accounts[customer.wallet_id].balance + amount,
    }
    legs = (Leg(store.account_id, amount.minor), Leg(customer.wallet_id, -amount.minor))
    return Accepted(
        seen,
        Posting("deposit", (*legs, *earned), prices.id),
        (tell(customer, "deposited", theirs), tell(store, "taken_in", seen)),
    )


def _earned(kind: str, command: Cash, prices: PriceBook, book: Book) -> tuple[Leg, ...]:
    """What the store and its head office earn by it."""
    tariff = in_force(prices, f"{kind}{COMMISSION}", book.today)
    shared = command.store.head_office_commission_id is not None
    return commission_legs(tariff.commission(command.amount, shared=shared), command.store)


class CashService:
    """What menus call `withdraw` and `deposit`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def quote_withdrawal(self, call: Call) -> Answer:
        """Whose till it is, and what it would cost. Says nothing of anybody's balance."""
        customer, amount = self._teller.caller(call), money(call.args["amount"])
        store = self._teller.open_business(text(call.args["till"]), Trade.STORE)
        if customer is None:
            return no(Reason.NOT_REGISTERED)
        if store is None:
            return no(Reason.UNKNOWN_TILL)
        tariff = in_force(self._teller.prices, "withdraw", self._teller.today())
        fee = price(amount, tariff, self._teller.limit(customer))
        if isinstance(fee, Refused):
            return no(fee.reason)
        return Answer("ok", {"name": store.name, "fee": fee.total, "total": amount + fee.total})

    def withdraw(self, call: Call) -> Answer:
        customer = self._teller.caller(call)
        store = self._teller.business(text(call.args["till"]), Trade.STORE)
        if customer is None:
            return no(Reason.NOT_REGISTERED)
        if store is None:
            return no(Reason.UNKNOWN_TILL)

        amount, fee = money(call.args["amount"]), money(call.args["fee"])
        command = Cash(customer, store, amount, fee, self._teller.prove(customer, call))
        limit = self._teller.limit(customer)
        house = fee_accounts(WITHDRAWAL_FEES, self._teller.market.currency)
        return self._teller.commit(
            call,
            ("withdraw", customer.msisdn, store.number, amount, fee),
            subscribers=(customer.id,),
            accounts=(customer.wallet_id, *self._store_accounts(store), *house),
            decide=lambda book: withdraw(command, self._teller.prices, limit, book),
        )

    def quote_deposit(self, call: Call) -> Answer:
        """Who would get it: the agent reads the name out before taking the cash."""
        found = self._deposit(call)
        if isinstance(found, Refused):
            return no(found.reason)
        _, store, customer = found
        takes_in = self._teller.reads.takes_in(customer.wallet_id if customer else NOBODY)
        if customer is None or not takes_in:
            return no(Reason.UNKNOWN_PAYEE)
        tariff = in_force(self._teller.prices, "deposit", self._teller.today())
        fee = price(money(call.args["amount"]), tariff, self._teller.limit(customer))
        if isinstance(fee, Refused):
            return no(fee.reason)
        return Answer(
            "ok", {"name": customer.name, "customer": str(customer.id), "store": store.number}
        )

    def deposit(self, call: Call) -> Answer:
        found = self._deposit(call)
        if isinstance(found, Refused):
            return no(found.reason)
        assistant, store, customer = found
        if store.number != call.args["store"]:
            return no(Reason.NOT_AGENT)
        if customer is None or str(customer.id) != call.args["customer"]:
            return no(Reason.UNKNOWN_PAYEE)

        amount = money(call.args["amount"])
        nothing = Money(0, amount.currency)
        command = Cash(customer, store, amount, nothing, self._teller.prove(assistant, call))
        limit = self._teller.limit(customer)
        return self._teller.commit(
            call,
            ("deposit", assistant.msisdn, store.number, customer.msisdn, amount),
            subscribers=(assistant.id, customer.id),
            accounts=(customer.wallet_id, *self._store_accounts(store)),
            decide=lambda book: deposit(command, self._teller.prices, limit, book),
        )

    def _deposit(self, call: Call) -> tuple[Subscriber, Business, Subscriber | None] | Refused:
        """Who takes the cash in, where, and whose it is, if anybody's."""
        mine, theirs = call.origin.msisdn, number(call.args["customer_number"])
        people = self._teller.reads.subscribers(mine, theirs)
        assistant, customer = people.get(mine), people.get(theirs)
        if assistant is None:
            return Refused(Reason.NOT_REGISTERED)
        store = self._teller.reads.workplace(assistant.id)
        if store is None:
            return Refused(Reason.NOT_AGENT)
        if theirs == mine:
            return Refused(Reason.OWN_NUMBER)
        return assistant, store, customer if customer and customer.active else None

    def _store_accounts(self, store: Business) -> tuple[int, ...]:
        paid = house_id(COMMISSION_PAID, self._teller.market.currency)
        return (store.account_id, *commission_accounts(store), paid)

    def actions(self) -> tuple[Action, ...]:
        moved = {
            "receipt": RECEIPT,
            "amount": MONEY,
            "name": NAME,
            "balance": MONEY,
            "tries_left": COUNT,
        }
        bounds = (Reason.UNDER_MINIMUM, Reason.OVER_LIMIT)
        nobody = (Reason.NOT_AGENT, Reason.OWN_NUMBER, Reason.UNKNOWN_PAYEE)
        return (
            Action(
                "withdraw.quote",
                Effect.READ,
                {"till": TILL, "amount": MONEY},
                {"name": NAME, "fee": MONEY, "total": MONEY},
                outcomes(Reason.NOT_REGISTERED, Reason.UNKNOWN_TILL, *bounds),
                takes_secret=False,
                run=self.quote_withdrawal,
            ),
            Action(
                "withdraw",
                Effect.MONEY,
                {"till": TILL, "amount": MONEY, "fee": MONEY},
                moved | {"fee": MONEY, "till": TILL},
                pin_outcomes(
                    Reason.UNKNOWN_TILL,
                    *bounds,
                    *OVERSPENT,
                    Reason.FEE_CHANGED,
                    Reason.PAYEE_FULL,
                    Reason.LOW_BALANCE,
                ),
                takes_secret=True,
                run=self.withdraw,
            ),
            Action(
                "deposit.quote",
                Effect.READ,
                {"customer_number": MSISDN, "amount": MONEY},
                {"name": NAME, "customer": ID, "store": TILL},
                outcomes(Reason.NOT_REGISTERED, *nobody, *bounds),
                takes_secret=False,
                run=self.quote_deposit,
            ),
            Action(
                "deposit",
                Effect.MONEY,
                {"customer_number": MSISDN, "amount": MONEY, "customer": ID, "store": TILL},
                moved,
                pin_outcomes(*nobody, *bounds, Reason.PAYEE_FULL, Reason.LOW_FLOAT),
                takes_secret=True,
                run=self.deposit,
            ),
        )
