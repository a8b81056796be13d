"""A few seeds of the simulator, of the thousand of `make chaos`; and that a seed replays."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.simulation.databases import SqliteFile, in_memory
from tests.simulation.simulator import prepare, simulate
from ussd_gateway.app.logs import unlogged

seeds, operations = 30, 60


@pytest.fixture(scope="module")
def file() -> Iterator[SqliteFile]:
    with in_memory() as folder, unlogged():
        yield SqliteFile(folder, prepare)


def test_whatever_goes_wrong_each_payment_happens_once_and_the_books_are_right(
    file: SqliteFile,
) -> None:
    for seed in range(seeds):
        simulate(seed, operations, file)


def test_a_seed_gives_the_same_log_to_the_last_octet(file: SqliteFile) -> None:
    first: list[str] = []
    again: list[str] = []
    digest = simulate(7, operations, file, first.append)

    assert simulate(7, operations, file, again.append) == digest
    assert again == first
    assert simulate(8, operations, file) != digest


def test_a_seed_gives_the_same_log_in_another_program(file: SqliteFile) -> None:
    command = [sys.executable, "-m", "tests.simulation", "7", "--operations", str(operations)]
    other = os.environ | {"PYTHONHASHSEED": "384"}
    told = subprocess.run(command, env=other, capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == simulate(7, operations, file)
