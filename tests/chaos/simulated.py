"""The ledger against its model, and against a whole town that a seed decides: the counts that
the suite has no time for. What they are is in tests/simulation.

Both are about logic: SQLite's file stands in memory where the machine can have it so, and no
power is cut.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.report import Report
from tests.simulation.databases import (
    Databases,
    PostgresDatabase,
    SqliteFile,
    empty_books,
    in_memory,
)
from tests.simulation.machine import machine_on, runs
from tests.simulation.simulator import Wrong, prepare, simulate
from ussd_gateway.app.logs import unlogged
from ussd_gateway.embedded.postgres import Postgres

machine_runs, machine_steps = 500, 50
seeds, operations = 1_000, 500
programs = 2
# Where the machine is so slow, the seeds that are left are left out, and the report says so.
seconds_max = 1_800.0


def machine(report: Report, _folder: Path) -> None:
    """The writer against the model, on both databases."""
    with in_memory() as folder, unlogged():
        _run_machine(report, "SQLite", SqliteFile(folder, empty_books))
        with Postgres() as server:
            _run_machine(report, "PostgreSQL", PostgresDatabase(server, empty_books))


def town(report: Report, _folder: Path) -> None:
    """Seed after seed of the simulator, in a few programs beside one another."""
    began = time.monotonic()
    numbers = range(report.seed, report.seed + seeds)
    with ProcessPoolExecutor(programs) as pool:
        some = partial(_simulate, until=time.time() + seconds_max)
        found = list(pool.map(some, (numbers[place::programs] for place in range(programs))))
    report.broken += [words for _, wrong in found for words in wrong]
    run = sum(done for done, _ in found)
    report.add(
        {
            "seeds": f"{run:,} of {seeds:,}, from {report.seed}; {operations} operations each",
            "promised": "each acknowledged payment once, and ledger verify finds nothing",
            "seeds that broke a promise": str(len(report.broken)),
            "took": f"{time.monotonic() - began:.0f} s",
        }
    )


def _run_machine(report: Report, name: str, databases: Databases) -> None:
    began = time.monotonic()
    try:
        run_state_machine_as_test(
            hypothesis.seed(report.seed)(machine_on(databases)),
            settings=runs(machine_runs, machine_steps),
        )
    # Whatever breaks is what was looked for; its notes are the steps that lead there.
    except Exception as error:  # noqa: BLE001
        notes = "\n".join(getattr(error, "__notes__", ()))
        report.broken.append(f"{name}: {error!r}\n{notes}")
    report.add(
        {
            f"machine on {name}": f"{machine_runs} runs of {machine_steps} steps, "
            f"{time.monotonic() - began:.0f} s"
        }
    )


def _simulate(numbers: range, *, until: float) -> tuple[int, list[str]]:
    """How many seeds there was time for, and what was wrong."""
    wrong: list[str] = []
    done = 0
    with in_memory() as folder, unlogged():
        file = SqliteFile(folder, prepare)
        for number in numbers:
            if time.time() > until:
                break
            done += 1
            try:
                simulate(number, operations, file)
            except Wrong as error:
                wrong.append(str(error))
    return done, wrong
