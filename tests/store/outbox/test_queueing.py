"""An SMS that is owed: the most urgent first, no more at once than can be sent, and taken
once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text, update

from tests.store.conftest import SetClock, pay
from tests.store.outbox.owing import AMINA, CLOSED, Box, accepted, delivered
from ussd_gateway.domain.book import Message, Priority
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.outbox.queueing import ATTEMPT_MAX
from ussd_gateway.store.outbox.waits import (
    CLAIMED_LEASE_MS,
    RETRY_FIRST_MS,
    RETRY_MAX_MS,
    retry_ms,
)
from ussd_gateway.store.schema import DUE, IN_DOUBT, IN_FLIGHT, WAITING
from ussd_gateway.store.schema import outbox as table


@pytest.fixture
def box(engine: Engine, clock: SetClock) -> Box:
    return Box(Outbox(engine, clock), engine, clock)


def test_a_message_goes_from_due_to_delivered(box: Box) -> None:
    box.owe("k1")
    given_ms = box.now_ms()
    (owed,) = box.begin()
    assert (owed.to, owed.attempt, owed.params) == (AMINA, 1, {"receipt": "DYQ28DNNRC"})
    box.clock.wait(1)
    box.answer([owed], accepted())
    assert box.states == {"sent": 1}
    box.clock.wait(1)
    assert box.report(delivered())

    row = box.row("k1")
    assert row["state"] == "delivered"
    assert (row["provider"], row["provider_id"], row["cost"]) == (
        "africastalking",
        "ATXid_1",
        "KES 0.8000",
    )
    assert (row["text"], row["segments"]) == ("text", 1)
    assert (row["sent_at_ms"], row["delivered_at_ms"]) == (given_ms + 1_000, given_ms + 2_000)


def test_the_writer_says_how_urgent_each_message_is(writer: Writer, wallets: Engine) -> None:
    messages = tuple(
        Message(AMINA, template, "en", {}, priority)
        for template, priority in (("a", Priority.NOTICE), ("b", Priority.ANSWER))
    )
    writer.run(pay("k1", messages=(*messages, Message(AMINA, "c", "en", {}))), within_s=5)

    with reading(wallets) as connection:
        rows = connection.execute(text("SELECT template, priority FROM outbox ORDER BY id"))
        assert [tuple(row) for row in rows] == [("a", 2), ("b", 1), ("c", 0)]


def test_what_is_most_urgent_is_taken_first_and_then_what_is_oldest(box: Box) -> None:
    box.owe("notice", priority=Priority.NOTICE)
    box.owe("answer", priority=Priority.ANSWER)
    box.owe("first", "second")

    assert [owed.id for owed in box.begin()] == [3, 4, 2, 1]


def test_a_receipt_that_comes_later_overtakes_the_notices_that_wait(box: Box) -> None:
    box.owe("n1", "n2", "n3", priority=Priority.NOTICE)
    assert box.take(2) == [1, 2]
    box.owe("receipt")

    assert box.take(2) == [4, 3]


def test_what_is_taken_is_not_taken_again(box: Box) -> None:
    box.owe("k1")
    ids = box.take()

    assert len(ids) == 1
    assert box.take() == []
    assert len(box.outbox.begin_sending(ids)) == 1
    assert box.outbox.begin_sending(ids) == []


def test_two_workers_with_the_same_job_send_it_once(box: Box) -> None:
    box.owe(*map(str, range(20)))
    ids = box.take()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(box.outbox.begin_sending, [ids] * 8))

    assert sorted(owed.id for some in taken for owed in some) == ids


def test_two_relays_take_no_row_twice(box: Box) -> None:
    box.owe(*map(str, range(40)))
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(box.take, [10] * 8))

    assert sorted(number for some in taken for number in some) == list(range(1, 41))


def test_a_job_has_its_bound(box: Box) -> None:
    box.owe("k1", "k2", "k3")

    assert box.take(2) == [1, 2]
    assert box.take(2) == [3]


def test_no_more_is_in_flight_than_workers_can_send(box: Box) -> None:
    box.owe(*map(str, range(6)))
    assert box.take(2, in_flight_max=4) == [1, 2]
    assert box.take(2, in_flight_max=4) == [3, 4]
    owed = box.outbox.begin_sending([1, 2, 3])
    assert box.take(2, in_flight_max=4) == []
    box.answer(owed, accepted("a"), accepted("b"), CLOSED)

    assert box.take(2, in_flight_max=4) == [5, 6]


def test_a_job_waits_until_there_is_room_for_all_of_it(box: Box) -> None:
    """Each message that is answered would else be followed by a job of one row."""
    box.owe(*map(str, range(8)))
    assert box.take(4, in_flight_max=4) == [1, 2, 3, 4]
    box.answer(box.outbox.begin_sending([1, 2, 3]), *map(accepted, "abc"))
    assert box.take(4, in_flight_max=4) == []
    box.answer(box.outbox.begin_sending([4]), accepted("d"))

    assert box.take(4, in_flight_max=4) == [5, 6, 7, 8]


def test_one_that_was_tried_very_often_keeps_no_other_from_being_sent(box: Box) -> None:
    box.owe("often", "k2")
    with writing(box.engine) as connection:
        often = update(table).where(table.c.key == "often")
        connection.execute(often.values(attempt=ATTEMPT_MAX))

    before, *_ = box.begin()
    assert before.attempt < ATTEMPT_MAX
    box.answer([before], CLOSED)
    assert box.states == {"due": 1, "sending": 1}


def test_a_job_that_the_queue_lost_is_due_again_after_its_lease(box: Box) -> None:
    box.owe("k1")
    box.take()
    box.wait(CLAIMED_LEASE_MS - 1)
    assert box.take() == []
    box.wait(1)

    assert box.take() == [1]


def test_rows_that_the_queue_did_not_take_are_due_again_soon(box: Box) -> None:
    box.owe("k1")
    box.outbox.put_back(box.take())
    assert box.take() == []
    box.wait(RETRY_FIRST_MS)

    assert box.take() == [1]


def test_waits_double_up_to_their_bound_and_spread() -> None:
    for attempt in range(1, 400):
        longest = min(RETRY_FIRST_MS * 2 ** (attempt - 1), RETRY_MAX_MS)
        waits = {retry_ms(number, attempt) for number in range(1, 300)}
        assert all(longest // 2 <= wait <= longest for wait in waits)
        assert len(waits) > 150
        assert max(waits) - min(waits) > longest // 2 * 0.9


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("where", "index"),
    [
        (f"{DUE} ORDER BY priority, id LIMIT 50", "ix_outbox_due"),
        (IN_FLIGHT, "ix_outbox_in_flight"),
        (f"{IN_FLIGHT} AND next_at_ms <= 5", "ix_outbox_in_flight"),
        (f"{WAITING} AND next_at_ms <= 5", "ix_outbox_waiting"),
        (f"{WAITING} AND next_at_ms > 5 AND state = 'due'", "ix_outbox_waiting"),
        (f"{IN_DOUBT} AND msisdn = '+254711000001'", "ix_outbox_silent"),
    ],
)
def test_the_way_goes_by_its_indexes(box: Box, where: str, index: str) -> None:
    """However many messages have been sent: it never reads those."""
    with reading(box.engine) as connection:
        connection.execute(text("SET enable_seqscan = off"))
        plan = connection.execute(text(f"EXPLAIN SELECT id FROM outbox WHERE {where}"))
        assert index in "\n".join(plan.scalars())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("where", "index"),
    [
        (f"{DUE} ORDER BY priority, id LIMIT 50", "ix_outbox_due"),
        (IN_FLIGHT, "ix_outbox_in_flight"),
        (f"{IN_FLIGHT} AND next_at_ms <= 5", "ix_outbox_in_flight"),
        (f"{WAITING} AND next_at_ms <= 5", "ix_outbox_waiting"),
        (f"{WAITING} AND next_at_ms > 5 AND state = 'due'", "ix_outbox_waiting"),
        (f"{IN_DOUBT} AND msisdn = '+254711000001'", "ix_outbox_silent"),
    ],
)
def test_and_in_a_file_too(box: Box, where: str, index: str) -> None:
    with reading(box.engine) as connection:
        plan = connection.execute(
            text(f"EXPLAIN QUERY PLAN SELECT id FROM outbox WHERE {where}")
        )
        assert index in "\n".join(row.detail for row in plan)
