"""Rows that are there twice: the database's keys forbid it, and may have been taken away. Other
tables are read in the order of their keys, where it shows by itself.
"""

from sqlalchemy import Connection, Table, func, select

from ussd_gateway.store.schema import (
    account,
    batch,
    closed_day,
    end_of_day,
    hold,
    price_book,
    unsealed,
    voucher,
)
from ussd_gateway.store.snapshot import rows
from ussd_gateway.store.verify.finding import Tally


def check_twice(
    books: Connection,
    *,
    summed: Tally,
    resolved: Tally,
    claimed: Tally,
    priced: Tally,
    daily: Tally,
    sealed: Tally,
) -> None:
    """Each table under the rule that reads it."""
    _check(books, account, summed, "id")
    _check(books, hold, resolved, "id")
    _check(books, voucher, claimed, "id")
    _check(books, price_book, priced, "id")
    _check(books, closed_day, daily, "business_date")
    _check(books, end_of_day, daily, "account_id", "business_date")
    _check(books, batch, sealed, "id")
    _check(books, unsealed, sealed, "batch_id")


def _check(books: Connection, table: Table, tally: Tally, *key: str) -> None:
    columns = [table.c[name] for name in key]
    twice = select(*columns, func.count()).group_by(*columns).having(func.count() > 1)
    for *values, times in rows(books, twice):
        words = " ".join(map(str, values))
        tally.wrong(f"{table.name.replace('_', ' ')} {words} is there {times} times")
