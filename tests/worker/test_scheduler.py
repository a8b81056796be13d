"""Duties: each in its own time, again at once where there was work, and none stops another."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.store.conftest import MARKET, SetClock, started, wallet
from tests.store.conftest import pay as payment
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import account, closed_day
from ussd_gateway.worker.scheduler import Duty, follow, nightly


def test_a_duty_waits_for_its_time_and_not_where_there_is_more() -> None:
    asked: list[float] = []
    found = iter([0, 3, 0, 0])

    def do() -> int:
        asked.append(now)
        return next(found)

    duty = Duty("seals", 10.0, do)
    for now in (0.0, 5.0, 10.0, 10.5, 15.0, 20.5):
        duty.step(now)

    assert asked == [0.0, 10.0, 10.5, 20.5]


@pytest.mark.parametrize(
    "trouble",
    [BooksLost("away"), OperationalError("SELECT", {}, Exception("away")), ValueError("a bug")],
)
def test_a_duty_that_fails_is_tried_again_in_its_time(trouble: Exception) -> None:
    tries = 0

    def do() -> int:
        nonlocal tries
        tries += 1
        raise trouble

    duty = Duty("holds", 10.0, do)
    for now in (0.0, 5.0, 10.0):
        duty.step(now)

    assert tries == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lane_that_ends_by_itself_ends_them_all() -> None:
    def stop() -> int:
        raise SystemExit

    stopping = threading.Event()
    lanes = {"soon": [Duty("a", 0.0, stop)], "night": [Duty("b", 60.0, lambda: 0)]}

    assert not follow(lanes, stopping)
    assert stopping.is_set()


def test_lanes_run_until_they_are_told_to_stop() -> None:
    stopping = threading.Event()

    def stop() -> int:
        stopping.set()
        return 0

    assert follow({"soon": [Duty("a", 0.0, stop)]}, stopping)


def test_a_night_closes_the_days_that_are_over(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(account.insert(), [wallet(1, 1_000), wallet(2, 0)])
    clock = SetClock()
    with started(engine, clock) as writer:
        assert writer.run(payment("k1"), within_s=5).name == "ok"
    clock.at = datetime(2026, 11, 22, 21, 15, tzinfo=UTC)  # a quarter past midnight, twice
    duties = nightly(engine, clock, MARKET)
    for now in (0.0, 1.0, 2.0):
        for duty in duties:
            duty.step(now)

    with reading(engine) as connection:
        closed = connection.execute(select(closed_day.c.business_date, closed_day.c.journals))
        assert [(str(day), count) for day, count in closed] == [
            ("2026-11-21", 1),
            ("2026-11-22", 0),
        ]
    engine.dispose()
