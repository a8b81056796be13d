"""Invariant 15: rows of the books never change, because the database itself refuses it.

Looked at twice. The triggers must be there, armed, for every row and without conditions, as the
database describes them; and a real UPDATE and DELETE of each table's first row, in a
transaction that is rolled back whatever comes, must be refused. TRUNCATE is not tried: the try
would wait for every payment, and every payment for it.
"""

import re
from collections.abc import Iterator

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Select,
    Table,
    Update,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import entry, idempotency, journal
from ussd_gateway.store.verify.finding import Tally

# Each table with a column to try to change, and the one that finds its first row.
_TABLES: tuple[tuple[Table, str, str], ...] = (
    (journal, "kind", "id"),
    (entry, "minor", "journal_id"),
    (idempotency, "outcome", "key"),
)

_SQLITE_TRIGGERS = text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
_SQLITE_GUARD = (
    r"CREATE TRIGGER \w+ BEFORE {verb} ON {table} (FOR EACH ROW )?"
    r"BEGIN SELECT RAISE ?\(ABORT, '[^']*'\); END"
)

_POSTGRES_TRIGGERS = text(
    "SELECT c.relname, t.tgtype, p.prosrc FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    # Armed for every session but replicas', on all columns, and unconditionally.
    "WHERE t.tgenabled IN ('O', 'A') AND t.tgattr::text = '' AND t.tgqual IS NULL "
    "AND t.tgrelid IN (to_regclass('journal'), to_regclass('entry'), "
    "to_regclass('idempotency'))"
)
_POSTGRES_BEFORE = 2
_POSTGRES_VERBS = {"DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_POSTGRES_GUARD = re.compile(r"\s*BEGIN\s+RAISE\s+EXCEPTION\b", re.IGNORECASE)

# A trigger; and on PostgreSQL a right that was revoked, or a standby, which takes no writes.
_REFUSALS = frozenset({"SQLITE_CONSTRAINT_TRIGGER", "P0001", "42501", "25006"})


def check_guards(books: Connection, guarded: Tally) -> None:
    on_sqlite = books.dialect.name == "sqlite"
    found = set(_sqlite_guards(books) if on_sqlite else _postgres_guards(books))
    # SQLite has no TRUNCATE.
    verbs = ("UPDATE", "DELETE") if on_sqlite else tuple(_POSTGRES_VERBS)
    for table, _, _ in _TABLES:
        for verb in verbs:
            guarded.checked += 1
            if (table.name, verb) not in found:
                guarded.wrong(f"{table.name}: no trigger forbids {verb}")


def try_to_change(engine: Engine, guarded: Tally) -> None:
    """Leaves no trace, whether it is refused or not."""
    for table, column, key in _TABLES:
        first = table.c[key] == _first(table, key).scalar_subquery()
        for verb, statement in (
            ("UPDATE", update(table).where(first).values({column: table.c[column]})),
            ("DELETE", delete(table).where(first)),
        ):
            guarded.checked += 1
            if not _is_refused(engine, statement, _first(table, key)):
                guarded.wrong(f"{table.name}: {verb} of a row was not refused (it was undone)")


def _first(table: Table, key: str) -> Select[tuple[object]]:
    return select(func.min(table.c[key]))


def _is_refused(
    engine: Engine, statement: Update | Delete, first: Select[tuple[object]]
) -> bool:
    """True of an empty table too: there is no row that could be changed."""
    with writing(engine) as connection:
        try:
            if connection.execute(first).scalar() is None:
                return True
            connection.execute(statement)
        except DBAPIError as error:
            if _reason(error) not in _REFUSALS:
                raise
            return True
        finally:
            connection.rollback()
    return False


def _reason(error: DBAPIError) -> str | None:
    """The database's own name or number of it."""
    return getattr(error.orig, "sqlite_errorname", None) or getattr(
        error.orig, "sqlstate", None
    )


def _sqlite_guards(books: Connection) -> Iterator[tuple[str, str]]:
    for table, sql in books.execute(_SQLITE_TRIGGERS):
        for verb in ("UPDATE", "DELETE"):
            shape = _SQLITE_GUARD.format(verb=verb, table=table)
            if re.fullmatch(shape, " ".join(sql.split()), re.IGNORECASE):
                yield table, verb


def _postgres_guards(books: Connection) -> Iterator[tuple[str, str]]:
    for table, kind, source in books.execute(_POSTGRES_TRIGGERS):
        if not kind & _POSTGRES_BEFORE or not _POSTGRES_GUARD.match(source):
            continue
        for verb, bit in _POSTGRES_VERBS.items():
            if kind & bit:
                yield table, verb
