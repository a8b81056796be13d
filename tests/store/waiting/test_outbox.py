"""An SMS that is owed: taken once, tried again, and never forgotten, whatever dies."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tests.store.conftest import SetClock, pay, told
from ussd_gateway.ports import DeliveryReport, SmsResult, SmsState
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.waiting.outbox import (
    ATTEMPTS_MAX,
    BATCH_MAX,
    QUEUED_LEASE_MS,
    REPORT_WAIT_MS,
    RETRY_MAX_MS,
    SENDING_LEASE_MS,
    Outbox,
    Owed,
)

ACCEPTED = SmsResult(SmsState.ACCEPTED, "ATXid_1", "Success", "KES 0.8000")
REFUSED = SmsResult(SmsState.REFUSED, None, "403 InvalidPhoneNumber")
SILENCE = SmsResult(SmsState.UNKNOWN, None, "ReadTimeout")


@pytest.fixture
def outbox(writer: Writer, wallets: Engine, clock: SetClock) -> Outbox:
    """One message is due."""
    writer.run(pay("k1", messages=(told(),)), within_s=5)
    return Outbox(wallets, clock)


def test_a_message_goes_from_due_to_delivered(outbox: Outbox) -> None:
    ids = outbox.take_due()
    owed = outbox.begin_sending(ids)
    outbox.finish([(one, "text", 1, ACCEPTED) for one in owed])
    assert outbox.backlog() == {"sent": 1}

    assert outbox.report(_report("Success", delivered=True))
    assert outbox.backlog() == {"delivered": 1}


def test_what_is_taken_is_not_taken_again(outbox: Outbox) -> None:
    ids = outbox.take_due()

    assert len(ids) == 1
    assert outbox.take_due() == []
    assert len(outbox.begin_sending(ids)) == 1
    assert outbox.begin_sending(ids) == []


def test_two_workers_with_the_same_job_send_it_once(outbox: Outbox) -> None:
    ids = outbox.take_due()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(outbox.begin_sending, [ids] * 8))

    assert sum(map(len, taken)) == 1


def test_a_job_that_the_queue_lost_is_due_again_after_its_lease(
    outbox: Outbox, clock: SetClock
) -> None:
    outbox.take_due()
    clock.wait(QUEUED_LEASE_MS / 1000 - 1)
    assert outbox.release_leases() == 0
    clock.wait(1)

    assert outbox.release_leases() == 1
    assert len(outbox.take_due()) == 1


def test_a_row_whose_worker_died_is_sent_again_and_not_for_ever(
    outbox: Outbox, clock: SetClock
) -> None:
    for _ in range(ATTEMPTS_MAX - 1):
        _die_while_sending(outbox, clock)
        assert outbox.backlog() == {"due": 1}

    _die_while_sending(outbox, clock)
    assert outbox.backlog() == {"failed": 1}


def test_silence_is_left_alone_for_a_while_and_sent_once_more(
    outbox: Outbox, clock: SetClock
) -> None:
    _send(outbox, SILENCE)
    assert outbox.release_leases() == 0
    clock.wait(REPORT_WAIT_MS / 1000)
    outbox.release_leases()
    _send(outbox, ACCEPTED)

    assert outbox.backlog() == {"sent": 1}


def test_a_second_silence_is_the_last_whatever_went_wrong_before(
    outbox: Outbox, clock: SetClock
) -> None:
    _send(outbox, None)
    clock.wait(RETRY_MAX_MS / 1000)
    _die_while_sending(outbox, clock)
    _send(outbox, SILENCE)
    clock.wait(REPORT_WAIT_MS / 1000)
    outbox.release_leases()
    assert outbox.backlog() == {"due": 1}

    _send(outbox, SILENCE)
    clock.wait(REPORT_WAIT_MS / 1000)
    outbox.release_leases()
    assert outbox.backlog() == {"failed": 1}


def test_an_answer_that_is_kept_twice_counts_once(outbox: Outbox, clock: SetClock) -> None:
    (owed,) = outbox.begin_sending(outbox.take_due())
    for _ in range(2):
        outbox.finish([(owed, "text", 1, SILENCE)])
    clock.wait(REPORT_WAIT_MS / 1000)
    outbox.release_leases()

    assert outbox.backlog() == {"due": 1}


def test_a_provider_that_does_not_take_it_is_asked_again_and_again(
    outbox: Outbox, clock: SetClock
) -> None:
    _send(outbox, None)
    assert outbox.take_due() == []
    for _ in range(ATTEMPTS_MAX - 2):
        clock.wait(RETRY_MAX_MS / 1000)
        _send(outbox, None)
    assert outbox.backlog() == {"due": 1}

    clock.wait(RETRY_MAX_MS / 1000)
    _send(outbox, None)
    assert outbox.backlog() == {"failed": 1}


def test_what_the_provider_refuses_is_not_sent_again(outbox: Outbox, clock: SetClock) -> None:
    _send(outbox, REFUSED)
    clock.wait(3600)
    outbox.release_leases()

    assert outbox.backlog() == {"failed": 1}


def test_rows_that_the_queue_did_not_take_are_due_again_soon(
    outbox: Outbox, clock: SetClock
) -> None:
    outbox.put_back(outbox.take_due())
    clock.wait(2)

    assert len(outbox.take_due()) == 1


def test_a_sender_slower_than_its_lease_still_knows_better(
    outbox: Outbox, clock: SetClock
) -> None:
    (owed,) = outbox.begin_sending(outbox.take_due())
    clock.wait(SENDING_LEASE_MS / 1000)
    outbox.release_leases()
    outbox.finish([(owed, "text", 1, ACCEPTED)])

    assert outbox.backlog() == {"sent": 1}


def test_a_slow_sender_is_not_heard_once_another_one_has_begun(
    outbox: Outbox, clock: SetClock
) -> None:
    (slow,) = outbox.begin_sending(outbox.take_due())
    clock.wait(SENDING_LEASE_MS / 1000)
    outbox.release_leases()
    outbox.begin_sending(outbox.take_due())
    outbox.finish([(slow, "text", 1, None)])

    assert outbox.backlog() == {"sending": 1}


def test_reports_that_come_late_or_twice_change_nothing_final(outbox: Outbox) -> None:
    _send(outbox, ACCEPTED)
    outbox.report(_report("Success", delivered=True))
    outbox.report(_report("Failed"))
    outbox.report(_report("Submitted", final=False))

    assert outbox.backlog() == {"delivered": 1}


def test_a_report_on_the_way_ends_nothing(outbox: Outbox) -> None:
    _send(outbox, ACCEPTED)
    outbox.report(_report("Submitted", final=False))

    assert outbox.backlog() == {"sent": 1}


def test_a_report_of_a_stranger_is_not_ours(outbox: Outbox) -> None:
    assert not outbox.report(_report("Success", delivered=True))


def test_a_batch_has_its_bound(writer: Writer, wallets: Engine, clock: SetClock) -> None:
    for number in range(BATCH_MAX + 1):
        writer.run(pay(f"k{number}", 1, messages=(told(),)), within_s=5)
    outbox = Outbox(wallets, clock)

    assert len(outbox.take_due()) == BATCH_MAX
    assert len(outbox.take_due()) == 1


def test_params_come_back_as_they_were_written(outbox: Outbox) -> None:
    (owed,) = outbox.begin_sending(outbox.take_due())

    assert isinstance(owed, Owed)
    assert set(owed.params) == {"receipt"}
    assert owed.event_at_ms == 1_000


def _send(outbox: Outbox, result: SmsResult | None) -> None:
    owed = outbox.begin_sending(outbox.take_due())
    outbox.finish([(one, "text", 1, result) for one in owed])


def _die_while_sending(outbox: Outbox, clock: SetClock) -> None:
    assert len(outbox.begin_sending(outbox.take_due())) == 1
    clock.wait(SENDING_LEASE_MS / 1000)
    outbox.release_leases()


def _report(
    status: str, *, delivered: bool = False, final: bool = True, provider_id: str = "ATXid_1"
) -> DeliveryReport:
    return DeliveryReport(provider_id, status, final=final, delivered=delivered, reason="")
