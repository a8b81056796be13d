"""Clearing accounts (9xxx) that a day left with something in them, item by item."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, func, select

from ussd_gateway.domain.money import Money
from ussd_gateway.store.days.journal_ids import first_id
from ussd_gateway.store.schema import account, end_of_day, entry, journal
from ussd_gateway.store.snapshot import snapshot

CLEARING = range(9000, 10_000)
ITEMS_MAX = 100


@dataclass(frozen=True, slots=True)
class Item:
    receipt: str
    kind: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Uncleared:
    """`items` are what came since it last was at zero, the newest first: ITEMS_MAX at most."""

    ref: str
    balance: Money
    items: tuple[Item, ...]


def uncleared(engine: Engine, day: date) -> list[Uncleared]:
    """As `day`, which is closed, left them."""
    of_account = end_of_day.alias("of_account")
    newest = (
        select(func.max(of_account.c.business_date))
        .where(of_account.c.account_id == account.c.id, of_account.c.business_date <= day)
        .scalar_subquery()
    )
    left = (
        select(
            account.c.id,
            account.c.public_ref,
            account.c.currency,
            account.c.side,
            (end_of_day.c.debits - end_of_day.c.credits).label("debited"),
        )
        .join(end_of_day, end_of_day.c.account_id == account.c.id)
        .where(
            account.c.code.between(CLEARING.start, CLEARING.stop - 1),
            end_of_day.c.business_date == newest,
            end_of_day.c.debits != end_of_day.c.credits,
        )
        .order_by(account.c.id)
    )
    with snapshot(engine) as books:
        return [
            Uncleared(
                row.public_ref,
                Money(row.debited * row.side, row.currency),
                _items(books, row.id, row.side, row.currency, day),
            )
            for row in books.execute(left).all()
        ]


def _items(
    books: Connection, account_id: int, side: int, currency: str, day: date
) -> tuple[Item, ...]:
    newest_first = (
        select(journal.c.receipt, journal.c.kind, entry.c.minor, entry.c.balance_after)
        .select_from(entry.join(journal, journal.c.id == entry.c.journal_id))
        .where(
            entry.c.account_id == account_id,
            entry.c.journal_id < first_id(day + timedelta(days=1)),
        )
        .order_by(entry.c.account_seq.desc())
        .limit(ITEMS_MAX)
    )
    items = []
    for receipt, kind, minor, balance_after in books.execute(newest_first):
        if balance_after == 0:
            break
        items.append(Item(receipt, kind, Money(minor * side, currency)))
    return tuple(items)
