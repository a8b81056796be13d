"""What the machine asks of a ledger: each question as a plain value, and as a command of it.

A command is *careful* where it looks before it writes, as services do, and *careless* where it
does not: then the ledger itself has to refuse it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ussd_gateway.domain import pin
from ussd_gateway.domain.book import (
    Book,
    Decision,
    HoldDecided,
    HoldPlaced,
    Message,
    PinChosen,
    PinCount,
    Spent,
    Status,
    StatusSet,
    Work,
)
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posted, Posting, reverse
from ussd_gateway.domain.msisdn import Msisdn

RIGHT = b"right"
# The kind of a journal that owes nobody an SMS.
KIND = "opening"
AMINA = Msisdn("+254711000001")
# Who is told of what was taken back is nothing to the ledger.
TOLD = tuple(Message(AMINA, template, "en", {}) for template in ("refunded", "taken_back"))


@dataclass(frozen=True, slots=True)
class Pay:
    """`legs`: account and minor units, debits positive. `counts`: whether limits count it, of
    the first leg's account. `pin`: a person's, and whether it is right."""

    legs: tuple[tuple[int, int], ...]
    counts: bool = False
    pin: tuple[int, bool] | None = None
    careless: bool = False

    @property
    def accounts(self) -> tuple[int, ...]:
        return tuple(account_id for account_id, _ in self.legs)

    def decide(self, book: Book) -> Decision:
        count, tries = None, ""
        if self.pin is not None:
            person_id, right = self.pin
            person = book.subscribers[person_id]
            tried = pin.judge(
                wrong_tries=person.wrong_tries,
                tag=RIGHT if right else b"wrong",
                stored_tag=person.pin_tag,
            )
            count, tries = PinCount(person_id, tried.wrong_tries), str(person.wrong_tries)
            if tried.refused is not None:
                return Decision(tried.refused.reason.value, {"tries": tries}, pin=count)
        values = {"seen": _seen(book, self.accounts), "tries": tries}
        if not self.careless and not _take(book, self.legs):
            return Decision("low", values, pin=count)
        spent = Spent(self.legs[0][0], abs(self.legs[0][1])) if self.counts else None
        posting = Posting(KIND, tuple(Leg(*leg) for leg in self.legs))
        return Decision("ok", values, posting, pin=count, spent=spent)


@dataclass(frozen=True, slots=True)
class Place:
    hold_id: int
    source: int
    target: int
    minor: int
    expires_at_ms: int
    careless: bool = False

    @property
    def accounts(self) -> tuple[int, ...]:
        return (self.source, self.target)

    def decide(self, book: Book) -> Decision:
        values = {"seen": _seen(book, self.accounts)}
        legs = ((self.source, self.minor), (self.target, -self.minor))
        if not self.careless and not _take(book, legs):
            return Decision("low", values)
        hold = Hold(
            *(self.hold_id, "withdrawal", self.source, self.target, self.minor, 0),
            HoldState.PENDING,
            self.expires_at_ms,
        )
        return Decision("ok", values, changes=(HoldPlaced(hold),))


@dataclass(frozen=True, slots=True)
class Post:
    """`minor` of it at most: all of it, or a part."""

    hold_id: int
    source: int
    target: int
    minor: int

    @property
    def accounts(self) -> tuple[int, ...]:
        return (self.source, self.target)

    def decide(self, book: Book) -> Decision:
        hold, values = book.holds[self.hold_id], {"seen": _seen(book, self.accounts)}
        if hold.state is not HoldState.PENDING:
            return Decision(hold.state.value, values)
        if not hold.open(book.now_ms):
            return Decision("late", values)
        legs = (Leg(self.source, self.minor), Leg(self.target, -self.minor))
        if not all(
            book.accounts[leg.account_id].takes(leg.minor, freed=hold.minor) for leg in legs
        ):
            return Decision("low", values)
        state = HoldState.POSTED if self.minor == hold.minor else HoldState.PART_POSTED
        return Decision(
            "ok",
            values,
            Posting(KIND, legs, hold_id=hold.id),
            changes=(HoldDecided(hold.id, state, self.minor),),
        )


@dataclass(frozen=True, slots=True)
class LetGo:
    """Voids it; or, where `expires`, says that its time is over. A careless one does not look
    whether it was decided before."""

    hold_id: int
    source: int
    target: int
    expires: bool
    careless: bool = False

    @property
    def accounts(self) -> tuple[int, ...]:
        return (self.source, self.target)

    def decide(self, book: Book) -> Decision:
        hold, values = book.holds[self.hold_id], {"seen": _seen(book, self.accounts)}
        if not self.careless and hold.state is not HoldState.PENDING:
            return Decision(hold.state.value, values)
        if self.expires and hold.open(book.now_ms):
            return Decision("early", values)
        state = HoldState.EXPIRED if self.expires else HoldState.VOIDED
        return Decision("ok", values, changes=(HoldDecided(hold.id, state),))


@dataclass(frozen=True, slots=True)
class Refund:
    """A part of what `payee` got goes back to `payer`; limits count it as not spent."""

    journal_id: int
    accounts: tuple[int, ...]  # all of the journal's
    payee: int
    payer: int
    minor: int

    def decide(self, book: Book) -> Decision:
        posted = book.journals[self.journal_id]
        values = {"seen": _seen(book, self.accounts), "left": _left(posted, self.accounts)}
        legs = ((self.payee, self.minor), (self.payer, -self.minor))
        if posted.reversed:
            return Decision("reversed", values)
        if min(-posted.left(self.payee), posted.left(self.payer)) < self.minor:
            return Decision("too_much", values)
        if not _take(book, legs):
            return Decision("low", values)
        posting = Posting(
            "refund", tuple(Leg(*leg) for leg in legs), reverses_id=self.journal_id
        )
        spent = Spent(self.payer, self.minor, back_of=posted.business_date)
        return Decision("ok", values, posting, TOLD, spent=spent)


@dataclass(frozen=True, slots=True)
class Reverse:
    """A careless one does not look whether it was reversed before."""

    journal_id: int
    accounts: tuple[int, ...]
    careless: bool = False

    def decide(self, book: Book) -> Decision:
        posted = book.journals[self.journal_id]
        values = {"seen": _seen(book, self.accounts), "left": _left(posted, self.accounts)}
        if any(posted.taken_back.values()) and not (self.careless and posted.reversed):
            return Decision("taken_back", values)
        posting = reverse(posted)
        if not self.careless and not _take(
            book, [(leg.account_id, leg.minor) for leg in posting.legs]
        ):
            return Decision("low", values)
        return Decision("ok", values, posting, TOLD)


@dataclass(frozen=True, slots=True)
class SetStatus:
    """As the staff orders it."""

    account_id: int
    status: str

    @property
    def accounts(self) -> tuple[int, ...]:
        return (self.account_id,)

    def decide(self, book: Book) -> Decision:
        account, values = book.accounts[self.account_id], {"seen": _seen(book, self.accounts)}
        moved = account.balance_minor, account.debits_pending, account.credits_pending
        if self.status == "closed" and any(moved):
            return Decision("not_empty", values)
        changed = StatusSet(self.account_id, Status(self.status))
        return Decision("ok", values | {"status": self.status}, changes=(changed,))


@dataclass(frozen=True, slots=True)
class ChoosePin:
    person_id: int
    accounts: tuple[int, ...] = ()

    def decide(self, book: Book) -> Decision:
        tries = book.subscribers[self.person_id].wrong_tries
        chosen = PinChosen(self.person_id, "k1", b"salt", RIGHT)
        return Decision("ok", {"tries": str(tries)}, changes=(chosen,))


Asked = Pay | Place | Post | LetGo | Refund | Reverse | SetStatus | ChoosePin


def command(key: str, content: str, asked: Asked, at_ms: int) -> Work:
    people: tuple[int, ...] = ()
    if isinstance(asked, ChoosePin):
        people = (asked.person_id,)
    elif isinstance(asked, Pay) and asked.pin is not None:
        people = (asked.pin[0],)
    return Work(
        key=key,
        content=content,
        event_at_ms=at_ms,
        subscriber_ids=people,
        account_ids=asked.accounts,
        decide=asked.decide,
        hold_ids=(asked.hold_id,) if isinstance(asked, Post | LetGo) else (),
        journal_ids=(asked.journal_id,) if isinstance(asked, Refund | Reverse) else (),
        route="desk" if isinstance(asked, SetStatus) else None,
        session_id=f"account:{asked.account_id}" if isinstance(asked, SetStatus) else None,
    )


def _take(book: Book, legs: Iterable[tuple[int, int]]) -> bool:
    return all(book.accounts[account_id].takes(minor) for account_id, minor in legs)


def _seen(book: Book, account_ids: Iterable[int]) -> str:
    """What a decision is shown of accounts, in words."""
    words = []
    for account_id in account_ids:
        one = book.accounts[account_id]
        used = one.used.at(book.today)
        words.append(
            f"{one.id} {one.balance_minor} {one.spendable_minor} {one.seq} {one.status.value} "
            f"{used.day} {used.month}"
        )
    return ", ".join(words)


def _left(posted: Posted, account_ids: Iterable[int]) -> str:
    return " ".join(str(posted.left(account_id)) for account_id in account_ids)
