"""One batch of commands: decided one by one on locked rows, then written whole.

    load rows and stored outcomes -> decide each, apply it, number its journal -> Rows, in parts

Each decision changes the book in memory before the next is made, so that two payments from one
wallet in one batch cannot both spend its last shilling. The database's CHECKs say the same
again. It writes one part of the commands while the next one is decided.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Any, Protocol

import structlog

from ussd_gateway.domain import receipt
from ussd_gateway.domain.book import (
    Account,
    Book,
    CapSet,
    Change,
    Decision,
    HoldDecided,
    HoldPlaced,
    Outcome,
    Spent,
    Status,
    StatusSet,
    Subscriber,
    VoucherEnded,
    VoucherTried,
    Work,
)
from ussd_gateway.domain.journal import REVERSAL, Hold, HoldState, Posted, Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.voucher import Voucher, VoucherState
from ussd_gateway.ports import CONFLICT, TIMEOUT, UNKNOWN
from ussd_gateway.store.codec import decode_outcome, encode_outcome, encode_values
from ussd_gateway.store.ledger.changes import Statement, apply, statements
from ussd_gateway.store.ledger.sealing import batch_digest, command_digest, held

log = structlog.get_logger()

CLASHED = Outcome(CONFLICT, {})
NOT_DONE = Outcome(TIMEOUT, {})
IN_DOUBT = Outcome(UNKNOWN, {})

# Decided while the database writes as many others.
PART_MAX = 100

_JOURNAL_BITS = 30
_DAY_ZERO = date(1970, 1, 1).toordinal()

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows of a batch, locked, and what earlier commits stored under its keys."""

    subscribers: dict[int, Subscriber]
    accounts: dict[int, Account]
    issued: int  # numbers of the day that are taken
    kid: str  # names the key of the day's receipts
    stored: Mapping[str, tuple[str, str]]  # key -> content, outcome
    holds: dict[int, Hold]
    journals: dict[int, Posted]
    vouchers: dict[int, Voucher] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch has to do with. Ids are sorted. `kid` is for a day that begins now."""

    subscriber_ids: Sequence[int]
    account_ids: Sequence[int]
    business_date: date
    kid: str
    keys: Sequence[str]
    hold_ids: Sequence[int]
    journal_ids: Sequence[int]
    voucher_ids: Sequence[int] = ()


class Trouble(Enum):
    """What an error in the middle of a batch means."""

    LOST = "lost"  # no answer came: if this was a COMMIT, nobody knows
    BUSY = "busy"  # locked, full, deadlocked, or a key taken meanwhile: it may go through later
    REFUSED = "refused"  # a row that the database will never take, or a fault of ours


class Books(Protocol):
    """One database transaction, spoken in the database's own tongue."""

    def begin(self) -> None:
        """Connects too, where that is needed."""

    def load(self, wanted: "Wanted") -> Loaded:
        """Locks the rows in id order, then the day's counter; then reads stored outcomes, and
        what was taken back of journals."""

    def commit(self, rows: "Rows") -> None:
        """Writes all of it and commits. Fails where another process stored one of the keys
        meanwhile."""

    def undo(self, error: Exception) -> Trouble:
        """Rolls back, or lets the connection go: nothing of the transaction is kept, unless the
        answer to its COMMIT was lost. Never raises. Says what `error` means."""

    def close(self) -> None:
        """Lets the connection go."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How journals get their ids, business dates and receipts: numbers without a gap.

    A day keeps the receipt key that it began with: two permutations would meet in the same
    receipt sooner or later. So a key that is replaced stays on the ring (PIN_KEY).
    """

    receipt_key: Callable[[str], bytes]  # by its name; KeyError for one that is not on the ring
    kid: str  # the current one's
    market: Market


@dataclass(slots=True)
class Part:
    """What some of the commands write, as columns in the order of the tables."""

    changes: list[Statement] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    journals: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Rows:
    """What a batch writes. To be gone through once, part by part: each is decided when it is
    asked for. What stands below `parts` is whole behind the last one."""

    business_date: date
    at_ms: int
    issued: int
    parts: Iterator[Part] = field(default_factory=lambda: iter(()))
    accounts: list[Row] = field(default_factory=list)
    pins: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)  # true once all is committed

    @property
    def digest(self) -> bytes:
        """Of all that is written."""
        return batch_digest((row[0], row[-1]) for row in self.keys)


