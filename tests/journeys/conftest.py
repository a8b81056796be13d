from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import DATABASES, NewDatabase, PostgresCast, SqliteCast
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.settings import Settings


@pytest.fixture(scope="session")
def sqlite_cast(tmp_path_factory: pytest.TempPathFactory) -> SqliteCast:
    return SqliteCast(tmp_path_factory.mktemp("cast"))


@pytest.fixture(scope="session")
def postgres_cast(postgres: Postgres) -> PostgresCast:
    return PostgresCast(postgres)


@pytest.fixture(params=DATABASES)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """On SQLite and on PostgreSQL."""
    cast: SqliteCast | PostgresCast = request.getfixturevalue(f"{request.param}_cast")
    with cast.databases(tmp_path) as new:
        yield new


@pytest.fixture
def database_url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
def settings(database_url: str, tmp_path: Path, valkey_url: str) -> Settings:
    redis_url = f"{valkey_url}?db=1"
    return Settings(data_dir=tmp_path, database_url=database_url, redis_url=redis_url)


@pytest.fixture
def world(settings: Settings) -> Iterator[GatewayWorld]:
    with opened(settings) as world:
        yield world
