"""What came and went on an account between two days, read from its chain of entries.

    entry 1 ... | first day's first entry ... last day's last entry | ... entry n
                ^ the opening balance stands in the chain

The period is found by halving and read in pages, both by the entry's number, so a statement of
a day costs the same whatever the account has seen. Nothing is summed from the beginning.

Two processes that commit around midnight may number an entry of the new day before one of the
old. The period begins with the first entry of its first day, and ends before the first of the
day behind it: each entry stands in one statement, and each statement begins with what the one
before it left.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.statement import Line, Pending, Statement
from ussd_gateway.store.database import reading
from ussd_gateway.store.days.journal_ids import first_id, id_behind
from ussd_gateway.store.schema import account, business, entry, hold, journal, subscriber
from ussd_gateway.store.snapshot import snapshot

LINES_MAX = 100_000
PAGE = 500
# More than all writers have in hand at a midnight.
OUT_OF_ORDER_MAX = 5_000

_other = entry.alias("other")
# On the other side stands whoever is neither the account itself nor the house.
_OTHER_ID = (
    select(_other.c.account_id)
    .where(
        _other.c.journal_id == entry.c.journal_id,
        _other.c.account_id != entry.c.account_id,
        _other.c.account_id < HOUSE_ID_MIN,
    )
    .order_by(_other.c.leg)
    .limit(1)
    .scalar_subquery()
)
_LINES = (
    select(
        entry.c.account_seq,
        journal.c.event_at_ms,
        journal.c.receipt,
        journal.c.kind,
        _OTHER_ID.label("other_id"),
        entry.c.minor,
        entry.c.balance_after,
    )
    .select_from(entry.join(journal, journal.c.id == entry.c.journal_id))
    .order_by(entry.c.account_seq)
)


@dataclass(frozen=True, slots=True)
class TooLong:
    """A shorter period is needed: this one has more than LINES_MAX entries."""

    entries: int


def statement(
    engine: Engine, refs: Sequence[str], *, first: date, last: date, lines_max: int = LINES_MAX
) -> Statement | TooLong | None:
    """Of the account of the first of `refs` that is there."""
    with snapshot(engine) as books:
        found = books.execute(select(account).where(account.c.public_ref.in_(refs)))
        by_ref = {row.public_ref: row for row in found}
        row = next((by_ref[ref] for ref in refs if ref in by_ref), None)
        if row is None:
            return None
        pending = tuple(_pending(books, row))

    # Entries up to `row.seq` are there for good: what comes meanwhile has higher numbers.
    with reading(engine) as connection:
        before = _entries_before(connection, row, first_id(first))
        until = _entries_before(connection, row, id_behind(last))
        if until - before > lines_max:
            return TooLong(until - before)
        return Statement(
            ref=row.public_ref,
            code=row.code,
            holder=_holder(connection, row.id),
            currency=row.currency,
            first=first,
            last=last,
            opening_minor=_opening(connection, row, before),
            lines=tuple(_lines(connection, row, before, until)),
            pending=pending,
        )


def _entries_before(connection: Connection, row: Row[Any], journal_id: int) -> int:
    """How many entries come before the first that is of `journal_id` or a higher one."""
    of_account = entry.c.account_id == row.id

    def journal_of(seq: int) -> int:
        one = select(entry.c.journal_id).where(of_account, entry.c.account_seq == seq)
        return int(connection.execute(one).scalar() or 0)

    near = bisect_left(range(1, row.seq + 1), journal_id, key=journal_of)
    first = select(func.min(entry.c.account_seq)).where(
        of_account,
        entry.c.account_seq > near - OUT_OF_ORDER_MAX,
        entry.c.account_seq <= near,
        entry.c.journal_id >= journal_id,
    )
    out_of_order: int | None = connection.execute(first).scalar()
    return near if out_of_order is None else out_of_order - 1


def _opening(connection: Connection, row: Row[Any], before: int) -> int:
    """What stood there after entry `before`: the entry says it, or the one behind it."""
    near = (
        select(entry.c.account_seq, entry.c.minor, entry.c.balance_after)
        .where(entry.c.account_id == row.id, entry.c.account_seq.in_((before, before + 1)))
        .order_by(entry.c.account_seq)
        .limit(1)
    )
    found = connection.execute(near).one_or_none()
    if found is None:
        return int((row.debits - row.credits) * row.side)
    seq, minor, balance_after = found
    return int(balance_after if seq == before else balance_after - minor * row.side)


def _lines(connection: Connection, row: Row[Any], before: int, until: int) -> Iterator[Line]:
    names: dict[int, str] = {}
    while before < until:
        page = connection.execute(
            _LINES.where(
                entry.c.account_id == row.id,
                entry.c.account_seq > before,
                entry.c.account_seq <= until,
            ).limit(PAGE)
        ).all()
        if not page:
            return
        new = {one.other_id for one in page} - names.keys() - {None}
        names |= _names(connection, sorted(new))
        for one in page:
            yield Line(
                at_ms=one.event_at_ms,
                receipt=one.receipt,
                kind=one.kind,
                other=names.get(one.other_id, ""),
                minor=one.minor * row.side,
                balance_minor=one.balance_after,
            )
        before = page[-1].account_seq


def _holder(connection: Connection, account_id: int) -> str:
    """Its name alone; empty where the house holds it."""
    return next((held.name for held in _held_by(connection, [account_id])), "")


def _names(connection: Connection, account_ids: Sequence[int]) -> dict[int, str]:
    """Who holds them: `Juma Otieno 0711***002`, `Otieno Hardware 500500`."""
    return {
        held.account_id: f"{held.name} {held.number}"
        for held in _held_by(connection, account_ids)
    }


@dataclass(frozen=True, slots=True)
class _Held:
    account_id: int
    name: str
    number: str


def _held_by(connection: Connection, account_ids: Sequence[int]) -> Iterator[_Held]:
    if not account_ids:
        return
    people = select(subscriber.c.wallet_id, subscriber.c.name, subscriber.c.msisdn).where(
        subscriber.c.wallet_id.in_(account_ids)
    )
    for account_id, name, msisdn in connection.execute(people):
        yield _Held(account_id, name, masked(msisdn))
    for of_business in (business.c.account_id, business.c.commission_id):
        traders = select(of_business, business.c.name, business.c.number).where(
            of_business.in_(account_ids)
        )
        for account_id, name, number in connection.execute(traders):
            yield _Held(account_id, name, number)


def _pending(books: Connection, row: Row[Any]) -> Iterator[Pending]:
    """The legs that its holds would have: a debit of the source, a credit of the target."""
    held = (
        select(hold)
        .where(
            hold.c.state == "pending",
            (hold.c.source_id == row.id) | (hold.c.target_id == row.id),
        )
        .order_by(hold.c.placed_at_ms, hold.c.id)
        .limit(LINES_MAX)
    )
    for one in books.execute(held):
        minor = one.minor if one.source_id == row.id else -one.minor
        yield Pending(one.kind, minor * row.side, one.placed_at_ms, one.expires_at_ms)
