"""The tables that entries stand in on PostgreSQL: one for each month, made before it begins.

    entry -- entry_until_2026_12 | entry_2026_12 | entry_2027_01 | ... | entry_other

Old months can be moved to slower disks, and an index that is written to stays as small as a
month. A month that nobody made in time goes to `entry_other`: no payment waits for a table.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, Engine, text

from ussd_gateway.store.database import writing
from ussd_gateway.store.days.journal_ids import first_id

MONTHS_AHEAD = 3

# What stops a writer does not stop this: it waits for nobody who pays, and gives up soon.
_WAIT = "SET LOCAL lock_timeout = '1s'"
_THERE = text(
    "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
    "WHERE inhparent = 'entry'::regclass"
)
_IN_OTHER = text(
    "SELECT EXISTS (SELECT FROM entry_other WHERE journal_id >= :first AND journal_id < :end)"
)


def keep_ahead(engine: Engine, today: date) -> int:
    """Makes the tables of the coming months that are not there yet; gives how many. Raises
    DBAPIError where somebody is in the way: to be tried again later."""
    if engine.dialect.name != "postgresql":
        return 0
    with writing(engine) as connection:
        connection.exec_driver_sql(_WAIT)
        return sum(1 for month in _missing(connection, today) if _make(connection, month))


def _missing(connection: Connection, today: date) -> Iterator[date]:
    there = set(connection.execute(_THERE).scalars())
    # The first of them took all that was there before there were months, up to its name.
    until = max(name[-7:] for name in there if name.startswith("entry_until_"))
    month = today
    for _ in range(MONTHS_AHEAD):
        month = _next(month)
        written = f"{month:%Y_%m}"
        if written >= until and f"entry_{written}" not in there:
            yield month


def _make(connection: Connection, month: date) -> bool:
    """Beside the others first and then attached, which holds up no payment and no reader."""
    first, end = first_id(month), first_id(_next(month))
    if connection.execute(_IN_OTHER, {"first": first, "end": end}).scalar_one():
        return False
    table = f"entry_{month:%Y_%m}"
    for statement in (
        (
            f"CREATE TABLE {table} (LIKE entry INCLUDING CONSTRAINTS, "
            f"CONSTRAINT pk_{table} PRIMARY KEY (journal_id, leg), "
            f"CONSTRAINT uq_{table} UNIQUE (account_id, account_seq))"
        ),
        f"ALTER TABLE entry ATTACH PARTITION {table} FOR VALUES FROM ({first}) TO ({end})",
        (
            f"CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
        ),
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER",
    ):
        connection.exec_driver_sql(statement)
    return True


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
