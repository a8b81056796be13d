"""Days beside the entries that they closed over: invariants 13, 11, and 16 as days show it.

    journals, by their day          beside the closed days and their counters
    accounts, ends of day, entries  merged by account: totals are made again day by day

An end of day is all that an account ever moved, up to then. So each is the one before it and
the entries between; and none is more than what the account has now. Memory holds one account's
days, and one line for each closed day.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, literal, select

from ussd_gateway.store.schema import (
    account,
    closed_day,
    day_counter,
    end_of_day,
    entry,
    journal,
)
from ussd_gateway.store.snapshot import Row, rows
from ussd_gateway.store.verify.finding import Tally

_EPOCH = date(1970, 1, 1)
_ONE_DAY = timedelta(days=1)
# What a journal's id counts within its day.
_IN_A_DAY = 2**30
_ITEMS_TOLD_MAX = 5

_DAYS = select(
    closed_day.c.business_date,
    closed_day.c.journals,
    closed_day.c.entries,
    closed_day.c.accounts,
    closed_day.c.debits,
).order_by(closed_day.c.business_date)
_COUNTERS = select(day_counter.c.business_date, day_counter.c.issued, day_counter.c.closed)
_JOURNALS = select(journal.c.id, journal.c.business_date).order_by(journal.c.id)
# Three streams in one order; the number behind the id says which one a row is of.
_ACCOUNT, _END, _ENTRY = range(3)
_ACCOUNTS = select(
    account.c.id,
    literal(_ACCOUNT),
    account.c.public_ref,
    account.c.code,
    account.c.debits,
    account.c.credits,
    account.c.seq,
).order_by(account.c.id)
_ENDS = select(
    end_of_day.c.account_id,
    literal(_END),
    end_of_day.c.business_date,
    end_of_day.c.debits,
    end_of_day.c.credits,
    end_of_day.c.seq,
).order_by(end_of_day.c.account_id, end_of_day.c.business_date)
_ENTRIES = select(
    entry.c.account_id, literal(_ENTRY), entry.c.journal_id, entry.c.minor
).order_by(entry.c.account_id, entry.c.account_seq)

Totals = tuple[int, int, int]  # debits, credits, entries


@dataclass(slots=True)
class _Moved:
    """What moved on a day, by the entries."""

    debits: int = 0
    credits: int = 0
    entries: int = 0

    def add(self, minor: int) -> None:
        self.entries += 1
        if minor > 0:
            self.debits += minor
        else:
            self.credits -= minor


@dataclass(slots=True)
class _Account:
    """One account's rows of the three streams. `row` is None where it does not exist."""

    id: int
    row: Row | None = None
    ends: dict[date, Totals] = field(default_factory=dict)
    moved: dict[date, _Moved] = field(default_factory=lambda: defaultdict(_Moved))
    journals: list[tuple[int, int]] = field(default_factory=list)  # of a clearing account

    def __str__(self) -> str:
        return (
            f"account {self.id}" if self.row is None else f"account {self.id} ({self.row[0]})"
        )

    @property
    def is_clearing(self) -> bool:
        return self.row is not None and self.row[1] // 1000 == 9


def check_days(books: Connection, *, daily: Tally, growing: Tally, cleared: Tally) -> None:
    """`daily`: 13. `growing`: 16, where the books fell behind an end of day. `cleared`: 11."""
    closed = {day: told for day, *told in rows(books, _DAYS)}
    daily.checked += len(closed)
    journals = _count_journals(books, daily)
    last = max(closed, default=None)
    # A day that is being closed has some of its rows before it has its own.
    begun = last + _ONE_DAY if last else min(journals, default=None)
    _check_order(closed, journals, daily)
    _check_counters(books, closed, journals, daily)

    counted: dict[date, Counter[str]] = defaultdict(Counter)
    for one in _accounts(books):
        for day, moved in one.moved.items():
            counted[day]["entries"] += moved.entries
            counted[day]["accounts"] += 1
            counted[day]["debits"] += moved.debits
        _check_ends(one, closed, begun, daily, growing)
        _check_now(one, last, growing)
        if one.is_clearing:
            _check_cleared(one, closed, cleared)
    for day, (said, *others) in closed.items():
        found = (journals[day], *(counted[day][name] for name in _COUNTED))
        if found != (said, *others):
            daily.wrong(
                f"{day} was closed with {_listed((said, *others))}; there are {_listed(found)}"
            )


_COUNTED = ("entries", "accounts", "debits")


def _listed(counts: tuple[int, ...]) -> str:
    names = ("journals", *_COUNTED)
    return ", ".join(f"{count} {name}" for count, name in zip(counts, names, strict=True))


