"""What every service does alike at its counter: who is it, is the PIN right, and then the work.

    service: what was asked, and of whom --Work--> writer --decide(book)--> Accepted | Refused

Each `decide` goes through `decided`: the PIN comes before every other question, and its count
is kept whatever the answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from ussd_gateway.domain.book import (
    Book,
    Business,
    Change,
    Decision,
    Message,
    Spent,
    Subscriber,
    Trade,
    Work,
)
from ussd_gateway.domain.journal import Posting
from ussd_gateway.domain.limits import Limit, Limits
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Answer,
    Call,
    Clock,
    Ledger,
    PinVerifier,
    Reads,
    Scalar,
    VarType,
)
from ussd_gateway.services.pins import Proof, count, judged, prove, refuse, refuse_pin

MSISDN, MONEY, ID, COUNT = VarType("msisdn"), VarType("money"), VarType("id"), VarType("count")
NAME, RECEIPT, AT = VarType("text", 20), VarType("text", 10), VarType("text", 14)

# The id of no account. Whoever is not there is asked about all the same: how much the books are
# asked must not tell them from somebody who is barred.
NOBODY = 0

# What an action that takes a PIN may always answer.
PIN_OUTCOMES = frozenset(
    {
        "ok",
        TIMEOUT,
        UNKNOWN,
        Reason.NOT_REGISTERED.value,
        Reason.ACCOUNT_BLOCKED.value,
        Reason.PIN_LOCKED.value,
        Reason.WRONG_PIN.value,
    }
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A yes: what is written, and what the screen shows of it."""

    values: Mapping[str, Scalar]
    posting: Posting | None = None
    messages: tuple[Message, ...] = ()
    changes: tuple[Change, ...] = ()
    outcome: str = "ok"
    spent: Spent | None = None


@dataclass(frozen=True, slots=True)
class Teller:
    """What services work with."""

    reads: Reads
    ledger: Ledger
    verifier: PinVerifier
    clock: Clock
    market: Market
    prices: PriceBook
    limits: Limits

    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def today(self) -> date:
        return self.market.business_date(self.now_ms())

    def caller(self, call: Call) -> Subscriber | None:
        """Who is on the phone, if registered. Raises BooksLost."""
        msisdn = call.origin.msisdn
        return self.reads.subscribers(msisdn).get(msisdn)

    def business(self, number: str, trade: Trade) -> Business | None:
        """Whose number it is, if it is one of that trade. Raises BooksLost."""
        found = self.reads.business(number)
        return found if found and found.trade is trade else None

    def open_business(self, number: str, trade: Trade) -> Business | None:
        """The same, if it can be paid now: one that cannot is as one that is not there. Raises
        BooksLost."""
        found = self.business(number, trade)
        takes_in = self.reads.takes_in(found.account_id if found else NOBODY)
        return found if takes_in else None

    def prove(self, person: Subscriber, call: Call) -> Proof:
        assert call.secret is not None, "this action takes a PIN"
        return prove(person, call.secret, self.verifier)

    def limit(self, person: Subscriber) -> Limit:
        return self.limits[person.tier]

    def commit(
        self,
        call: Call,
        asked: Iterable[object],
        *,
        subscribers: Iterable[int],
        accounts: Iterable[int] = (),
        vouchers: Iterable[int] = (),
        holds: Iterable[int] = (),
        journals: Iterable[int] = (),
        at_ms: int | None = None,
        decide: Callable[[Book], Decision],
    ) -> Answer:
        """Runs a command once for each key of a call. `asked` is everything that the person
        asked for but the PIN."""
        outcome = self.ledger.run(
            Work(
                key=call.key,
                content=content(asked),
                event_at_ms=self.now_ms() if at_ms is None else at_ms,
                subscriber_ids=tuple(subscribers),
                account_ids=tuple(accounts),
                decide=decide,
                route=call.origin.route,
                session_id=call.origin.session_id,
                msisdn=call.origin.msisdn,
                hold_ids=tuple(holds),
                journal_ids=tuple(journals),
                voucher_ids=tuple(vouchers),
            ),
            within_s=call.within_s,
        )
        return Answer(outcome.name, outcome.values)


def content(asked: Iterable[object]) -> str:
    return sha256(" ".join(map(str, asked)).encode()).hexdigest()


def decided(
    proof: Proof,
    book: Book,
    judge: Callable[[Subscriber], Accepted | Refused],
    *,
    pays_from: int | None = None,
) -> Decision:
    """`judge` is asked only where the PIN was right; it gets the locked row. `pays_from`: the
    account of their own that would pay, if any."""
    person, tried = judged(proof, book)
    barred = pays_from is not None and not book.accounts[pays_from].status.pays_out
    if barred or not person.active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    if tried.refused is not None:
        return refuse_pin(person, tried)

    pin = count(person, tried)
    found = judge(person)
    if isinstance(found, Refused):
        return refuse(found, pin)
    return Decision(
        found.outcome,
        found.values,
        found.posting,
        found.messages,
        pin,
        found.changes,
        found.spent,
    )


def tell(person: Subscriber | Business, template: str, params: Mapping[str, Any]) -> Message:
    """An SMS to somebody, in their own language."""
    return Message(person.msisdn, template, person.language, params)


def no(reason: Reason) -> Answer:
    return Answer(reason.value, {})


def outcomes(*reasons: Reason) -> frozenset[str]:
    """Of an action that reads: yes, these refusals, or no answer in time."""
    return frozenset({"ok", TIMEOUT} | {reason.value for reason in reasons})


def pin_outcomes(*reasons: Reason) -> frozenset[str]:
    return PIN_OUTCOMES | {reason.value for reason in reasons}


def money(value: object) -> Money:
    assert isinstance(value, Money), "menus are checked: this is money"
    return value


def text(value: object) -> str:
    assert isinstance(value, str), "menus are checked: this is text"
    return value


def number(value: object) -> Msisdn:
    return Msisdn(text(value))
