"""Opens true books for whoever wants to break them, as somebody could who owns the database.

Triggers, keys and CHECKs are gone while a tamper runs; the triggers are put back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine

from tests.store.verify.forger import Forged, forge

GUARDED = (
    *("journal", "entry", "idempotency", "batch", "seal"),
    *("price_book", "end_of_day", "closed_day"),
)
RULES = {
    "account_only_grows": "account",
    "account_barred": "account",
    "hold_decided_once": "hold",
    "hold_kept": "hold",
    "voucher_ends_once": "voucher",
    "voucher_kept": "voucher",
    "account_kept": "account",
    "day_kept_closed": "day_counter",
}

_TABLES = (*GUARDED, "account", "outbox", "hold", "voucher", "unsealed", "day_counter")


@dataclass(frozen=True, slots=True)
class Tamper:
    broken: set[int | None]  # exactly the invariants that no longer hold
    told: str  # some of the words of one fault
    sql: str  # statements, each of which must change something
    forged: Forged = Forged.NOTHING  # what is made to fit afterwards

    @property
    def statements(self) -> list[str]:
        return [one for part in self.sql.split(";") if (one := part.strip())]


def tamper(
    engine: Engine, statements: Sequence[str], *, forged: Forged = Forged.NOTHING
) -> None:
    loosen(engine)
    with disarmed(engine) as connection:
        for statement in statements:
            # As it is written: a colon or a percent sign is nothing special.
            changed = connection.exec_driver_sql(statement.replace("%", _PERCENT[engine.name]))
            assert changed.rowcount, f"changed nothing: {statement}"
        forge(connection, forged)


# Of a table and its partitions; what a partition has from its table goes with that.
_KEYS_AND_CHECKS = """
    SELECT conrelid::regclass, conname FROM pg_constraint
    WHERE contype IN ('c', 'p', 'u') AND conparentid = 0 AND coninhcount = 0
        AND (conrelid = '{table}'::regclass OR conrelid IN
            (SELECT inhrelid FROM pg_inherits WHERE inhparent = '{table}'::regclass))
"""
_PERCENT = {"sqlite": "%", "postgresql": "%%"}


def loosen(engine: Engine) -> None:
    """Takes keys and CHECKs away, and leaves every row as it is."""
    with disarmed(engine) as connection:
        run = connection.exec_driver_sql
        for table in _TABLES:
            if engine.name == "sqlite":
                run(f"CREATE TABLE loose AS SELECT * FROM {table}")
                run(f"DROP TABLE {table}")
                run(f"ALTER TABLE loose RENAME TO {table}")
                continue
            for part, rule in run(_KEYS_AND_CHECKS.format(table=table)).all():
                run(f"ALTER TABLE {part} DROP CONSTRAINT {rule} CASCADE")


@contextmanager
def disarmed(engine: Engine) -> Iterator[Connection]:
    """One transaction in which nothing is refused. The guards are back behind it."""
    if engine.name == "sqlite":
        burglar = create_engine(engine.url)
    else:
        options = "-c session_replication_role=replica"
        burglar = create_engine(engine.url, connect_args={"options": options})
    with burglar.begin() as connection:
        run = connection.exec_driver_sql
        guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        armed = run(guards).all() if engine.name == "sqlite" else ()
        for name, _ in armed:
            run(f"DROP TRIGGER {name}")
        yield connection
        for _, guard in armed:
            run(guard)
    burglar.dispose()


def disarm(dialect: str) -> Iterator[str]:
    """Takes every guard off the books."""
    for table in GUARDED:
        if dialect == "sqlite":
            yield f"DROP TRIGGER {table}_no_update"
            yield f"DROP TRIGGER {table}_no_delete"
        else:
            yield f"DROP TRIGGER {table}_no_change ON {table}"
            yield f"DROP TRIGGER {table}_no_truncate ON {table}"
    for rule, table in RULES.items():
        yield f"DROP TRIGGER {rule}" + ("" if dialect == "sqlite" else f" ON {table}")