def _day_of(journal_id: int) -> date:
    return _EPOCH + timedelta(days=journal_id // _IN_A_DAY)


def _count_journals(books: Connection, daily: Tally) -> Counter[date]:
    journals: Counter[date] = Counter()
    for number, business_date in rows(books, _JOURNALS):
        day = _day_of(number)
        journals[day] += 1
        if day != business_date:
            daily.wrong(f"journal {number} is of {day}, and says {business_date}")
    return journals


def _check_order(closed: dict[date, Any], journals: Counter[date], daily: Tally) -> None:
    """Closed days follow each other, from the first that anything is of."""
    if not closed:
        return
    first, last = min(closed), max(closed)
    day = first
    while day <= last:
        if day not in closed:
            daily.wrong(f"{day} was never closed, and {last} was")
        day += _ONE_DAY
    for day in sorted(day for day in journals if day < first):
        daily.wrong(f"{day} was never closed, and {first} was")


def _check_counters(
    books: Connection, closed: dict[date, Any], journals: Counter[date], daily: Tally
) -> None:
    """A closed day issued as many numbers as it has journals, and issues no more."""
    counters = {day: (issued, shut) for day, issued, shut in rows(books, _COUNTERS)}
    for day in closed:
        issued, shut = counters.get(day, (0, None))
        if shut is None or shut != issued:
            daily.wrong(f"{day} is closed, and its counter can still issue numbers")
        elif issued != journals[day]:
            daily.wrong(f"{day} issued {issued} numbers, and has {journals[day]} journals")


def _accounts(books: Connection) -> Iterator[_Account]:
    streams = (rows(books, _ACCOUNTS), rows(books, _ENDS), rows(books, _ENTRIES))
    together = merge(*streams, key=itemgetter(0))
    for number, found in groupby(together, key=itemgetter(0)):
        one = _Account(number)
        for _, stream, *row in found:
            if stream == _ACCOUNT:
                one.row = tuple(row)
            elif stream == _END:
                day, *totals = row
                one.ends[day] = (totals[0], totals[1], totals[2])
            else:
                journal_id, minor = row
                one.moved[_day_of(journal_id)].add(minor)
                if one.is_clearing:
                    one.journals.append((journal_id, minor))
        yield one


def _check_ends(
    one: _Account,
    closed: dict[date, Any],
    begun: date | None,
    daily: Tally,
    growing: Tally,
) -> None:
    """Makes the totals again. After a fault it goes on from what is written."""
    totals: Totals = (0, 0, 0)
    for day in sorted({*one.ends, *one.moved}):
        end, moved = one.ends.get(day), one.moved.get(day)
        if day not in closed:
            if end is not None and day != begun:
                daily.wrong(f"{one}: has an end of {day}, which is not closed")
            continue
        if end is None:
            daily.wrong(f"{one}: moved on {day}, and has no end of that day")
            continue
        daily.checked += 1
        if moved is None:
            daily.wrong(f"{one}: did not move on {day}, and has an end of that day")
        else:
            should = (
                totals[0] + moved.debits,
                totals[1] + moved.credits,
                totals[2] + moved.entries,
            )
            if end != should:
                daily.wrong(
                    f"{one}: {day} ended with {_said(end)}; it should be {_said(should)}"
                )
        if any(now < before for now, before in zip(end, totals, strict=True)):
            growing.wrong(f"{one}: {day} ended with {_said(end)}, after {_said(totals)}")
        totals = end


def _check_now(one: _Account, last: date | None, growing: Tally) -> None:
    """What it has now is no less than what any closed day left it."""
    growing.checked += 1
    ends = [(day, totals) for day, totals in one.ends.items() if last and day <= last]
    if not ends:
        return
    if one.row is None:
        growing.wrong(f"{one} does not exist, and has ends of days")
        return
    day, totals = max(ends)
    now: Totals = (one.row[2], one.row[3], one.row[4])
    if any(here < then for here, then in zip(now, totals, strict=True)):
        growing.wrong(f"{one}: has {_said(now)}; {day} ended with {_said(totals)}")


def _check_cleared(one: _Account, closed: dict[date, Any], cleared: Tally) -> None:
    """Each closed day on which it moved, it is back at zero; where not, its items are told."""
    for day, (debits, credited, _) in sorted(one.ends.items()):
        if day not in closed:
            continue
        cleared.checked += 1
        if debits != credited:
            cleared.wrong(f"{one}: {day} left {debits - credited} in it, by {_items(one, day)}")


def _items(one: _Account, day: date) -> str:
    """The journals since it last was at zero."""
    items: list[int] = []
    balance = 0
    for journal_id, minor in one.journals:
        if _day_of(journal_id) > day:
            break
        balance += minor
        items.append(journal_id)
        if balance == 0:
            items.clear()
    told = " ".join(map(str, items[:_ITEMS_TOLD_MAX])) or "that are not there"
    more = len(items) - _ITEMS_TOLD_MAX
    return f"journals {told}" + (f" and {more} more" if more > 0 else "")


def _said(totals: Totals) -> str:
    debits, credited, entries = totals
    return f"debits {debits}, credits {credited}, {entries} entries"
