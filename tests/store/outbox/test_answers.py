"""What a provider answered, or did not: kept once, tried again later, and no double but where
nobody knows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import SetClock
from tests.store.outbox.owing import (
    AT,
    CLOSED,
    JUMA,
    REFUSED,
    SILENCE,
    SMPP,
    Box,
    accepted,
    delivered,
)
from ussd_gateway.ports import SmsResult
from ussd_gateway.store.database import writing
from ussd_gateway.store.outbox import UNWRITTEN, Answered, NotTaken, Outbox
from ussd_gateway.store.outbox.answers import WOKEN_MAX
from ussd_gateway.store.outbox.waits import (
    LAST_WAIT_MS,
    REPORT_WAIT_MS,
    RETRY_FIRST_MS,
    RETRY_MAX_MS,
    RETRY_SHORT_MS,
    SENDING_LEASE_MS,
    retry_ms,
)

KENYA = [("+254", ())]


@pytest.fixture
def box(engine: Engine, clock: SetClock) -> Box:
    """One message is due."""
    box = Box(Outbox(engine, clock), engine, clock)
    box.owe("k1")
    return box


def test_silence_is_left_alone_for_a_while_and_sent_once_more(box: Box) -> None:
    box.send(SILENCE)
    assert box.row("k1")["text"] == "text"
    box.wait(REPORT_WAIT_MS - 1)
    assert box.states == {"unknown": 1}
    box.wait(1)
    box.send(accepted())

    assert box.states == {"sent": 1}
    assert box.row("k1")["attempt"] == 2


def test_a_second_silence_is_the_last_whatever_went_wrong_between(box: Box) -> None:
    box.send(CLOSED)
    box.wait(RETRY_MAX_MS)
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)
    box.send(CLOSED)
    box.wait(RETRY_MAX_MS)
    box.send(SILENCE)
    box.wait(RETRY_MAX_MS)

    assert box.states == {"unknown": 1}
    assert box.row("k1")["unknowns"] == 2
    assert box.take() == []


def test_a_worker_that_dies_is_a_silence_too(box: Box) -> None:
    _its_worker_dies(box)
    box.wait(REPORT_WAIT_MS - 1)
    assert box.states == {"unknown": 1}
    box.wait(1)

    assert box.take() == [1]
    assert box.row("k1")["detail"] == "its worker died"


@pytest.mark.parametrize("deaths", [(True, True), (True, False), (False, True)])
def test_where_a_worker_died_two_silences_are_not_the_last_word(
    box: Box, deaths: tuple[bool, bool]
) -> None:
    """What has gone out brings its report in all that time; so perhaps nothing has."""
    _silence(box, died=deaths[0])
    box.wait(REPORT_WAIT_MS)
    _silence(box, died=deaths[1])
    box.wait(LAST_WAIT_MS - 1)
    assert box.states == {"unknown": 1}
    box.wait(1)
    box.send(accepted())

    assert box.states == {"sent": 1}


@pytest.mark.parametrize("died", [True, False])
def test_the_third_silence_is_the_last_in_any_case(box: Box, died: bool) -> None:
    for wait_ms in (REPORT_WAIT_MS, LAST_WAIT_MS):
        _its_worker_dies(box)
        box.wait(wait_ms)
    _silence(box, died=died)
    box.wait(3_600_000)

    assert box.states == {"unknown": 1}
    assert box.row("k1")["next_at_ms"] == 0
    assert box.take() == []


def test_a_worker_that_died_counts_whatever_was_not_taken_between(box: Box) -> None:
    _its_worker_dies(box)
    box.wait(REPORT_WAIT_MS)
    box.send(CLOSED)
    box.wait(RETRY_MAX_MS)
    box.send(SILENCE)
    box.wait(LAST_WAIT_MS)

    assert box.take() == [1]


def test_before_the_last_try_a_report_still_ends_the_silence(box: Box) -> None:
    for _ in range(2):
        _its_worker_dies(box)
        box.wait(REPORT_WAIT_MS)
    box.report(delivered("lost"))
    box.wait(LAST_WAIT_MS)

    assert box.states == {"delivered": 1}


def test_there_is_no_last_try_where_all_copies_to_a_number_were_reported(box: Box) -> None:
    """Nobody can say whose each report is; but there are as many as copies."""
    box.owe("k2")
    for _ in range(2):
        _its_worker_dies(box)
        for name in ("one", "other"):
            box.report(delivered(f"{name} {box.now_ms()}"))
        box.wait(REPORT_WAIT_MS)
    box.wait(LAST_WAIT_MS)

    assert box.states == {"unknown": 2}
    assert {box.row(key)["next_at_ms"] for key in ("k1", "k2")} == {0}


def test_there_is_one_where_a_copy_has_no_report(box: Box) -> None:
    box.owe("k2")
    for _ in range(2):
        _its_worker_dies(box)
        box.report(delivered(f"one {box.now_ms()}"))
        box.wait(REPORT_WAIT_MS)
    box.wait(LAST_WAIT_MS)

    assert box.take() == [1, 2]


def test_an_answer_that_is_kept_twice_counts_once(box: Box) -> None:
    owed = box.begin()
    for _ in range(2):
        box.answer(owed, SILENCE)
    assert box.row("k1")["unknowns"] == 1
    box.wait(REPORT_WAIT_MS)

    assert box.states == {"due": 1}


def test_what_a_provider_did_not_take_is_tried_until_it_does(box: Box) -> None:
    waits = []
    for attempt in range(1, 30):
        box.send(CLOSED)
        waits.append(box.row("k1")["next_at_ms"] - box.now_ms())
        assert waits[-1] == retry_ms(1, attempt)
        box.wait(waits[-1] - 1)
        assert box.take() == []
        box.wait(2)
    assert waits[0] <= RETRY_FIRST_MS
    assert max(waits) <= RETRY_MAX_MS
    row = box.row("k1")
    assert (row["text"], row["detail"], row["sent_at_ms"]) == (None, "HTTP 503", None)
    box.send(accepted())

    assert box.states == {"sent": 1}
    assert box.row("k1")["unknowns"] == 0


def test_what_a_provider_refuses_is_not_sent_again(box: Box) -> None:
    box.send(REFUSED)
    box.wait(3_600_000)

    assert box.states == {"failed": 1}
    assert box.row("k1")["detail"] == "403 InvalidPhoneNumber"


@pytest.mark.parametrize("later_ms", [0, REPORT_WAIT_MS])
def test_a_sender_slower_than_its_lease_still_knows_better(box: Box, later_ms: int) -> None:
    owed = box.begin()
    box.wait(SENDING_LEASE_MS)
    box.wait(later_ms)
    box.answer(owed, accepted())

    assert box.states == {"sent": 1}
    assert box.row("k1")["unknowns"] == 0


def test_a_slow_sender_keeps_a_claimed_message_from_going_out_twice(box: Box) -> None:
    owed = box.begin()
    box.wait(SENDING_LEASE_MS)
    box.wait(REPORT_WAIT_MS)
    again = box.take()
    box.answer(owed, accepted())

    assert box.outbox.begin_sending(again) == []


def test_a_slow_sender_is_not_heard_once_another_one_has_begun(box: Box) -> None:
    slow = box.begin()
    box.wait(SENDING_LEASE_MS)
    box.wait(REPORT_WAIT_MS)
    box.begin()
    box.answer(slow, CLOSED)

    assert box.states == {"sending": 1}


def test_one_odd_answer_is_not_kept_with_the_others(box: Box) -> None:
    """A provider that gives a name twice: whoever keeps answers tries them one by one."""
    box.owe("k2")
    first, second = box.begin()
    both = [Answered(one, "text", 1, accepted("same")) for one in (first, second)]
    with pytest.raises(IntegrityError):
        box.outbox.finish(both)

    assert box.states == {"sending": 2}


def test_two_providers_may_give_the_same_name(box: Box) -> None:
    box.owe("k2")
    box.send(accepted("same"), accepted("same", provider=SMPP))
    box.report(delivered("same"))

    assert (box.row("k1")["state"], box.row("k2")["state"]) == ("delivered", "sent")


@pytest.mark.parametrize("asked_last", [AT, SMPP])
def test_a_provider_that_is_back_wakes_those_that_nobody_took(
    box: Box, asked_last: str
) -> None:
    """Whoever of their route was asked last."""
    _waiting_long(box, NotTaken("HTTP 503", asked_last))
    assert box.take() == []
    assert box.outbox.wake(KENYA) == 1

    assert box.take() == [1]
    assert box.outbox.wake(KENYA) == 0


@pytest.mark.parametrize("numbers", [[("+256", [])], [("+254", ["+254711"])], []])
def test_numbers_that_it_does_not_carry_wait_on(
    box: Box, numbers: list[tuple[str, list[str]]]
) -> None:
    _waiting_long(box, CLOSED)

    assert box.outbox.wake(numbers) == 0
    assert box.outbox.wake([*numbers, ("+25471", [])]) == 1


def test_what_could_not_be_written_is_no_provider_to_wake(box: Box) -> None:
    _waiting_long(box, NotTaken(UNWRITTEN))

    assert box.outbox.wake(KENYA) == 0


def test_nor_is_it_where_a_provider_was_silent_before(box: Box) -> None:
    box.send(SILENCE)
    box.wait(REPORT_WAIT_MS)
    _waiting_long(box, NotTaken(UNWRITTEN))
    assert box.row("k1")["provider"] == AT

    assert box.outbox.wake(KENYA) == 0


def test_other_texts_wake_what_could_not_be_written_and_nothing_else(box: Box) -> None:
    box.owe("k2")
    box.send(NotTaken(UNWRITTEN), CLOSED)

    assert box.outbox.wake_unwritten() == 1
    assert box.take() == [1]
    assert box.outbox.wake_unwritten() == 0


def test_what_died_with_its_worker_and_was_not_taken_since_is_woken_too(box: Box) -> None:
    _its_worker_dies(box)
    box.wait(1 + REPORT_WAIT_MS)
    _waiting_long(box, CLOSED)

    assert box.outbox.wake(KENYA) == 1


def test_those_that_wait_are_looked_through_while_somebody_writes(box: Box) -> None:
    """A million of them take a while: the ledger is not kept waiting, nor waited for."""
    with ThreadPoolExecutor(1) as beside, writing(box.engine) as connection:
        connection.execute(text("UPDATE outbox SET cost = 'KES 1'"))
        assert beside.submit(box.outbox.wake, KENYA).result(5) == 0
        assert beside.submit(box.outbox.wake_unwritten).result(5) == 0


def test_short_waits_are_left_to_end_by_themselves(box: Box) -> None:
    box.send(CLOSED)

    assert box.outbox.wake(KENYA) == 0


def test_those_that_wait_are_woken_by_and_by_the_most_urgent_first(box: Box) -> None:
    keys = [f"more {number}" for number in range(WOKEN_MAX)]
    box.owe(*keys, to=JUMA)
    while ids := box.take():
        owed = box.outbox.begin_sending(ids)
        box.answer(owed, *[CLOSED] * len(owed))
    for _ in range(8):
        _all_closed_again(box)

    assert [box.outbox.wake(KENYA) for _ in range(3)] == [WOKEN_MAX, 1, 0]
    assert box.take(3) == [1, 2, 3]


def _silence(box: Box, *, died: bool) -> None:
    if died:
        _its_worker_dies(box)
    else:
        box.send(SILENCE)


def _its_worker_dies(box: Box) -> None:
    assert box.begin()
    box.wait(SENDING_LEASE_MS - 1)
    assert set(box.states) == {"sending"}
    box.wait(1)
    assert set(box.states) == {"unknown"}


def _waiting_long(box: Box, result: SmsResult | NotTaken) -> None:
    for _ in range(5):
        box.wait(RETRY_MAX_MS)
        box.send(result)
    assert box.row("k1")["next_at_ms"] > box.now_ms() + RETRY_SHORT_MS


def _all_closed_again(box: Box) -> None:
    box.wait(RETRY_MAX_MS)
    while ids := box.take():
        owed = box.outbox.begin_sending(ids)
        box.answer(owed, *[CLOSED] * len(owed))
