"""Real servers for the tests that need them: one of each a test process, started on demand."""

import gc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ussd_gateway.app.heap import freeze_heap
from ussd_gateway.embedded import NotStarted, Valkey
from ussd_gateway.embedded.postgres import Postgres


def pytest_collection() -> None:
    """Of thousands of tests nothing is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """As the programs do when all is wired: the collector walked through all tests again and
    again, for a fifth of their time."""
    gc.enable()
    freeze_heap()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey that the tests of this process share."""
    with Valkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that the tests of this process share; `create_database` makes a new one."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(Postgres(syncs=False))
        except (ImportError, OSError, NotStarted) as error:
            pytest.skip(f"PostgreSQL does not run here: {error}")
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database of the test's own."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
