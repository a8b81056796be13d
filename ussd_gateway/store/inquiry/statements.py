"""What came and went on an account between two days, read from its chain of entries.

    closed day ... | first day ... last day | ... closed day, or now
    ^ what the end of the day says                ^ the same, or what the account holds

An entry is of the business date that its journal has, as the end of day counts it. A process
whose clock is ahead numbers an entry of a later day before those of an earlier one; the ends of
days say how many entries there are of the days between, so they are looked for around their
place in the chain until all are found. A statement of closed days costs what stands in it,
whatever the account has seen, and it always comes to what the end of day says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select

from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.statement import Line, Pending, Statement
from ussd_gateway.store.database import reading
from ussd_gateway.store.days.journal_ids import first_id, id_behind
from ussd_gateway.store.schema import (
    account,
    business,
    closed_day,
    end_of_day,
    entry,
    hold,
    journal,
    subscriber,
)
from ussd_gateway.store.snapshot import snapshot

LINES_MAX = 100_000
PAGE = 500

# Above the id of any journal.
_BEHIND_ALL = 2**63 - 1

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
_LINES = select(
    entry.c.account_seq,
    journal.c.event_at_ms,
    journal.c.receipt,
    journal.c.kind,
    _OTHER_ID.label("other_id"),
    entry.c.minor,
).select_from(entry.join(journal, journal.c.id == entry.c.journal_id))


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
        begins, ends = _closed_before(books, row, first), _closed_since(books, row, last)

    # Entries up to `row.seq` are there for good: what comes meanwhile has higher numbers.
    with reading(engine) as connection:
        opening, closing = begins.balance, ends.balance
        listed: list[_Dated] = []
        entries = 0
        for one in _between(connection, row, begins, ends):
            if one.journal_id < first_id(first):
                opening += one.minor * row.side
            elif one.journal_id >= id_behind(last):
                closing -= one.minor * row.side
            else:
                entries += 1
                if entries <= lines_max:
                    listed.append(one)
        if entries > lines_max:
            return TooLong(entries)
        listed.sort()
        return Statement(
            ref=row.public_ref,
            code=row.code,
            holder=_holder(connection, row.id),
            currency=row.currency,
            first=first,
            last=last,
            opening_minor=opening,
            closing_minor=closing,
            lines=tuple(_lines(connection, row, listed, opening)),
            pending=pending,
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the account had come to at the end of a day, or has by now: the days up to it are of
    journals below `behind`, and `seq` entries are of them."""

    behind: int
    seq: int
    balance: int


class _Dated(NamedTuple):
    """An entry. The journals of a day are numbered as they are committed."""

    journal_id: int
    seq: int
    minor: int


def _closed_before(books: Connection, row: Row[Any], day: date) -> _Standing:
    """At the end of the last day before `day` that is closed; where there is none, before the
    first entry."""
    newest = select(func.max(closed_day.c.business_date)).where(
        closed_day.c.business_date < day
    )
    found: date | None = books.execute(newest).scalar()
    if found is not None:
        return _end_of(books, row, found)
    first = select(entry.c.balance_after - entry.c.minor * row.side).where(
        entry.c.account_id == row.id, entry.c.account_seq == 1
    )
    stood: int | None = books.execute(first).scalar()
    return _Standing(0, 0, _balance(row) if stood is None else stood)


def _closed_since(books: Connection, row: Row[Any], day: date) -> _Standing:
    """At the end of `day`, or, where it is open, now."""
    is_closed = select(closed_day.c.business_date).where(closed_day.c.business_date == day)
    if books.execute(is_closed).one_or_none():
        return _end_of(books, row, day)
    return _Standing(_BEHIND_ALL, row.seq, _balance(row))


def _end_of(books: Connection, row: Row[Any], day: date) -> _Standing:
    """A day on which the account did not move is not counted for it."""
    totals = (
        select(end_of_day.c.seq, end_of_day.c.debits, end_of_day.c.credits)
        .where(end_of_day.c.account_id == row.id, end_of_day.c.business_date <= day)
        .order_by(end_of_day.c.business_date.desc())
        .limit(1)
    )
    seq, debits, credits_ = books.execute(totals).one_or_none() or (0, 0, 0)
    return _Standing(id_behind(day), seq, (debits - credits_) * row.side)


def _balance(row: Row[Any]) -> int:
    return int((row.debits - row.credits) * row.side)


def _between(
    connection: Connection, row: Row[Any], begins: _Standing, ends: _Standing
) -> Iterator[_Dated]:
    """First those that stand in their place, then around it, twice as far each time."""
    low, high = begins.seq, ends.seq
    left, step = high - low, PAGE
    stretches = [(low, high)]
    while True:
        for after, until in stretches:
            for one in _stretch(connection, row, after, until):
                if begins.behind <= one.journal_id < ends.behind:
                    left -= 1
                    yield one
        if left <= 0 or (low, high) == (0, row.seq):
            return
        before, beyond = max(0, low - step), min(row.seq, high + step)
        stretches = [(before, low), (high, beyond)]
        low, high, step = before, beyond, step * 2


def _stretch(connection: Connection, row: Row[Any], after: int, until: int) -> Iterator[_Dated]:
    while after < until:
        page = connection.execute(
            select(entry.c.journal_id, entry.c.account_seq, entry.c.minor)
            .where(
                entry.c.account_id == row.id,
                entry.c.account_seq > after,
                entry.c.account_seq <= until,
            )
            .order_by(entry.c.account_seq)
            .limit(PAGE)
        ).all()
        if not page:
            return
        yield from map(_Dated._make, page)
        after = page[-1].account_seq


def _lines(
    connection: Connection, row: Row[Any], found: Sequence[_Dated], balance: int
) -> Iterator[Line]:
    """`balance` is what stood there before them."""
    names: dict[int, str] = {}
    for begin in range(0, len(found), PAGE):
        some = found[begin : begin + PAGE]
        seqs = [one.seq for one in some]
        of_page = _LINES.where(entry.c.account_id == row.id, entry.c.account_seq.in_(seqs))
        page = {one.account_seq: one for one in connection.execute(of_page)}
        new = {one.other_id for one in page.values()} - names.keys() - {None}
        names |= _names(connection, sorted(new))
        # One whose journal is gone is missing from them: then they do not add up.
        for one in (page[seq] for seq in seqs if seq in page):
            balance += one.minor * row.side
            yield Line(
                at_ms=one.event_at_ms,
                receipt=one.receipt,
                kind=one.kind,
                other=names.get(one.other_id, ""),
                minor=one.minor * row.side,
                balance_minor=balance,
            )


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
