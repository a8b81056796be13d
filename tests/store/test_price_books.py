"""Price books are kept for good, and what was charged is what they say."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from tests.services.cast import PRICES, TARIFFS
from tests.store.conftest import SetClock, count
from ussd_gateway.domain.tariff import price_book
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.schema import price_book as kept


def test_a_book_is_kept_once_with_all_that_it_says(engine: Engine, clock: SetClock) -> None:
    books = SqlPriceBooks(engine, clock)
    for _ in range(2):
        books.keep(PRICES)
        clock.wait(60)

    with reading(engine) as connection:
        (row,) = connection.execute(select(kept)).all()
    assert (row.id, row.content) == (PRICES.id, PRICES.content)
    assert row.at_ms == int(SetClock().now().timestamp() * 1000)


def test_another_price_is_another_book(engine: Engine, clock: SetClock) -> None:
    dearer = price_book(
        replace(each, tax_percent=16) if each.service == "send" else each
        for each in TARIFFS.values()
    )
    for book in (PRICES, dearer):
        SqlPriceBooks(engine, clock).keep(book)

    assert PRICES.id != dearer.id
    assert count(engine, "price_book") == 2


@pytest.mark.parametrize(
    "change", ["UPDATE price_book SET content = content", "DELETE FROM price_book"]
)
def test_what_was_charged_by_never_changes(
    engine: Engine, clock: SetClock, change: str
) -> None:
    SqlPriceBooks(engine, clock).keep(PRICES)
    refused = pytest.raises(DBAPIError, match=r"never change|permission denied")
    with refused, writing(engine) as connection:
        connection.execute(text(change))


def test_a_book_that_cannot_be_kept_is_told(tmp_path: Path, clock: SetClock) -> None:
    nowhere = connect(f"sqlite:///{tmp_path / 'none.sqlite'}")
    with pytest.raises(BooksLost):
        SqlPriceBooks(nowhere, clock).keep(PRICES)
