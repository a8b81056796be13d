"""The balance chain over SMS: it holds in true books, and what breaks it is found."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.simulation.messages import chain
from tests.store.true_books import write_books
from ussd_gateway.settings import Settings


@pytest.fixture
def books(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    write_books(Settings(data_dir=tmp_path))
    with closing(sqlite3.connect(tmp_path / "gateway.sqlite")) as found:
        yield found


def test_it_holds_in_true_books(books: sqlite3.Connection) -> None:
    links, broken = chain(books)

    assert links >= 6
    assert broken == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE outbox SET params = json_set(params, '$.balance.minor', 1)", "were left"),
        ("UPDATE outbox SET params = json_set(params, '$.amount.minor', 1)", "it tells of"),
        ("UPDATE outbox SET params = json_set(params, '$.fee.minor', 1)", "it tells of"),
    ],
)
def test_a_message_that_tells_something_else_breaks_it(
    books: sqlite3.Connection, change: str, found: str
) -> None:
    books.execute(f"{change} WHERE id = (SELECT max(id) FROM outbox WHERE template = 'sent')")

    _, broken = chain(books)
    assert any(found in each for each in broken)


def test_a_movement_that_nobody_is_told_of_breaks_it(books: sqlite3.Connection) -> None:
    """Of a number with three messages the one in the middle is gone."""
    (msisdn,) = books.execute(
        "SELECT msisdn FROM outbox WHERE template IN ('sent', 'received') "
        "GROUP BY msisdn HAVING count(*) > 2 LIMIT 1"
    ).fetchone()
    ids = [
        row[0]
        for row in books.execute(
            "SELECT id FROM outbox WHERE msisdn = ? AND template IN ('sent', 'received') "
            "ORDER BY id",
            (msisdn,),
        )
    ]
    books.execute("DELETE FROM outbox WHERE id = ?", (ids[1],))

    _, broken = chain(books)
    assert any("was told by no SMS" in each for each in broken)
