"""The migrations make what `schema` says, and the books only grow."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import AMINA, pay
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import metadata


def test_the_migrations_make_the_schema(engine: Engine) -> None:
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)


@pytest.mark.parametrize("table", ["journal", "entry", "idempotency"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_rows_of_the_books_never_change(
    writer: Writer, wallets: Engine, table: str, change: str
) -> None:
    writer.run(pay("k1"), within_s=5)
    column = {"journal": "kind", "entry": "minor", "idempotency": "outcome"}[table]

    changed = text(change.format(table, column, column))
    refused = pytest.raises(DBAPIError, match=r"never change|permission denied")
    with refused, writing(wallets) as connection:
        connection.execute(changed)


@pytest.mark.parametrize(
    "change", ["debits = credits + 1", "debits_pending = credits + 1", "cap = credits - 1"]
)
def test_floor_and_cap_are_held_by_the_database_too(wallets: Engine, change: str) -> None:
    refused = pytest.raises(DBAPIError, match=r"ck_account_(floor|cap)")
    with refused, writing(wallets) as connection:
        connection.execute(text(f"UPDATE account SET {change} WHERE id = {AMINA}"))
