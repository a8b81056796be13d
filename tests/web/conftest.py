from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.world import SqliteCast
from ussd_gateway import web
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.settings import Settings


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> SqliteCast:
    return SqliteCast(tmp_path_factory.mktemp("cast"))


@pytest.fixture
def settings(cast: SqliteCast, tmp_path: Path, valkey_url: str) -> Iterator[Settings]:
    redis_url = f"{valkey_url}?db=2"
    with cast.databases(tmp_path) as new:
        yield Settings(data_dir=tmp_path, database_url=new(), redis_url=redis_url)


@pytest.fixture
def world(settings: Settings) -> Iterator[GatewayWorld]:
    with opened(settings) as world:
        yield world


@pytest.fixture
def client(world: GatewayWorld, settings: Settings) -> FlaskClient:
    """The HTTP door, as an aggregator on this machine knocks on it."""
    return web.door(world.gateway, settings).test_client()
