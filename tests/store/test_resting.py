"""Which providers rest, from one worker to another process."""

import time

import pytest
import redis

from ussd_gateway.store import resting
from ussd_gateway.store.resting import RedisRests


@pytest.fixture
def url(valkey_url: str) -> str:
    redis.from_url(valkey_url).flushall()
    return valkey_url


def test_it_is_told_how_many_workers_let_which_provider_rest(url: str) -> None:
    one, other, watcher = RedisRests(url), RedisRests(url), RedisRests(url)
    one.began("smpp", 1)
    one.began("smpp", 2)
    other.began("smpp", 1)
    other.began("africastalking", 1)
    assert watcher.workers() == {"smpp": 2, "africastalking": 1}

    other.ended("smpp")
    other.ended("file")
    assert watcher.workers() == {"smpp": 1, "africastalking": 1}


def test_what_a_killed_worker_has_told_comes_to_its_end(url: str) -> None:
    rests = RedisRests(url)
    rests.began("smpp", 0.1 - resting.trial_s)
    assert rests.workers() == {"smpp": 1}
    time.sleep(0.15)
    assert not rests.workers()


def test_while_redis_is_away_workers_go_on_and_whoever_looks_is_told() -> None:
    rests = RedisRests("redis://127.0.0.1:1")
    rests.began("smpp", 1)
    rests.ended("smpp")
    with pytest.raises(redis.RedisError):
        rests.workers()