@dataclass(slots=True)
class _Decided:
    work: Work
    decision: Decision
    entries: list[Row]  # leg, account, minor, balance after, account's seq
    touched: set[int]


def run(works: Sequence[Work], books: Books, numbering: Numbering, now_ms: int) -> Rows:
    """What a transaction that has begun is to write; keys are unique among `works`."""
    day = numbering.market.business_date(now_ms)
    loaded = books.load(
        Wanted(
            sorted({i for work in works for i in work.subscriber_ids}),
            sorted({i for work in works for i in work.account_ids}),
            day,
            numbering.kid,
            [work.key for work in works],
            sorted({i for work in works for i in work.hold_ids}),
            sorted({i for work in works for i in work.journal_ids}),
            sorted({i for work in works for i in work.voucher_ids}),
        )
    )
    book = Book(
        loaded.subscribers,
        loaded.accounts,
        loaded.holds,
        loaded.journals,
        now_ms,
        day,
        loaded.vouchers,
    )
    rows = Rows(day, now_ms, loaded.issued)
    rows.parts = _parts(works, book, loaded, rows, numbering.receipt_key(loaded.kid))
    return rows


def _parts(
    works: Sequence[Work], book: Book, loaded: Loaded, rows: Rows, receipt_key: bytes
) -> Iterator[Part]:
    touched: set[int] = set()  # accounts that are written anew
    # Where several tries of one person met in this batch, only the last count is written.
    tried: set[int] = set()
    for first in range(0, len(works), PART_MAX):
        part = Part()
        for work in works[first : first + PART_MAX]:
            answer = _stored(work, loaded) or _decide(work, book, loaded)
            if isinstance(answer, _Decided):
                touched |= answer.touched
                if answer.decision.pin is not None:
                    tried.add(answer.decision.pin.subscriber_id)
                answer = _tell(part, rows, answer, receipt_key)
            rows.outcomes.append(answer)
        yield part
    for account_id in sorted(touched):
        rows.accounts.append(_account_row(loaded.accounts[account_id]))
    for person_id in sorted(tried):
        rows.pins.append((person_id, loaded.subscribers[person_id].wrong_tries))


def _account_row(account: Account) -> Row:
    return (
        account.id,
        account.debits,
        account.credits,
        account.debits_pending,
        account.credits_pending,
        account.seq,
        account.status.value,
        account.used.on,
        account.used.day,
        account.used.month,
    )


def _stored(work: Work, loaded: Loaded) -> Outcome | None:
    found = loaded.stored.get(work.key)
    if found is None:
        return None
    content, outcome = found
    return decode_outcome(outcome) if content == work.content else CLASHED


def _decide(work: Work, book: Book, loaded: Loaded) -> _Decided | Outcome:
    # A command that breaks must not harm the strangers in its batch: this is the wall.
    try:
        decision = work.decide(book)
        _check(decision, book)
    except Exception:
        log.exception("ledger.decision_broke", key=work.key)
        return NOT_DONE

    touched = _apply(decision, loaded)
    entries = _post(decision.posting, loaded) if decision.posting else []
    touched.update(entry[1] for entry in entries)
    if decision.spent is not None:
        touched.add(_count_spent(decision.spent, book))
    if decision.pin is not None:
        person = loaded.subscribers[decision.pin.subscriber_id]
        loaded.subscribers[person.id] = replace(person, wrong_tries=decision.pin.wrong_tries)
    for change in decision.changes:
        apply(change, loaded.subscribers)
    return _Decided(work, decision, entries, touched)


