"""What is too old is not sent, and what an operator sends again is."""

import pytest
from sqlalchemy import Engine

from tests.store.conftest import SetClock
from tests.store.outbox.owing import CLOSED, REFUSED, SILENCE, Box, accepted, delivered, failed
from ussd_gateway.domain.book import Priority
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.outbox.clocks import MOVED_MAX
from ussd_gateway.store.outbox.waits import (
    ANSWER_VALIDITY_MS,
    CLAIMED_LEASE_MS,
    REPORT_WAIT_MS,
    RETRY_MAX_MS,
    VALIDITY_MS,
)

HOURS = VALIDITY_MS / 3_600_000


@pytest.fixture
def box(engine: Engine, clock: SetClock) -> Box:
    return Box(Outbox(engine, clock), engine, clock)


def test_what_nobody_took_in_time_expires_and_is_not_sent(box: Box) -> None:
    box.owe("old", hours_ago=HOURS)
    box.owe("young", hours_ago=HOURS - 0.01)
    assert box.take() == [2]
    box.outbox.put_back([2])
    assert box.outbox.expire() == 1
    assert box.states == {"expired": 1, "due": 1}
    box.wait(3_600_000)

    assert box.states == {"expired": 2}


def test_a_claim_that_nobody_took_up_expires_with_its_lease(box: Box) -> None:
    box.owe("k1", hours_ago=HOURS - 0.001)
    box.take()
    box.wait(CLAIMED_LEASE_MS)

    assert box.states == {"expired": 1}


def test_what_a_provider_did_not_take_for_two_days_expires(box: Box) -> None:
    box.owe("k1")
    while box.states == {"due": 1}:
        box.send(CLOSED)
        box.wait(RETRY_MAX_MS)

    assert box.states == {"expired": 1}
    assert 180 < box.row("k1")["attempt"] < 200


def test_what_was_met_with_silence_never_expires(box: Box) -> None:
    """It may have gone out: nobody knows, and that is what is said."""
    box.owe("k1", hours_ago=HOURS - 0.001)
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)

    assert box.states == {"unknown": 1}
    assert box.take() == []


def test_an_answer_expires_sooner_than_a_receipt(box: Box) -> None:
    """A balance that was asked for an hour ago is another one now."""
    hours = ANSWER_VALIDITY_MS / 3_600_000
    box.owe("late", priority=Priority.ANSWER, hours_ago=hours)
    box.owe("in time", priority=Priority.ANSWER, hours_ago=hours - 0.01)
    box.owe("receipt", "notice", hours_ago=hours)
    assert box.take() == [3, 4, 2]
    box.wait(0)

    assert box.row("late")["state"] == "expired"


def test_an_answer_that_is_too_old_is_not_sent_again_either(box: Box) -> None:
    box.owe("late", priority=Priority.ANSWER)
    box.send(REFUSED)
    box.wait(ANSWER_VALIDITY_MS)

    assert box.outbox.resend([1]) == []


def test_what_was_sent_does_not_expire(box: Box) -> None:
    box.owe("k1")
    box.send(accepted())
    box.wait(VALIDITY_MS)

    assert box.states == {"sent": 1}


def test_the_clock_moves_on_some_hundreds_at_a_time(box: Box) -> None:
    box.owe(*map(str, range(MOVED_MAX + 1)))
    box.take(MOVED_MAX + 1, in_flight_max=MOVED_MAX + 1)
    box.clock.wait(CLAIMED_LEASE_MS / 1000)

    assert [box.outbox.release_leases() for _ in range(3)] == [MOVED_MAX, 1, 0]
    assert box.states == {"due": MOVED_MAX + 1}


def test_an_operator_sends_again_what_failed_or_nobody_knows_of(box: Box) -> None:
    box.owe("silent")
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)
    box.owe("refused", "taken", "waiting")
    box.send(SILENCE, REFUSED, accepted(), CLOSED)

    assert box.outbox.resend([1, 2, 3, 4, 99]) == [1, 2]
    assert box.take() == [1, 2]


def test_an_operator_does_not_send_what_still_waits_for_its_report(box: Box) -> None:
    box.owe("k1")
    box.send(SILENCE)

    assert box.outbox.resend([1]) == []
    box.wait(REPORT_WAIT_MS)
    assert box.take() == [1]


def test_what_is_said_again_of_the_first_sending_does_not_end_the_second(box: Box) -> None:
    box.owe("k1")
    box.send(accepted("first"))
    box.report(failed("first"))
    box.outbox.resend([1])
    owed = box.begin()
    box.report(failed("first"))
    box.answer(owed, accepted("second"))
    box.report(delivered("second"))

    assert box.states == {"delivered": 1}


def test_after_an_operator_sent_it_again_a_silence_is_the_last(box: Box) -> None:
    box.owe("k1")
    for _ in range(2):
        box.send(SILENCE)
        box.wait(REPORT_WAIT_MS)
    assert box.outbox.resend([1]) == [1]
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)

    assert box.states == {"unknown": 1}


def test_what_is_too_old_is_not_sent_again_either(box: Box) -> None:
    box.owe("k1")
    box.send(REFUSED)
    box.wait(VALIDITY_MS)

    assert box.outbox.resend([1]) == []
    assert box.states == {"failed": 1}
