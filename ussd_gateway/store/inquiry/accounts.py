"""Accounts: one as it stands, and all of them by code, now or as a day left them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, case, func, select

from ussd_gateway.domain.money import Money
from ussd_gateway.store.database import reading
from ussd_gateway.store.days.journal_ids import first_id
from ussd_gateway.store.schema import account, closed_day, end_of_day, entry
from ussd_gateway.store.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class Standing:
    """An account now. `available` is what may leave it, holds counted; None: unbounded."""

    ref: str
    code: int
    status: str
    balance: Money
    held: Money  # of it
    available: Money | None


@dataclass(frozen=True, slots=True)
class Turnover:
    """All accounts of one code and currency. `balance` is on their own side."""

    code: int
    debits: Money
    credits: Money
    balance: Money


_BY_CODE = (account.c.currency, account.c.code, account.c.side)
_NAMED = (account.c.code, account.c.currency, account.c.side)


def standing(engine: Engine, refs: Sequence[str]) -> Standing | None:
    """The account of the first of `refs` that is there."""
    found = select(account).where(account.c.public_ref.in_(refs))
    with reading(engine) as connection:
        rows = {row.public_ref: row for row in connection.execute(found)}
    row = next((rows[ref] for ref in refs if ref in rows), None)
    if row is None:
        return None

    balance = (row.debits - row.credits) * row.side
    held = row.credits_pending if row.side == 1 else row.debits_pending
    available = None if row.floor is None else Money(balance - held - row.floor, row.currency)
    money, kept = Money(balance, row.currency), Money(held, row.currency)
    return Standing(row.public_ref, row.code, row.status, money, kept, available)


def trial_balance(engine: Engine) -> list[Turnover]:
    """Now. By currency, then code."""
    sums = (
        select(*_NAMED, func.sum(account.c.debits), func.sum(account.c.credits))
        .group_by(*_BY_CODE)
        .order_by(*_BY_CODE)
    )
    with reading(engine) as connection:
        return _turnovers(connection.execute(sums))


def is_closed(engine: Engine, day: date) -> bool:
    found = select(closed_day.c.business_date).where(closed_day.c.business_date == day)
    with reading(engine) as connection:
        return connection.execute(found).first() is not None


def trial_balance_of(engine: Engine, day: date) -> list[Turnover]:
    """As `day`, which is closed, left the books. By currency, then code."""
    of_account = end_of_day.alias("of_account")
    newest = (
        select(func.max(of_account.c.business_date))
        .where(of_account.c.account_id == account.c.id, of_account.c.business_date <= day)
        .scalar_subquery()
    )
    left = (end_of_day.c.account_id == account.c.id) & (end_of_day.c.business_date == newest)
    sums = (
        select(
            *_NAMED,
            func.coalesce(func.sum(end_of_day.c.debits), 0),
            func.coalesce(func.sum(end_of_day.c.credits), 0),
        )
        .select_from(account.outerjoin(end_of_day, left))
        .group_by(*_BY_CODE)
        .order_by(*_BY_CODE)
    )
    with snapshot(engine) as books:
        return _turnovers(books.execute(sums))


def turnover_of(engine: Engine, day: date) -> list[Turnover]:
    """What moved on `day`. By currency, then code."""
    sums = (
        select(
            *_NAMED,
            func.sum(case((entry.c.minor > 0, entry.c.minor), else_=0)),
            func.sum(case((entry.c.minor < 0, -entry.c.minor), else_=0)),
        )
        .select_from(entry.join(account, account.c.id == entry.c.account_id))
        .where(
            entry.c.journal_id >= first_id(day),
            entry.c.journal_id < first_id(day + timedelta(days=1)),
        )
        .group_by(*_BY_CODE)
        .order_by(*_BY_CODE)
    )
    with snapshot(engine) as books:
        return _turnovers(books.execute(sums))


def _turnovers(rows: Iterable[Sequence[Any]]) -> list[Turnover]:
    return [
        Turnover(
            code,
            Money(int(debits), currency),
            Money(int(credited), currency),
            Money(int(debits - credited) * side, currency),
        )
        for code, currency, side, debits, credited in rows
    ]