def _check(decision: Decision, book: Book) -> None:
    """What no decision may do, found before any of it is applied."""
    ends = [change for change in decision.changes if isinstance(change, HoldDecided)]
    freed = {change.hold_id for change in ends}
    assert all(book.holds[each].state is HoldState.PENDING for each in freed), "decided twice"
    let_go = [book.holds[change.hold_id] for change in ends if not change.posted]
    for change in decision.changes:
        _check_change(change, let_go, book)
    posting = decision.posting
    if posting is None:
        return
    assert posting.hold_id is None or posting.hold_id in freed, "its hold is still pending"
    moved: dict[int, int] = {}
    for leg in posting.legs:
        moved[leg.account_id] = moved.get(leg.account_id, 0) + leg.minor
    currency = book.accounts[posting.legs[0].account_id].currency
    for account_id, minor in moved.items():
        account = book.accounts[account_id]
        assert account.currency == currency, "one currency"
        held = _freed(account, freed, book) if freed else 0
        desks = _desks(account, minor, posting, book)
        takes = account.gives_back if desks else account.takes
        assert takes(minor, freed=held), "a decision breached floor, cap or status"
    if posting.reverses_id is not None:
        original = book.journals[posting.reverses_id]
        for account_id in {leg.account_id for leg in original.legs} & moved.keys():
            left, back = original.left(account_id), -moved[account_id]
            assert min(0, left) <= back <= max(0, left), "more is taken back than is left"


def _desks(account: Account, minor: int, posting: Posting, book: Book) -> bool:
    """Whether it is taken back out of what is held for that: two of the staff have decided it,
    or its payee has."""
    if posting.hold_id is None or posting.reverses_id is None:
        return False
    hold = book.holds[posting.hold_id]
    held = minor if account.id == hold.source_id else 0
    return hold.journal_id == posting.reverses_id and 0 < held <= hold.minor


def _check_change(change: Change, let_go: Sequence[Hold], book: Book) -> None:
    """`let_go`: the holds that the same decision lets go of, and posts nothing of."""
    match change:
        case HoldPlaced(hold=hold) if not _passed_on(hold, let_go):
            took_back = {each.journal_id for each in let_go if each.journal_id is not None}
            assert hold.journal_id not in took_back, "it is passed on, on other terms"
            source = book.accounts[hold.source_id]
            takes = source.takes if hold.journal_id is None else source.gives_back
            assert takes(hold.minor), "more is held than is there"
            assert book.accounts[hold.target_id].takes(-hold.minor), "more is held than fits"
        case HoldDecided(hold_id=number, posted=posted) if posted:
            assert book.holds[number].open(book.now_ms), "its time is over"
        case StatusSet(account_id=number, status=Status.CLOSED):
            account = book.accounts[number]
            assert account.debits == account.credits, "only an empty account is closed"
        case VoucherEnded(voucher_id=number) | VoucherTried(voucher_id=number):
            assert book.vouchers[number].state is VoucherState.OPEN, "a voucher ends once"


def _passed_on(hold: Hold, let_go: Sequence[Hold]) -> bool:
    """Whether it was held before, of the same account, for the same one, until the same moment:
    then nothing more is, whatever the two may take by now."""
    return hold in (replace(each, id=hold.id, kind=hold.kind) for each in let_go)


def _apply(decision: Decision, loaded: Loaded) -> set[int]:
    """Holds that are placed or decided, statuses and caps: the accounts that they change. And
    vouchers, which change none by themselves."""
    touched: set[int] = set()
    for change in decision.changes:
        match change:
            case HoldPlaced(hold=hold):
                touched |= _pend(hold, loaded.accounts, hold.minor)
                _take_in_hand(hold, hold.id, loaded)
            case HoldDecided(hold_id=number, state=state, posted=posted):
                hold = loaded.holds[number]
                touched |= _pend(hold, loaded.accounts, -hold.minor)
                _take_in_hand(hold, None, loaded)
                loaded.holds[number] = replace(hold, state=state, posted=posted)
            case StatusSet(account_id=number, status=status):
                loaded.accounts[number].status = status
                touched.add(number)
            case CapSet(account_id=number, cap=cap):
                loaded.accounts[number].cap = cap
            case VoucherEnded(voucher_id=number, state=ended):
                loaded.vouchers[number] = replace(loaded.vouchers[number], state=ended)
            case VoucherTried(voucher_id=number, wrong_tries=tries):
                loaded.vouchers[number] = replace(loaded.vouchers[number], wrong_tries=tries)
    return touched


