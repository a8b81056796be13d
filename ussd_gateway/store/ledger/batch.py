"""One batch of commands: decided one by one on locked rows, then written whole.

    load rows and stored outcomes -> decide each, apply it -> number the journals -> Rows

Each decision changes the book in memory before the next is made, so that two payments from one
wallet in one batch cannot both spend its last shilling. The database's CHECKs say the same
again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Any, Protocol

import structlog

from ussd_gateway.domain import receipt
from ussd_gateway.domain.book import Account, Book, Decision, Outcome, Subscriber, Work
from ussd_gateway.domain.journal import Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.ports import CONFLICT, TIMEOUT, UNKNOWN
from ussd_gateway.store.codec import decode_outcome, encode_outcome, encode_values
from ussd_gateway.store.ledger.changes import Statement, apply, statements

log = structlog.get_logger()

CLASHED = Outcome(CONFLICT, {})
NOT_DONE = Outcome(TIMEOUT, {})
IN_DOUBT = Outcome(UNKNOWN, {})

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


@dataclass(slots=True)
class Rows:
    """What a batch writes, as columns in the order of the tables."""

    business_date: date
    issued: int
    journals: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    pins: list[Row] = field(default_factory=list)
    changes: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch has to do with. Ids are sorted. `kid` is for a day that begins now."""

    subscriber_ids: Sequence[int]
    account_ids: Sequence[int]
    business_date: date
    kid: str
    keys: Sequence[str]


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
        """Locks the rows in id order, then the day's counter; then reads stored outcomes."""

    def commit(self, rows: Rows) -> None:
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
class _Decided:
    work: Work
    decision: Decision
    entries: list[tuple[int, int, int, int]]  # account, minor, balance after, account's seq


def run(
    works: Sequence[Work], books: Books, numbering: Numbering, now_ms: int
) -> tuple[list[Outcome], Rows]:
    """Everything between BEGIN and COMMIT; keys are unique among `works`. Gives their outcomes,
    which are true once the rows are committed."""
    day = numbering.market.business_date(now_ms)
    loaded = books.load(
        Wanted(
            sorted({i for work in works for i in work.subscriber_ids}),
            sorted({i for work in works for i in work.account_ids}),
            day,
            numbering.kid,
            [work.key for work in works],
        )
    )
    book = Book(loaded.subscribers, loaded.accounts)
    answers = [_stored(work, loaded) or _decide(work, book, loaded) for work in works]

    rows = Rows(day, loaded.issued)
    key = numbering.receipt_key(loaded.kid)
    outcomes = [
        _write(rows, one, key, now_ms) if isinstance(one, _Decided) else one for one in answers
    ]
    decided = [one for one in answers if isinstance(one, _Decided)]
    for account_id in sorted({entry[0] for one in decided for entry in one.entries}):
        account = loaded.accounts[account_id]
        rows.accounts.append((account.id, account.debits, account.credits, account.seq))
    # Where several tries of one person met in this batch, only the last count is written.
    tried = {one.decision.pin.subscriber_id for one in decided if one.decision.pin}
    for person_id in sorted(tried):
        rows.pins.append((person_id, loaded.subscribers[person_id].wrong_tries))
    return outcomes, rows


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
        entries = _apply(decision.posting, book) if decision.posting else []
    except Exception:
        log.exception("ledger.decision_broke", key=work.key)
        return NOT_DONE

    if decision.pin is not None:
        person = loaded.subscribers[decision.pin.subscriber_id]
        loaded.subscribers[person.id] = replace(person, wrong_tries=decision.pin.wrong_tries)
    for change in decision.changes:
        apply(change, loaded.subscribers)
    return _Decided(work, decision, entries)


def _apply(posting: Posting, book: Book) -> list[tuple[int, int, int, int]]:
    accounts = book.accounts
    for leg in posting.legs:
        assert accounts[leg.account_id].takes(leg.minor), "a decision breached floor or cap"

    entries = []
    for leg in posting.legs:
        account = accounts[leg.account_id]
        if leg.minor > 0:
            account.debits += leg.minor
        else:
            account.credits -= leg.minor
        account.seq += 1
        entries.append((account.id, leg.minor, account.balance_minor, account.seq))
    return entries


def _write(rows: Rows, one: _Decided, receipt_key: bytes, now_ms: int) -> Outcome:
    work, decision = one.work, one.decision
    journal_id, numbered = None, {}
    if decision.posting is not None:
        day, number = rows.business_date, rows.issued
        rows.issued += 1
        journal_id = day.toordinal() - _DAY_ZERO << _JOURNAL_BITS | number
        code = receipt.make(day, number, receipt_key)
        numbered = {"receipt": code}
        posting = decision.posting
        rows.journals.append(
            (journal_id, posting.kind, code, posting.tariff, day, work.event_at_ms, now_ms)
        )
        rows.entries.extend(
            (journal_id, leg, *entry) for leg, entry in enumerate(one.entries, 1)
        )

    values = {**decision.values, **numbered}
    rows.keys.append(
        (
            work.key,
            work.content,
            encode_outcome(decision.outcome, values),
            journal_id,
            work.route,
            work.session_id,
            work.msisdn,
            work.event_at_ms,
        )
    )
    rows.messages.extend(
        (
            work.key,
            message.to,
            message.template,
            message.language,
            encode_values({**message.params, **numbered}),
            work.event_at_ms,
            now_ms,
        )
        for message in decision.messages
    )
    for change in decision.changes:
        rows.changes.extend(statements(change, now_ms))
    return Outcome(decision.outcome, values)
