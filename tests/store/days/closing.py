"""Days that are closed, and what the rows and the checker say of them."""

from datetime import date, timedelta

from sqlalchemy import Engine, select

from ussd_gateway.store.database import reading
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.schema import end_of_day
from ussd_gateway.store.snapshot import snapshot
from ussd_gateway.store.verify.days import check_days
from ussd_gateway.store.verify.finding import Finding, Tally

FIRST = date(2026, 11, 21)
ONE_DAY = timedelta(days=1)
Ends = list[tuple[int, date, int, int, int]]


def ends(engine: Engine) -> Ends:
    rows = select(end_of_day).order_by(end_of_day.c.business_date, end_of_day.c.account_id)
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(rows)]


def check(engine: Engine) -> dict[int, Finding]:
    """What the checker finds, by the number of the invariant."""
    daily, growing, cleared = (Tally(number, "", "") for number in (13, 16, 11))
    with snapshot(engine) as books:
        check_days(books, daily=daily, growing=growing, cleared=cleared)
    return {13: daily.finding(), 16: growing.finding(), 11: cleared.finding()}


def broken(engine: Engine) -> set[int]:
    return {number for number, finding in check(engine).items() if not finding.ok}


def close_all(days: EndOfDay) -> list[date]:
    closed = []
    while (day := days.close_next()) is not None:
        closed.append(day.business_date)
    return closed
