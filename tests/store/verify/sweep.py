"""Every column of every table of the books changed, rows removed and doubled: one at a time,
looked at, and put back.

What is looked for: that the checker tells of it under the rule that the table is kept by, and
names the row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    true,
    update,
)

from tests.store.verify.crowbar import disarmed, loosen
from ussd_gateway.store import schema
from ussd_gateway.store.database import reading
from ussd_gateway.store.verify import Finding, verify

_ALL = true()


@dataclass(frozen=True, slots=True)
class Kept:
    """How a table is kept: by what a row is known, and the rules of which one must tell.
    `named` is the column by whose value it is told: of rows that are gone, a neighbour's."""

    table: Table
    key: tuple[str, ...]
    rules: frozenset[int | None]
    named: str
    only: ColumnElement[bool] = _ALL  # rows that anything depends on


_SEALED = schema.batch.c.id.in_(select(schema.seal.c.batch_id))
_DAY = schema.closed_day.c.business_date
_LAST_DAY = select(func.max(_DAY)).scalar_subquery()
ANY = frozenset({None, *range(1, 17)})
BOOKS = (
    Kept(schema.journal, ("id",), frozenset({14}), "id"),
    Kept(schema.entry, ("journal_id", "leg"), frozenset({14}), "journal_id"),
    Kept(schema.idempotency, ("key",), frozenset({8, 14}), "key"),
    # The time of a commit is sealed with it, a second later.
    Kept(schema.batch, ("id",), frozenset({14}), "id", _SEALED),
    Kept(schema.unsealed, ("batch_id",), frozenset({14}), "batch_id"),
    Kept(schema.seal, ("seq",), frozenset({14}), "seq"),
    Kept(schema.hold, ("id",), frozenset({7, 14}), "id"),
    Kept(schema.account, ("id",), ANY, "id", schema.account.c.seq > 0),
    Kept(schema.end_of_day, ("account_id", "business_date"), frozenset({13}), "account_id"),
    # Without the last one its day is about to be closed.
    Kept(
        schema.closed_day,
        ("business_date",),
        frozenset({13}),
        "business_date",
        _DAY < _LAST_DAY,
    ),
    Kept(schema.price_book, ("id",), frozenset({12}), "id"),
    Kept(schema.day_counter, ("business_date",), frozenset({None, 13}), "business_date"),
)
# What nothing else in the books depends on, and what would have to be known from outside.
LOOSE = {
    ("closed_day", "closed_at_ms"): "when a day was closed, for a person to read",
    ("price_book", "at_ms"): "when it was kept, for a person to read",
    ("account", "cap"): "its tier's, where no order set it: the tiers are in a file",
    (
        "day_counter",
        "kid",
    ): "which key receipts were made with, of which the books know nothing",
}


@dataclass(frozen=True, slots=True)
class Swept:
    """`seen`: told under its rule, with its row."""

    what: str
    seen: bool
    told: tuple[str, ...]


Choose = Callable[[Sequence[Any]], Sequence[Any]]


def every_end(rows: Sequence[Any]) -> list[Any]:
    """First, middle, last."""
    return [rows[at] for at in sorted({0, len(rows) // 2, len(rows) - 1})] if rows else []


def one_each(rows: Sequence[Any]) -> list[Any]:
    return [rows[len(rows) // 2]] if rows else []


def sweep(engine: Engine, heads: Path, choose: Choose) -> Iterator[Swept]:
    """The books are as they were, behind it, but for keys and CHECKs."""
    loosen(engine)
    for kept in BOOKS:
        keys = [kept.table.c[name] for name in kept.key]
        with reading(engine) as connection:
            wanted = select(kept.table).where(kept.only).order_by(*keys)
            rows = connection.execute(wanted).mappings().all()
        for row in choose(rows):
            for column in kept.table.c:
                if (kept.table.name, column.name) not in LOOSE:
                    yield _changed(engine, heads, kept, dict(row), column)
            yield _removed(engine, heads, kept, dict(row))
            yield _doubled(engine, heads, kept, dict(row))


def _changed(
    engine: Engine, heads: Path, kept: Kept, row: dict[str, Any], column: Column[Any]
) -> Swept:
    # A key is to be nobody else's.
    by = 10_000 if column.name in kept.key else 1
    other = row | {column.name: _another(row[column.name], column, by)}
    with disarmed(engine) as books:
        mine = _where(kept, row)
        values = {column.name: other[column.name]}
        changed = books.execute(update(kept.table).where(mine).values(values))
        assert changed.rowcount == 1, (kept.table.name, column.name, changed.rowcount)
    what = f"{kept.table.name}.{column.name}: {row[column.name]!r} to {other[column.name]!r}"
    swept = _look(engine, heads, kept, row=row, other=other, what=what)
    with disarmed(engine) as books:
        books.execute(update(kept.table).where(_where(kept, other)).values(row))
    return swept


def _removed(engine: Engine, heads: Path, kept: Kept, row: dict[str, Any]) -> Swept:
    with disarmed(engine) as books:
        assert books.execute(delete(kept.table).where(_where(kept, row))).rowcount == 1
    what = f"{kept.table.name}: {_id(kept, row)} removed"
    swept = _look(engine, heads, kept, row=row, other=None, what=what)
    with disarmed(engine) as books:
        books.execute(insert(kept.table).values(row))
    return swept


def _doubled(engine: Engine, heads: Path, kept: Kept, row: dict[str, Any]) -> Swept:
    with disarmed(engine) as books:
        books.execute(insert(kept.table).values(row))
    what = f"{kept.table.name}: {_id(kept, row)} doubled"
    swept = _look(engine, heads, kept, row=row, other=row, what=what)
    with disarmed(engine) as books:
        _put_back(books, kept, row)
    return swept


def _put_back(books: Connection, kept: Kept, row: dict[str, Any]) -> None:
    books.execute(delete(kept.table).where(_where(kept, row)))
    books.execute(insert(kept.table).values(row))


def _look(
    engine: Engine,
    heads: Path,
    kept: Kept,
    *,
    row: dict[str, Any],
    other: dict[str, Any] | None,
    what: str,
) -> Swept:
    """`other` is what stands there now; None: nothing does, and so nothing can name it."""
    wrong = [one for one in verify(engine, heads) if not one.ok]
    under = [one for one in wrong if one.number in kept.rules]
    names = {str(one[kept.named]) for one in (row, other)} if other else {""}
    named = any(name in words for name in names for words in _words(under))
    return Swept(what, named, tuple(_words(wrong)))


def _words(findings: Sequence[Finding]) -> list[str]:
    return [f"{one.number or '-'}: {words}" for one in findings for words in one.shown]


def _where(kept: Kept, row: dict[str, Any]) -> Any:
    return and_(*(kept.table.c[name] == row[name] for name in kept.key))


def _id(kept: Kept, row: dict[str, Any]) -> str:
    return " ".join(str(row[name]) for name in kept.key)


def _another(value: Any, column: Column[Any], by: int) -> Any:
    """Of its type, and not what it was."""
    match value:
        case None if column.type.python_type is str:
            return "x"
        case None if column.type.python_type is date:
            return date(2026, 11, 20)
        case None:
            return 1
        case bool():
            return not value
        case int():
            return value + by
        case str():
            return value[:-1] + ("y" if value.endswith("x") else "x")
        case date():
            return value + timedelta(days=by)
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case _:
            raise AssertionError(f"{column}: {value!r}")
