"""A Valkey of the test's own, and turns on it."""

from collections.abc import Iterator

import pytest
import redis

from tests.ussd.stand_in import (
    Bank,
)
from tests.ussd.turn.turning import turn_of
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url, protocol=2) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_left_open(server: redis.Redis) -> None:
    """A phone that left a session open would be asked whether to go on with it."""
    server.flushdb()


@pytest.fixture
def sessions(valkey_url: str) -> RedisSessions:
    return RedisSessions(valkey_url)


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def turn(bank: Bank, sessions: RedisSessions) -> Turn:
    return turn_of(bank, sessions)
