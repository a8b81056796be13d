"""Journals are numbered day by day without a gap, so one that is missing leaves its number.

    id = days since 1970-01-01, shifted left by 30, | the number in that day, from 0

A day's counter says how many were given: so the last of a day cannot go unnoticed either.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, String, cast, select

from ussd_gateway.store.schema import day_counter, journal
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

_BITS = 30
_DAY_ZERO = date(1970, 1, 1).toordinal()

_COUNTERS = select(
    cast(day_counter.c.business_date, String), day_counter.c.issued, day_counter.c.closed
).order_by(day_counter.c.business_date)
_JOURNALS = select(journal.c.id).order_by(journal.c.id)


def check_numbers(books: Connection, numbered: Tally) -> None:
    for day, counter, journals in beside(_counters(books), _journals(books)):
        following = 0
        for _, number in journals:
            numbered.checked += 1
            if number > following:
                numbered.wrong(_missing(day, following, number))
            following = number + 1
        _, issued, closed = counter or (day, following, None)
        if closed not in (None, issued):
            numbered.wrong(f"{_date(day)} is closed at {closed} numbers, and issued {issued}")
        if counter is None:
            numbered.wrong(f"{_date(day)} has {following} journals, and no counter")
        elif issued > following:
            numbered.wrong(_missing(day, following, issued))
        elif issued < following:
            numbered.wrong(f"{_date(day)} has {following} journals; its counter says {issued}")


def _counters(books: Connection) -> Iterator[Row]:
    for day, *counted in rows(books, _COUNTERS):
        yield date.fromisoformat(day).toordinal() - _DAY_ZERO, *counted


def _journals(books: Connection) -> Iterator[Row]:
    for (journal_id,) in rows(books, _JOURNALS):
        yield journal_id >> _BITS, journal_id & ((1 << _BITS) - 1)


def _missing(day: int, first: int, end: int) -> str:
    """From `first` up to before `end`."""
    ids = (day << _BITS | first, day << _BITS | end - 1)
    if end - first == 1:
        return f"journal {ids[0]} of {_date(day)} is missing"
    return f"journals {ids[0]} to {ids[1]} of {_date(day)} are missing ({end - first})"


def _date(day: int) -> str:
    return str(date.fromordinal(day + _DAY_ZERO))
