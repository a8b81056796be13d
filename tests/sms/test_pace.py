"""No faster than was agreed, and hardly slower."""

import threading
import time

import pytest

from ussd_gateway.sms.pace import Pace, catch_up_s


class Time:
    """Sleeping is what makes it pass."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now(self) -> float:
        return self.at_s

    def sleep(self, for_s: float) -> None:
        self.at_s += for_s


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def pace(clock: Time) -> Pace:
    return Pace(10, now=clock.now, sleep=clock.sleep)


def test_messages_are_as_far_apart_as_the_rate_says(pace: Pace, clock: Time) -> None:
    for _ in range(11):
        assert pace.wait(within_s=1)
    assert clock.at_s - 1000 == pytest.approx(1.0)


def test_what_waits_too_long_is_told_at_once_and_takes_no_turn(pace: Pace, clock: Time) -> None:
    pace.hold(1.0)
    assert not pace.wait(within_s=0.5)
    assert clock.at_s == 1000
    assert pace.wait(within_s=1.0)
    assert clock.at_s == 1001


def test_turns_that_nobody_took_are_made_up_for_a_little(pace: Pace, clock: Time) -> None:
    clock.at_s += 60
    waited = 0
    while pace.wait(within_s=0):
        waited += 1
    assert waited == int(catch_up_s * 10) + 1


def test_a_provider_that_asks_for_it_is_left_alone(pace: Pace, clock: Time) -> None:
    pace.hold(3.0)
    pace.hold(1.0)
    assert pace.wait(within_s=5)
    assert clock.at_s == 1003


def test_many_threads_keep_to_one_rate() -> None:
    pace = Pace(400)
    begun = time.monotonic()
    threads = [
        threading.Thread(target=lambda: [pace.wait(within_s=5) for _ in range(20)])
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - begun
    assert took_s > 200 / 400 - catch_up_s - 0.05
