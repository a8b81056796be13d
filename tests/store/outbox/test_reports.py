"""Delivery reports: late, twice, out of order, before our own commit, and of nobody's
messages."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from tests.store.conftest import SetClock
from tests.store.outbox.owing import (
    AMINA,
    CLOSED,
    JUMA,
    SILENCE,
    SMPP,
    Box,
    accepted,
    delivered,
    failed,
    said,
)
from ussd_gateway.store.database import reading
from ussd_gateway.store.days.retention import REPORTS_KEPT, SMS_WORDS_KEPT, forget
from ussd_gateway.store.inquiry import recent
from ussd_gateway.store.outbox import NotTaken, Outbox
from ussd_gateway.store.outbox.reports import ID_MAX
from ussd_gateway.store.outbox.waits import (
    REPORT_WAIT_MS,
    RETRY_MAX_MS,
    SENDING_LEASE_MS,
)
from ussd_gateway.store.schema import sms_report


@pytest.fixture
def box(engine: Engine, clock: SetClock) -> Box:
    """One message to Amina is due."""
    box = Box(Outbox(engine, clock), engine, clock)
    box.owe("k1")
    return box


def test_reports_that_come_late_or_twice_change_nothing_final(box: Box) -> None:
    box.send(accepted())
    assert box.report(delivered())
    at_ms = box.now_ms()
    for report in (failed(), said("Submitted"), delivered()):
        box.clock.wait(3600)
        assert box.report(report)

    assert box.states == {"delivered": 1}
    assert box.row("k1")["delivered_at_ms"] == at_ms
    assert kept(box) == 0


def test_a_report_on_the_way_ends_nothing(box: Box) -> None:
    box.send(accepted())
    box.report(said("Submitted"))

    assert box.states == {"sent": 1}
    assert box.row("k1")["detail"] == "Submitted"


def test_why_it_failed_is_kept_in_words(box: Box) -> None:
    box.send(accepted())
    box.report(failed())

    assert box.row("k1")["state"] == "failed"
    assert box.row("k1")["detail"] == "the phone is not known"
    assert box.row("k1")["delivered_at_ms"] is None


@pytest.mark.parametrize(
    ("report", "state"),
    [(delivered(), "delivered"), (failed(), "failed"), (said("Sent"), "sent")],
)
def test_a_report_may_come_before_our_own_commit(box: Box, report: object, state: str) -> None:
    owed = box.begin()
    assert not box.report(report)  # type: ignore[arg-type]
    at_ms = box.now_ms()
    assert kept(box) == 1
    box.clock.wait(1)
    box.answer(owed, accepted())

    assert box.states == {state: 1}
    assert box.row("k1")["delivered_at_ms"] == (at_ms if state == "delivered" else None)
    assert kept(box) == 0


def test_a_report_that_met_our_commit_in_the_middle_is_found_by_the_clock(box: Box) -> None:
    """Each of the two transactions looked before the other one had ended."""
    box.send(accepted())
    _keep_for_later(box)
    box.wait(1_000)

    assert box.states == {"delivered": 1}
    assert kept(box) == 0


def test_answers_and_reports_that_come_together_lose_nothing(box: Box) -> None:
    box.owe(*map(str, range(39)))
    owed = box.begin()
    with ThreadPoolExecutor(8) as pool:
        done: list[Future[object]] = []
        for one in owed:
            name = f"id {one.id}"
            done.append(pool.submit(box.answer, [one], accepted(name)))
            done += [pool.submit(box.report, delivered(name)) for _ in range(2)]
    for each in done:
        each.result()
    box.wait(1_000)

    assert box.states == {"delivered": 40}
    assert kept(box) == 0


def test_of_reports_that_overtook_us_the_final_one_stays(box: Box) -> None:
    owed = box.begin()
    for report in (said("Submitted"), delivered(), said("Buffered")):
        box.report(report)
    box.answer(owed, accepted())

    assert box.states == {"delivered": 1}


def test_the_same_name_of_another_provider_is_another_message(box: Box) -> None:
    box.send(accepted())

    assert not box.report(said("DELIVRD", final=True, delivered=True, provider=SMPP))
    assert box.states == {"sent": 1}


def test_silence_is_ended_by_a_report_under_a_name_that_was_lost(box: Box) -> None:
    box.send(SILENCE)
    box.clock.wait(1)
    assert not box.report(delivered("lost"))
    box.wait(1_000)

    row = box.row("k1")
    assert (row["state"], row["provider_id"]) == ("delivered", "lost")
    assert kept(box) == 0


def test_and_so_it_is_where_another_provider_would_not_take_it_since(box: Box) -> None:
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)
    box.send(NotTaken("not bound", SMPP))
    box.report(delivered("lost"))
    box.wait(1)

    assert box.states == {"delivered": 1}


def test_a_word_on_the_way_is_enough_to_send_it_no_more(box: Box) -> None:
    box.send(SILENCE)
    box.report(said("Submitted", "lost"))
    box.wait(REPORT_WAIT_MS)
    assert box.states == {"sent": 1}
    box.report(failed("lost"))

    assert box.states == {"failed": 1}


def test_a_message_whose_worker_died_gets_its_report_too(box: Box) -> None:
    box.begin()
    box.clock.wait(1)
    box.report(delivered("lost"))
    assert box.outbox.match_reports() == 0  # it may be named by the answer yet
    box.wait(SENDING_LEASE_MS)

    assert box.states == {"delivered": 1}


def test_one_that_is_to_be_sent_again_is_not_once_its_report_is_here(box: Box) -> None:
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)
    claimed = box.take()
    box.report(delivered("lost"))
    box.outbox.match_reports()

    assert box.outbox.begin_sending(claimed) == []
    assert box.states == {"delivered": 1}


def test_a_last_unknown_may_still_be_told_of(box: Box) -> None:
    for _ in range(2):
        box.send(SILENCE)
        box.wait(REPORT_WAIT_MS)
    box.clock.wait(3600)
    box.report(delivered("lost"))
    box.wait(1_000)

    assert box.states == {"delivered": 1}


def test_where_two_messages_may_be_meant_neither_is(box: Box) -> None:
    box.owe("k2")
    box.send(SILENCE, SILENCE)
    box.report(delivered("lost"))
    box.wait(1_000)

    assert box.states == {"unknown": 2}
    assert kept(box) == 1


def test_a_report_is_of_nothing_that_was_given_to_a_provider_later(box: Box) -> None:
    box.report(delivered("lost"))
    box.clock.wait(1)
    box.send(SILENCE)
    box.wait(1_000)

    assert box.states == {"unknown": 1}


def test_while_another_message_to_that_number_is_being_sent_nobody_can_say(box: Box) -> None:
    box.send(SILENCE)
    box.owe("k2")
    owed = box.begin()
    box.report(delivered("whose?"))
    box.wait(1_000)
    assert box.states == {"unknown": 1, "sending": 1}
    box.answer(owed, accepted("whose?"))
    box.wait(1_000)

    assert (box.row("k1")["state"], box.row("k2")["state"]) == ("unknown", "delivered")


def test_a_report_may_be_of_a_message_that_was_sent_again_since(box: Box) -> None:
    """Two were in the hands of a worker that died, and one copy went out. Once the first of
    them was sent again, it is still not sure that the other one did."""
    box.owe("k2")
    box.begin()
    box.report(delivered("whose?"))
    box.wait(SENDING_LEASE_MS)
    box.wait(REPORT_WAIT_MS)
    first, _ = box.take()
    box.answer(box.outbox.begin_sending([first]), accepted("again"))
    box.wait(1_000)

    assert box.row("k2")["state"] == "claimed"
    assert kept(box) == 1


def test_a_silence_that_was_ended_by_its_report_is_none_any_more(box: Box) -> None:
    box.send(SILENCE)
    box.report(delivered("lost"))
    box.wait(1_000)
    assert box.row("k1")["unknowns"] == 0
    box.owe("k2")
    box.send(SILENCE)
    box.clock.wait(1)
    box.report(delivered("lost too"))
    box.wait(1_000)

    assert box.states == {"delivered": 2}


def test_one_whose_words_died_with_its_worker_is_like_the_others(box: Box) -> None:
    """It can be sent again, tells how late it was, and in the end its receipt is all that is
    left of it."""
    box.begin()
    box.clock.wait(1)
    box.report(failed("lost"))
    box.wait(SENDING_LEASE_MS)
    assert (box.row("k1")["state"], box.row("k1")["text"]) == ("failed", None)
    assert [lag.to for lag in recent(box.engine).lags] == ["provider"]

    assert box.outbox.resend([1]) == [1]
    (again,) = box.begin()
    assert again.params == {"receipt": "DYQ28DNNRC"}
    box.answer([again], accepted())
    assert (box.row("k1")["state"], box.row("k1")["text"]) == ("sent", "text")


@pytest.mark.parametrize("state", ["delivered", "unknown"])
def test_words_that_died_with_a_worker_hold_up_no_retention(box: Box, state: str) -> None:
    box.begin()
    if state == "delivered":
        box.clock.wait(1)
        box.report(delivered("lost"))
    box.wait(SENDING_LEASE_MS)
    assert box.states == {state: 1}
    today, old_ms = box.clock.now().date(), SMS_WORDS_KEPT // timedelta(milliseconds=1)

    assert forget(box.engine, now_ms=box.now_ms() + old_ms, today=today) == 1
    assert box.row("k1")["params"] == '{"receipt": "DYQ28DNNRC"}'


def test_two_reports_for_one_number_are_not_both_of_the_same_message(box: Box) -> None:
    box.send(SILENCE)
    box.report(failed("first"))
    box.clock.wait(1)
    box.report(delivered("second"))
    box.wait(1_000)

    assert box.row("k1")["provider_id"] == "first"
    assert box.states == {"failed": 1}
    assert kept(box) == 1


@pytest.mark.parametrize(
    "report",
    [
        delivered("lost", to=JUMA),
        delivered("lost", to=None),
        said("DELIVRD", "lost", final=True, delivered=True, provider=SMPP),
    ],
    ids=["another number", "no number", "another provider"],
)
def test_a_report_of_somebody_else_ends_no_silence(box: Box, report: object) -> None:
    box.send(SILENCE)
    box.report(report)  # type: ignore[arg-type]
    box.wait(1_000)

    assert box.states == {"unknown": 1}


def test_what_was_surely_not_taken_has_no_report(box: Box) -> None:
    box.send(CLOSED)
    box.report(delivered("lost"))
    box.wait(RETRY_MAX_MS)

    assert box.states == {"due": 1}


def test_reports_of_strangers_are_kept_for_a_day(box: Box) -> None:
    assert not box.report(delivered("stranger"))
    today = box.clock.now().date()
    day_ms = REPORTS_KEPT // timedelta(milliseconds=1)
    forget(box.engine, now_ms=box.now_ms() + day_ms, today=today)
    assert kept(box) == 1
    forget(box.engine, now_ms=box.now_ms() + day_ms + 1, today=today)

    assert kept(box) == 0


def test_a_name_longer_than_any_of_ours_is_not_even_kept(box: Box) -> None:
    assert not box.report(delivered("x" * (ID_MAX + 1)))
    assert kept(box) == 0


def _keep_for_later(box: Box) -> None:
    with box.engine.begin() as connection:
        connection.execute(
            sms_report.insert().values(
                provider="africastalking",
                provider_id="ATXid_1",
                msisdn=AMINA,
                status="Success",
                final=True,
                delivered=True,
                reason="",
                at_ms=box.now_ms(),
            )
        )


def kept(box: Box) -> int:
    with reading(box.engine) as connection:
        return connection.execute(select(func.count()).select_from(sms_report)).scalar_one()
