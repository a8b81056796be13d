"""The migrations make what `schema` says, and the books only grow."""

from datetime import date

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import AMINA, SetClock, pay
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.menus.proposals import Proposed, SqlProposals
from ussd_gateway.store.menus.stops import SqlStops
from ussd_gateway.store.menus.versions import SqlVersions
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import closed_day, end_of_day, metadata, price_book, seal
from ussd_gateway.store.staff import Keys, Role, SqlStaff

DAY = date(2026, 11, 20)


def test_the_migrations_make_the_schema(engine: Engine) -> None:
    with reading(engine) as connection:
        compared = MigrationContext.configure(connection, opts={"include_object": _is_of_all})
        assert compare_metadata(compared, metadata) == []


def _is_of_all(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    """On PostgreSQL entries stand in a table a month, each with that unique key of its own."""
    months = kind == "table" and (name or "").startswith("entry_")
    return not months and name != "uq_entry_account_id_account_seq"


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


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_row_that_never_changes_is_replaced(
    engine: Engine, clock: SetClock, writer: Writer
) -> None:
    """PostgreSQL has no REPLACE; SQLite asks no trigger of it unless it is told to."""
    writer.run(pay("k1"), within_s=5)
    _decide(engine, clock)
    with reading(engine) as connection:
        guarded = connection.execute(
            text("SELECT tbl_name FROM sqlite_master WHERE name LIKE '%_no_delete'")
        )
        tables = set(guarded.scalars())

    assert tables > {"journal", "entry", "idempotency", "menu_live", "menu_approval"}
    for table in tables:
        refused = pytest.raises(DBAPIError, match=f"{table} rows never change")
        with refused, writing(engine) as connection:
            connection.execute(text(f"REPLACE INTO {table} SELECT * FROM {table}"))


def _decide(engine: Engine, clock: SetClock) -> None:
    """A version is proposed, approved and retired, an action stopped, a batch sealed, a price
    book kept, a day closed."""
    staff, proposals = SqlStaff(engine, clock), SqlProposals(engine, clock)
    for name, role in (("njeri", Role.MAKER), ("odhiambo", Role.CHECKER)):
        staff.add(name, role, Keys("a hash", "a seed"), added_by="installation")
    proposed = Proposed("customer", "1" * 16, 0, None, "njeri", None, "{}", "[]", "{}")
    proposal = proposals.find(proposals.propose(proposed, b"octets"))
    assert proposal is not None
    proposals.approve(proposal, approver="odhiambo", rollout=None)
    SqlVersions(engine, clock).retire("customer", "1" * 16, after=1, author="odhiambo")
    SqlStops(engine, clock).stop("send_money", author="njeri")
    with writing(engine) as connection:
        connection.execute(insert(seal).values(seq=1, batch_id=1, chain=b"chain"))
        connection.execute(insert(price_book).values(id="T1", content="{}", at_ms=1))
        totals = {"account_id": AMINA, "debits": 100, "credits": 0, "seq": 1}
        connection.execute(insert(end_of_day).values(business_date=DAY, **totals))
        counted = {"journals": 1, "entries": 2, "accounts": 2, "debits": 100}
        connection.execute(
            insert(closed_day).values(business_date=DAY, closed_at_ms=1, **counted)
        )


@pytest.mark.parametrize(
    "change", ["debits = credits + 1", "debits_pending = credits + 1", "cap = credits - 1"]
)
def test_floor_and_cap_are_held_by_the_database_too(wallets: Engine, change: str) -> None:
    refused = pytest.raises(DBAPIError, match=r"ck_account_(floor|cap)")
    with refused, writing(wallets) as connection:
        connection.execute(text(f"UPDATE account SET {change} WHERE id = {AMINA}"))