def _freed(account: Account, freed: set[int], book: Book) -> int:
    """What of an account's pending total is of these holds, whichever side it is on."""
    holds = (book.holds[each] for each in freed)
    return sum(each.minor for each in holds if account.id in (each.source_id, each.target_id))


def _pend(hold: Hold, accounts: Mapping[int, Account], minor: int) -> set[int]:
    """The legs that it would have: a debit of its source, a credit of its target."""
    accounts[hold.source_id].debits_pending += minor
    accounts[hold.target_id].credits_pending += minor
    return {hold.source_id, hold.target_id}


def _take_in_hand(hold: Hold, hold_id: int | None, loaded: Loaded) -> None:
    """Later commands of the batch see that its journal is about to be taken back, or not."""
    if (posted := loaded.journals.get(hold.journal_id or 0)) is not None:
        held_as = posted.held_as | {hold.kind}
        loaded.journals[posted.id] = replace(posted, in_hand=hold_id, held_as=held_as)


def _count_spent(spent: Spent, book: Book) -> int:
    account = book.accounts[spent.account_id]
    if spent.back_of is None:
        account.used = account.used.plus(spent.minor, book.today)
    else:
        account.used = account.used.minus(spent.minor, spent_on=spent.back_of)
    return account.id


def _post(posting: Posting, loaded: Loaded) -> list[Row]:
    entries: list[Row] = []
    for number, leg in enumerate(posting.legs, 1):
        account = loaded.accounts[leg.account_id]
        if leg.minor > 0:
            account.debits += leg.minor
        else:
            account.credits -= leg.minor
        account.seq += 1
        entries.append((number, account.id, leg.minor, account.balance_minor, account.seq))
    if posting.reverses_id is not None:
        _take_back(posting, posting.reverses_id, loaded)
    return entries


def _take_back(posting: Posting, original_id: int, loaded: Loaded) -> None:
    """Later commands of the batch see what is taken back now."""
    posted = loaded.journals[original_id]
    taken = Counter(posted.taken_back)
    for leg in posting.legs:
        taken[leg.account_id] += leg.minor
    loaded.journals[original_id] = replace(
        posted, taken_back=taken, reversed=posted.reversed or posting.kind == REVERSAL
    )


def _tell(part: Part, rows: Rows, one: _Decided, receipt_key: bytes) -> Outcome:
    """Numbers the journal, and writes all down."""
    work, decision = one.work, one.decision
    journal: Row | None = None
    numbered: dict[str, str] = {}
    if decision.posting is not None:
        journal = _journal_row(rows, work, decision.posting, receipt_key)
        rows.issued += 1
        part.journals.append(journal)
        part.entries += [(journal[0], *entry) for entry in one.entries]
        numbered = {"receipt": journal[2]}
    for change in decision.changes:
        part.changes += statements(change, work.key, rows.at_ms)

    values = {**decision.values, **numbered}
    outcome = encode_outcome(decision.outcome, values)
    known = (work.key, work.content, outcome)
    origin = (work.route, work.session_id, work.msisdn, work.event_at_ms)
    holds = held(decision.changes, rows.at_ms) if decision.changes else ()
    digest = command_digest((*known, *origin), journal, one.entries, holds)
    rows.keys.append((*known, journal and journal[0], *origin, digest))
    for message in decision.messages:
        params = encode_values({**message.params, **numbered})
        sms = (work.key, message.to, message.template, message.language, params)
        part.messages.append((*sms, work.event_at_ms, message.priority))
    return Outcome(decision.outcome, values)


def _journal_row(rows: Rows, work: Work, posting: Posting, receipt_key: bytes) -> Row:
    day, number = rows.business_date, rows.issued
    return (
        _journal_id(day, number),
        posting.kind,
        receipt.make(day, number, receipt_key),
        posting.tariff,
        day,
        work.event_at_ms,
        rows.at_ms,
        posting.reverses_id,
        posting.hold_id,
    )


def _journal_id(day: date, number: int) -> int:
    return day.toordinal() - _DAY_ZERO << _JOURNAL_BITS | number
