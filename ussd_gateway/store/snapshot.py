"""One moment of the database, read as streams.

SQLite: one read transaction, which in WAL sees the file as it was when it began, while the
writer goes on. PostgreSQL: REPEATABLE READ READ ONLY, through server-side cursors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Select

# Rows in hand at a time, of each stream.
ROWS_MAX = 2_000
# A stream may first be sorted by the server; that takes longer than any statement of a payment.
SORT_TIMEOUT_MS = 600_000

Row = tuple[Any, ...]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Every read inside sees the same commits, and none that is made meanwhile."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
        return

    with engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    ) as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {SORT_TIMEOUT_MS}")
        yield connection


def rows(books: Connection, statement: Select[Any]) -> Iterator[Row]:
    """A stream: however many there are, few are in memory."""
    result = books.execute(statement, execution_options={"yield_per": ROWS_MAX})
    for some in result.partitions():
        yield from some


def beside(
    heads: Iterator[Row], others: Iterator[Row]
) -> Iterator[tuple[int, Row | None, Iterator[Row]]]:
    """Two streams, each in the order of its first column, side by side.

    Gives every id of either: its head (None where it has none) and its other rows, which are to
    be read before the next id is asked for.
    """
    groups = groupby(others, key=itemgetter(0))
    group = next(groups, None)
    for head in heads:
        while group is not None and group[0] < head[0]:
            yield group[0], None, group[1]
            group = next(groups, None)
        if group is not None and group[0] == head[0]:
            yield head[0], head, group[1]
            group = next(groups, None)
        else:
            yield head[0], head, iter(())
    while group is not None:
        yield group[0], None, group[1]
        group = next(groups, None)
