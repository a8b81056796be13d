"""What is in an account, for a PIN: one's own balance and newest entries, an agent's float and
commission. Nothing moves, but a wrong PIN is counted, so each is a command."""

from collections.abc import Callable, Sequence

from ussd_gateway.domain.book import Book, Decision, Movement
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Action, Answer, Call, Effect, Scalar, VarType
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.teller import (
    AT,
    COUNT,
    MONEY,
    Accepted,
    Teller,
    decided,
    no,
    pin_outcomes,
)

# A statement fills one screen: what it is and the currency once, then in each row the date, the
# amount, and as much of the name as is left. Ten characters are, up to nine millions: a receipt
# is not cut. From one million on an amount has no commas for it.
STATEMENT_ROWS_MAX = 5
STATEMENT_ROW_SEPTETS = 28
WITH_COMMAS_MAX = len("999,999.99")

# Where nothing ever came or went.
EMPTY = "empty"

# Where something is held of a balance: it is not to be spent until that is decided.
HELD = "held"

CURRENCY = VarType("text", 3)

_Decide = Callable[[Proof, int, dict[str, Scalar], Book], Decision]


def decide(proof: Proof, account_id: int, shown: dict[str, Scalar], book: Book) -> Decision:
    """Pure. `shown` goes with the balance to the screen, where the PIN is right."""
    balance = book.accounts[account_id].balance
    return decided(proof, book, lambda _person: Accepted({"balance": balance, **shown}))


def decide_held(
    proof: Proof, account_id: int, shown: dict[str, Scalar], book: Book
) -> Decision:
    """Pure. The same, and says what of the balance is held, if anything is."""
    account = book.accounts[account_id]
    going = Money(account.balance_minor - account.spendable_minor, account.currency)
    values = {"balance": account.balance, **shown}
    found = (
        Accepted(values | {"held": going}, outcome=HELD) if going.minor else Accepted(values)
    )
    return decided(proof, book, lambda _person: found)


def decide_listed(
    proof: Proof, account_id: int, shown: dict[str, Scalar], book: Book
) -> Decision:
    """Pure. `shown` is a statement, or nothing."""
    values = {"balance": book.accounts[account_id].balance, **shown}
    found = Accepted(values) if shown else Accepted(values, outcome=EMPTY)
    return decided(proof, book, lambda _person: found)


def statement(movements: Sequence[Movement], currency: str, market: Market) -> str:
    """A line each, newest first: `21/11 -507.00 Juma Otieno`."""
    return "\n".join(_row(each, currency, market) for each in movements)


def _row(moved: Movement, currency: str, market: Market) -> str:
    day = market.written(moved.at_ms)[:5]
    sign = "-" if moved.minor < 0 else "+"
    amount = Money(abs(moved.minor), currency).plain
    if len(amount) > WITH_COMMAS_MAX:
        amount = amount.replace(",", "")
    return f"{day} {sign}{amount} {moved.other}".rstrip()


class BalanceService:
    """What menus call `balance`, `statement`, `float` and `commission`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def balance(self, call: Call) -> Answer:
        at = self._teller.market.written(self._teller.now_ms())
        return self._own(call, "balance", lambda _wallet_id: {"at": at}, decide_held)

    def statement(self, call: Call) -> Answer:
        return self._own(call, "statement", self._rows, decide_listed)

    def float(self, call: Call) -> Answer:
        return self._store(call, "float", decide_held)

    def commission(self, call: Call) -> Answer:
        return self._store(call, "commission", decide)

    def _rows(self, wallet_id: int) -> dict[str, Scalar]:
        market = self._teller.market
        found = self._teller.reads.movements(wallet_id, count_max=STATEMENT_ROWS_MAX)
        if not found:
            return {}
        rows = statement(found, market.currency, market)
        return {"currency": market.currency, "rows": rows}

    def _own(
        self, call: Call, asked: str, shown: Callable[[int], dict[str, Scalar]], judge: _Decide
    ) -> Answer:
        person = self._teller.caller(call)
        if person is None:
            return no(Reason.NOT_REGISTERED)

        proof, values = self._teller.prove(person, call), shown(person.wallet_id)
        return self._teller.commit(
            call,
            (asked, person.msisdn),
            subscribers=(person.id,),
            accounts=(person.wallet_id,),
            decide=lambda book: judge(proof, person.wallet_id, values, book),
        )

    def _store(self, call: Call, asked: str, judge: _Decide) -> Answer:
        person = self._teller.caller(call)
        if person is None:
            return no(Reason.NOT_REGISTERED)
        store = self._teller.reads.workplace(person.id)
        if store is None:
            return no(Reason.NOT_AGENT)
        account_id = store.commission_id if asked == "commission" else store.account_id
        assert account_id is not None, "a store has an account for its commission"

        proof = self._teller.prove(person, call)
        at = self._teller.market.written(self._teller.now_ms())
        return self._teller.commit(
            call,
            (asked, person.msisdn, store.number),
            subscribers=(person.id,),
            accounts=(account_id,),
            decide=lambda book: judge(proof, account_id, {"at": at}, book),
        )

    def actions(self) -> tuple[Action, ...]:
        rows = VarType("lines", STATEMENT_ROW_SEPTETS, count=STATEMENT_ROWS_MAX)
        told = {"balance": MONEY, "tries_left": COUNT}
        listed, held = {"currency": CURRENCY, "rows": rows}, {"at": AT, "held": MONEY}
        asks = (
            ("balance", told | held, (HELD,), self.balance),
            ("statement", told | listed, (EMPTY,), self.statement),
            ("float", told | held, (HELD, Reason.NOT_AGENT.value), self.float),
            ("commission", told | {"at": AT}, (Reason.NOT_AGENT.value,), self.commission),
        )
        return tuple(
            Action(
                name,
                Effect.CHANGE,
                takes={},
                gives=gives,
                outcomes=pin_outcomes() | set(more),
                takes_secret=True,
                run=run,
            )
            for name, gives, more, run in asks
        )
