"""Closes days: what every account that moved had come to when the day was over.

    stop the day's numbers -> totals of each account, some thousands at a time -> the day itself

From the first step on no journal can get that date: the database holds the day's counter to
what it has issued. So the totals are the same whoever computes them and however often; where
one is killed the next begins again, and two at once write the same rows. The row of the day
comes last, and nobody counts its totals before it is there: a day is closed whole or not at
all.

Totals are read from one snapshot, which holds up nobody. On SQLite each write takes the file's
lock for as long as a few thousand rows need.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Select,
    bindparam,
    case,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from ussd_gateway.domain.market import Market
from ussd_gateway.ports import Clock
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.days.journal_ids import day_of, first_id
from ussd_gateway.store.schema import closed_day, day_counter, end_of_day, entry, journal
from ussd_gateway.store.snapshot import rows, snapshot

# A day's last payments are long committed when it is closed.
CLOSES_AFTER = timedelta(minutes=10)
# Of one short transaction.
ROWS_MAX = 2_000

_ONE_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """`accounts` are those that moved; `debits`, of all currencies, are a control total."""

    business_date: date
    journals: int
    entries: int
    accounts: int
    debits: int
    closed_at_ms: int


def _sum(amounts: ColumnElement[int]) -> ColumnElement[int]:
    """PostgreSQL's own sum of whole numbers is no whole number."""
    return cast(func.sum(amounts), BigInteger)


_FIRST: BindParameter[int] = bindparam("first")
_BEHIND: BindParameter[int] = bindparam("behind")
_DAY: BindParameter[date] = bindparam("day")
_of_the_day = (entry.c.journal_id >= _FIRST) & (entry.c.journal_id < _BEHIND)
_moved = (
    select(
        entry.c.account_id,
        _sum(case((entry.c.minor > 0, entry.c.minor), else_=0)).label("debits"),
        _sum(case((entry.c.minor < 0, -entry.c.minor), else_=0)).label("credits"),
        func.count().label("entries"),
    )
    .where(_of_the_day)
    .group_by(entry.c.account_id)
    .subquery("moved")
)
_earlier = end_of_day.alias("earlier")
_last_before = (
    select(func.max(_earlier.c.business_date))
    .where(_earlier.c.account_id == _moved.c.account_id, _earlier.c.business_date < _DAY)
    .scalar_subquery()
)
_TOTALS: Select[Any] = (
    select(
        _moved.c.account_id,
        _moved.c.debits,
        _moved.c.entries,
        (_moved.c.debits + func.coalesce(end_of_day.c.debits, 0)).label("all_debits"),
        (_moved.c.credits + func.coalesce(end_of_day.c.credits, 0)).label("all_credits"),
        (_moved.c.entries + func.coalesce(end_of_day.c.seq, 0)).label("seq"),
    )
    .select_from(
        _moved.outerjoin(
            end_of_day,
            (end_of_day.c.account_id == _moved.c.account_id)
            & (end_of_day.c.business_date == _last_before),
        )
    )
    .order_by(_moved.c.account_id)
)
_LAST_CLOSED = select(func.max(closed_day.c.business_date))
_JOURNALS = select(func.count()).where(journal.c.id >= _FIRST, journal.c.id < _BEHIND)


class EndOfDay:
    """Raises what SQLAlchemy raises where the database does not answer. A day that is closed
    too early takes no payment any more: so `clock` is to be one that does not run ahead alone
    (see `SlowerClock`)."""

    def __init__(self, engine: Engine, clock: Clock, market: Market) -> None:
        self._engine = engine
        self._clock = clock
        self._market = market

    def close_next(self) -> ClosedDay | None:
        """Closes the earliest day that is open and over. None: there is none."""
        day = self.next_open()
        return self._close(day) if day is not None and self.is_over(day) else None

    def next_open(self) -> date | None:
        """The day behind the last one that is closed; the first that any journal is of. None
        where nothing was ever posted."""
        with reading(self._engine) as connection:
            last: date | None = connection.execute(_LAST_CLOSED).scalar()
            if last is not None:
                return last + _ONE_DAY
            first = connection.execute(select(func.min(journal.c.id))).scalar()
            return None if first is None else day_of(first)

    def shut_until(self) -> date | None:
        """Where today, by this clock, is closed already, as a clock that was set back says: the
        first day on which anything can be posted again. None: today."""
        with reading(self._engine) as connection:
            last: date | None = connection.execute(_LAST_CLOSED).scalar()
        today = self._market.business_date(self._now_ms())
        return None if last is None or last < today else last + _ONE_DAY

    def is_over(self, day: date) -> bool:
        """In the market's time zone, and for long enough."""
        return day < self._market.business_date(self._now_ms() - CLOSES_AFTER // _MS)

    def closed(self, day: date) -> ClosedDay | None:
        with reading(self._engine) as connection:
            row = connection.execute(
                select(closed_day).where(closed_day.c.business_date == day)
            ).one_or_none()
        return None if row is None else ClosedDay(*row)

    def _close(self, day: date) -> ClosedDay | None:
        with writing(self._engine) as connection:
            _stop_numbers(connection, day)
        counted = self._keep_totals(day)
        with writing(self._engine) as connection:
            _add(connection, closed_day, [counted | {"closed_at_ms": self._now_ms()}])
        return self.closed(day)

    def _keep_totals(self, day: date) -> dict[str, Any]:
        """Gives what the row of the day says of them."""
        between = {"first": first_id(day), "behind": first_id(day + _ONE_DAY)}
        entries = accounts = debits = 0
        with snapshot(self._engine) as books:
            journals = books.execute(_JOURNALS, between).scalar_one()
            for some in _in_parts(rows(books, _TOTALS.params(**between, day=day))):
                with writing(self._engine) as connection:
                    _add(connection, end_of_day, [_total(row, day) for row in some])
                accounts += len(some)
                debits += sum(row[1] for row in some)
                entries += sum(row[2] for row in some)
        return {
            "business_date": day,
            "journals": journals,
            "entries": entries,
            "accounts": accounts,
            "debits": debits,
        }

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _stop_numbers(connection: Connection, day: date) -> None:
    """Waits for a commit of that day that is still on its way. A day without journals has no
    counter yet; it gets one under no key, which numbers nothing."""
    _add(connection, day_counter, [{"business_date": day, "kid": "", "issued": 0}])
    open_one = (day_counter.c.business_date == day) & day_counter.c.closed.is_(None)
    connection.execute(update(day_counter).where(open_one).values(closed=day_counter.c.issued))


def _total(row: Sequence[int], day: date) -> dict[str, Any]:
    account_id, _, _, debits, credits_, seq = row
    return {
        "account_id": account_id,
        "business_date": day,
        "debits": debits,
        "credits": credits_,
        "seq": seq,
    }


def _add(connection: Connection, table: Any, new: Sequence[dict[str, Any]]) -> None:
    """What is there already was written by somebody who closed the same day."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(table).on_conflict_do_nothing(), new)


def _in_parts(stream: Iterable[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    left = iter(stream)
    while some := list(islice(left, ROWS_MAX)):
        yield some
