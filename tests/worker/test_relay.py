"""The relay: row ids into the queue, a job at a time, and nothing while nobody takes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from tests.store.conftest import SetClock
from tests.store.outbox.owing import Box
from ussd_gateway.embedded import Valkey
from ussd_gateway.store.database import connect
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.worker import jobs
from ussd_gateway.worker.main import JOBS_WAITING_MAX, job_rows_max, relay


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    engine = connect(f"sqlite:///{tmp_path / 'gateway.sqlite'}")
    upgrade(engine)
    clock = SetClock()
    yield Box(Outbox(engine, clock), engine, clock)
    engine.dispose()


@pytest.fixture
def queue(valkey_url: str) -> Iterator[Queue]:
    with redis.from_url(f"{valkey_url}?db=3") as connection:
        connection.flushdb()
        yield Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)
        connection.flushdb()


def test_a_job_is_row_ids_and_nothing_else(box: Box, queue: Queue) -> None:
    box.owe("k1", "k2", "k3")
    assert relay(box.outbox, queue, rows_max=2, in_flight_max=10)
    assert relay(box.outbox, queue, rows_max=2, in_flight_max=10)
    assert not relay(box.outbox, queue, rows_max=2, in_flight_max=10)

    assert [job.args for job in queue.jobs] == [[[1, 2]], [[3]]]
    assert {job.func_name for job in queue.jobs} == {"ussd_gateway.worker.jobs.send"}
    assert box.states == {"claimed": 3}


def test_what_is_in_flight_has_a_bound(box: Box, queue: Queue) -> None:
    box.owe("k1", "k2", "k3")
    while relay(box.outbox, queue, rows_max=2, in_flight_max=2):
        pass

    assert box.states == {"claimed": 2, "due": 1}


def test_jobs_that_nobody_takes_do_not_pile_up(box: Box, queue: Queue) -> None:
    box.owe("k1")
    for _ in range(JOBS_WAITING_MAX):
        queue.enqueue(jobs.send, [99])

    assert not relay(box.outbox, queue, rows_max=2, in_flight_max=2)
    assert box.states == {"due": 1}


def test_nothing_is_taken_while_the_queue_is_away(box: Box, tmp_path: Path) -> None:
    box.owe("k1")
    with Valkey(tmp_path / "away") as valkey:
        url = valkey.url
    away = Queue(jobs.QUEUE, connection=redis.from_url(url), serializer=JSONSerializer)
    with pytest.raises(redis.RedisError):
        relay(box.outbox, away, rows_max=2, in_flight_max=2)

    assert box.states == {"due": 1}


def test_a_queue_that_lost_all_it_had_is_given_it_again(box: Box, queue: Queue) -> None:
    box.owe("k1", "k2", "k3")
    while relay(box.outbox, queue, rows_max=2, in_flight_max=10):
        pass
    queue.connection.flushall()
    box.wait(10_000)
    while relay(box.outbox, queue, rows_max=2, in_flight_max=10):
        pass

    assert [job.args for job in queue.jobs] == [[[1, 2]], [[3]]]


@pytest.mark.parametrize(("pool", "rows"), [(1, 1), (2, 1), (25, 13), (50, 25), (200, 50)])
def test_a_job_is_half_of_what_a_worker_sends_at_once(pool: int, rows: int) -> None:
    assert job_rows_max(pool) == rows
