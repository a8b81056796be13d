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
from ussd_gateway.domain.tariff import Tariff
from ussd_gateway.ports import Action, Answer, Call, Effect, Scalar, VarType
from ussd_gateway.services.fees import agreed, commission_legs, fee_accounts, fee_legs, price
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.teller import (
    COUNT,
    ID,
    MONEY,
    MSISDN,
    NAME,
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

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"withdrawn", "paid_out", "deposited", "taken_in"})

TILL = VarType("digits", 12)


@dataclass(frozen=True, slots=True)
class Tariffs:
    """Of one direction: what the customer pays, and what the store earns."""

    fee: Tariff
    commission: Tariff

    @property
    def ids(self) -> str:
        return f"{self.fee.id}+{self.commission.id}"

    def earned(self, amount: Money) -> Money:
        """Nothing where the commission's bands end before the fee's."""
        found = self.commission.fee(amount)
        return found.total if found else Money(0, amount.currency)


@dataclass(frozen=True, slots=True)
class Cash:
    """The command of either direction. `proof` is of the one who gave a PIN: the customer who
    withdraws, or the assistant who takes a deposit in."""

    customer: Subscriber
    store: Business
    amount: Money
    fee: Money  # as it was shown
    proof: Proof


def withdraw(command: Cash, tariffs: Tariffs, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof, book, lambda payer: _withdraw(command, payer, tariffs, limit, book)
    )


def deposit(command: Cash, tariffs: Tariffs, limit: Limit, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof, book, lambda taker: _deposit(command, taker, tariffs, limit, book)
    )


def _withdraw(
    command: Cash, customer: Subscriber, tariffs: Tariffs, limit: Limit, book: Book
) -> Accepted | Refused:
    amount, store = command.amount, command.store
    fee = agreed(amount, tariffs.fee, limit, shown=command.fee)
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
        _posting("withdraw", command, tariffs, (*legs, *fee_legs(fee, WITHDRAWAL_FEES))),
        (tell(customer, "withdrawn", seen), tell(store, "paid_out", theirs)),
    )


def _deposit(
    command: Cash, assistant: Subscriber, tariffs: Tariffs, limit: Limit, book: Book
) -> Accepted | Refused:
    amount, store = command.amount, command.store
    customer = book.subscribers[command.customer.id]
    if customer.id == assistant.id:
        return Refused(Reason.OWN_NUMBER)
    if not customer.active or customer.msisdn != command.customer.msisdn:
        return Refused(Reason.UNKNOWN_PAYEE)
    fee = price(amount, tariffs.fee, limit)
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
        _posting("deposit", command, tariffs, legs),
        (tell(customer, "deposited", theirs), tell(store, "taken_in", seen)),
    )


def _posting(kind: str, command: Cash, tariffs: Tariffs, legs: tuple[Leg, ...]) -> Posting:
    payable_id = command.store.commission_id
    assert payable_id is not None, "a store has an account for its commission"
    earned = commission_legs(tariffs.earned(command.amount), payable_id)
    return Posting(kind, (*legs, *earned), tariffs.ids)


class CashService:
    """What menus call `withdraw` and `deposit`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        tariffs = teller.tariffs
        self._out = Tariffs(tariffs["withdraw"], tariffs["withdraw.commission"])
        self._in = Tariffs(tariffs["deposit"], tariffs["deposit.commission"])

    def quote_withdrawal(self, call: Call) -> Answer:
        """Whose till it is, and what it would cost. Says nothing of anybody's balance."""
        customer, amount = self._teller.caller(call), money(call.args["amount"])
        store = self._store(call)
        if customer is None:
            return no(Reason.NOT_REGISTERED)
        if store is None:
            return no(Reason.UNKNOWN_TILL)
        fee = price(amount, self._out.fee, self._teller.limit(customer))
        if isinstance(fee, Refused):
            return no(fee.reason)
        return Answer("ok", {"name": store.name, "fee": fee.total, "total": amount + fee.total})

    def withdraw(self, call: Call) -> Answer:
        customer, store = self._teller.caller(call), self._store(call)
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
            decide=lambda book: withdraw(command, self._out, limit, book),
        )

    def quote_deposit(self, call: Call) -> Answer:
        """Who would get it: the agent reads the name out before taking the cash."""
        found = self._deposit(call)
        if isinstance(found, Refused):
            return no(found.reason)
        _, store, customer = found
        fee = price(money(call.args["amount"]), self._in.fee, self._teller.limit(customer))
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
        if str(customer.id) != call.args["customer"]:
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
            decide=lambda book: deposit(command, self._in, limit, book),
        )

    def _deposit(self, call: Call) -> tuple[Subscriber, Business, Subscriber] | Refused:
        """Who takes the cash in, where, and whose it is."""
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
        if customer is None or not customer.active:
            return Refused(Reason.UNKNOWN_PAYEE)
        return assistant, store, customer

    def _store(self, call: Call) -> Business | None:
        found = self._teller.reads.business(text(call.args["till"]))
        return found if found and found.trade is Trade.STORE else None

    def _store_accounts(self, store: Business) -> tuple[int, ...]:
        assert store.commission_id is not None, "a store has an account for its commission"
        paid = house_id(COMMISSION_PAID, self._teller.market.currency)
        return (store.account_id, store.commission_id, paid)

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
