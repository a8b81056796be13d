"""The writer does what the model says, on both databases: a few of the runs of `make chaos`."""

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.databases import (
    Databases,
    PostgresDatabase,
    SqliteFile,
    empty_books,
    in_memory,
)
from tests.simulation.machine import machine_on, runs
from ussd_gateway.app.logs import unlogged
from ussd_gateway.embedded.postgres import Postgres

# A fault is made smaller by `make chaos`, which has the time for it.
ONCE = (Phase.generate,)


def test_the_books_do_what_the_model_says_on_sqlite() -> None:
    with in_memory() as folder:
        _run(SqliteFile(folder, empty_books))


def test_the_books_do_what_the_model_says_on_postgres(postgres: Postgres) -> None:
    _run(PostgresDatabase(postgres, empty_books))


def _run(databases: Databases) -> None:
    with unlogged():
        run_state_machine_as_test(
            machine_on(databases),
            settings=settings(runs(20, 20), derandomize=True, phases=ONCE),
        )
