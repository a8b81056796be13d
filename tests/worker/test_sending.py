"""Messages in a worker's hands: side by side, each for itself, and no answer lost."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import OperationalError

from tests.embedded.processes import eventually
from tests.store.outbox.owing import states
from ussd_gateway import app
from ussd_gateway.app.chance import SystemClock
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsState
from ussd_gateway.settings import Settings
from ussd_gateway.sms.plan import Plan, Terms
from ussd_gateway.store.codec import encode_values
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.inquiry import unwritten, waiting
from ussd_gateway.store.outbox import Answered, Outbox
from ussd_gateway.store.schema import outbox as table
from ussd_gateway.worker.sending import Sending

AMINA, JUMA, GRACE = "+254711000001", "+254711000002", "+254711000003"
NAME = "africastalking"


class Provider:
    """Takes every message but those to numbers it has trouble with."""

    def __init__(self, troubles: dict[str, Exception] | None = None) -> None:
        self.taken: list[str] = []
        self.open = threading.Event()  # until it is set, Juma's message is not answered
        self.open.set()
        self.at_once = self.at_once_max = 0
        self.troubles = troubles or {}
        self.names = (f"ATXid_{number}" for number in range(1_000))
        self._lock = threading.Lock()

    def send(self, sms: Sms) -> SmsResult:
        with self._lock:
            self.at_once += 1
            self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            return self._answer(sms)
        finally:
            with self._lock:
                self.at_once -= 1

    def _answer(self, sms: Sms) -> SmsResult:
        if sms.to == JUMA:
            self.open.wait(10)
        if sms.to in self.troubles:
            raise self.troubles[sms.to]
        with self._lock:
            self.taken.append(sms.to)
            return SmsResult(SmsState.ACCEPTED, NAME, next(self.names), "Success")


class Forgetful(Outbox):
    """Its database is away for the first `times` that answers are to be kept."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, SystemClock())
        self.engine = engine
        self.times = 0

    def finish(self, answered: Sequence[Answered]) -> None:
        if self.times:
            self.times -= 1
            raise OperationalError("UPDATE outbox", {}, Exception("the database is away"))
        super().finish(answered)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Forgetful]:
    """Three messages are due."""
    settings = Settings(data_dir=tmp_path)
    app.upgrade(settings)
    engine = app.database(settings)
    outbox = Forgetful(engine)
    _owe(outbox, AMINA, JUMA, GRACE)
    yield outbox
    engine.dispose()


@pytest.fixture
def started() -> Iterator[list[Sending]]:
    begun: list[Sending] = []
    yield begun
    for sending in begun:
        sending.close()


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(DoorError("HTTP 503"), "due"), (ValueError("a bug of the SDK"), "unknown")],
)
def test_a_message_that_breaks_harms_no_stranger(
    outbox: Forgetful, started: list[Sending], trouble: Exception, state: str
) -> None:
    _send(outbox, _sending(outbox, Provider({JUMA: trouble}), started))

    assert states(outbox.engine) == {"sent": 2, state: 1}


def test_a_provider_is_told_which_messages_met_with_silence(
    outbox: Forgetful, started: list[Sending]
) -> None:
    said: dict[str, bool] = {}

    class Listening(Provider):
        def send(self, sms: Sms) -> SmsResult:
            said[sms.to] = sms.again
            return super().send(sms)

    with writing(outbox.engine) as connection:
        connection.execute(update(table).where(table.c.msisdn == JUMA).values(unknowns=1))
    _send(outbox, _sending(outbox, Listening(), started))

    assert said == {AMINA: False, JUMA: True, GRACE: False}


def test_a_message_that_cannot_be_written_is_tried_again(
    outbox: Forgetful, started: list[Sending]
) -> None:
    _change(outbox, template="no such template")
    provider = Provider()
    _send(outbox, _sending(outbox, provider, started))

    assert provider.taken == []
    assert states(outbox.engine) == {"due": 3}
    assert _due(outbox) == []


def test_what_could_not_be_written_goes_out_by_a_worker_whose_texts_fit_it(
    outbox: Forgetful, started: list[Sending]
) -> None:
    """The rows are of a newer version than this worker, or a version took their text away."""
    _change(outbox, template="of another version")
    _send(outbox, _sending(outbox, Provider(), started))
    assert unwritten(waiting(outbox.engine)) == {"of another version": 3}

    _change(outbox, template="pin_locked")  # as if the text were there now
    provider = Provider()
    after = _sending(outbox, provider, started)
    after.wake_unwritten()
    _send(outbox, after)
    assert sorted(provider.taken) == [AMINA, JUMA, GRACE]
    assert unwritten(waiting(outbox.engine)) == {}


@pytest.mark.parametrize("params", ['{"amount": {"minr": 1}}', "[]", "{"])
def test_values_that_cannot_be_read_keep_no_other_message_from_going_out(
    outbox: Forgetful, started: list[Sending], params: str
) -> None:
    with writing(outbox.engine) as connection:
        connection.execute(update(table).where(table.c.msisdn == JUMA).values(params=params))
    _send(outbox, _sending(outbox, Provider(), started))

    assert states(outbox.engine) == {"sent": 2, "due": 1}


def test_answers_outlive_a_database_that_is_away(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider()
    outbox.times = 2
    _send(outbox, _sending(outbox, provider, started))

    assert sorted(provider.taken) == [AMINA, JUMA, GRACE]
    assert states(outbox.engine) == {"sent": 3}


def test_an_answer_is_kept_while_a_slower_one_is_awaited(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider()
    provider.open.clear()
    sending = _sending(outbox, provider, started)
    sending.send(_due(outbox))

    assert eventually(lambda: states(outbox.engine) == {"sent": 2, "sending": 1})
    assert not sending.settle(0)
    provider.open.set()
    assert sending.settle()
    assert states(outbox.engine) == {"sent": 3}


def test_a_slow_message_does_not_keep_the_next_job_waiting(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider()
    provider.open.clear()
    sending = _sending(outbox, provider, started)
    sending.send(_due(outbox))
    _owe(outbox, *[AMINA] * 6)
    sending.send(_due(outbox))

    assert eventually(lambda: states(outbox.engine) == {"sent": 8, "sending": 1})
    provider.open.set()
    assert sending.settle()


def test_no_more_calls_are_made_than_the_pool_is_wide(
    outbox: Forgetful, started: list[Sending]
) -> None:
    """What has not begun is not taken either: another worker may have it."""
    provider = Provider()
    provider.open.clear()
    sending = _sending(outbox, provider, started, width=2)
    _owe(outbox, *[JUMA] * 5)
    job = threading.Thread(target=sending.send, args=(_due(outbox),))
    job.start()

    assert eventually(lambda: states(outbox.engine) == {"sent": 2, "sending": 2, "claimed": 4})
    provider.open.set()
    job.join()
    assert sending.settle()
    assert states(outbox.engine) == {"sent": 8}
    assert provider.at_once_max == 2


def test_rows_that_are_somebody_elses_take_no_room(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider()
    sending = _sending(outbox, provider, started, width=1)
    ids = _due(outbox)
    for _ in range(3):
        sending.send(ids)

    assert sending.settle()
    assert provider.taken == [AMINA, JUMA, GRACE]


def test_a_provider_that_gives_a_name_twice_is_believed_once(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider()
    provider.names = (name for name in ("same", "same", "other"))
    _send(outbox, _sending(outbox, provider, started))

    assert states(outbox.engine) == {"sent": 3}
    assert sorted(map(str, _names(outbox))) == ["None", "other", "same"]


def test_what_a_provider_takes_again_wakes_those_that_it_did_not_take(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider(dict.fromkeys((AMINA, JUMA, GRACE), DoorError("503", provider=NAME)))
    sending = _sending(outbox, provider, started)
    for attempt in range(6):
        _change(outbox, next_at_ms=0, attempt=attempt)
        _send(outbox, sending)
    assert states(outbox.engine) == {"due": 3}
    assert _due(outbox) == []

    provider.troubles = {}

    def only_sent() -> bool:
        _owe(outbox, AMINA)
        _send(outbox, sending)
        return states(outbox.engine).keys() == {"sent"}

    assert eventually(only_sent)


def test_whoever_of_its_route_is_well_first_wakes_a_message(
    outbox: Forgetful, started: list[Sending]
) -> None:
    """Another one was asked last, and is still away."""
    provider = Provider(dict.fromkeys((AMINA, JUMA, GRACE), DoorError("503", provider="smpp")))
    terms = Terms(100, 0.5)
    plan = Plan(1, {NAME: terms, "smpp": terms}, {"+": (NAME, "smpp")})
    sending = _sending(outbox, provider, started, plan=plan)
    for attempt in range(6):
        _change(outbox, next_at_ms=0, attempt=attempt)
        _send(outbox, sending)
    assert _due(outbox) == []

    provider.troubles = {}

    def only_sent() -> bool:
        _owe(outbox, AMINA)
        _send(outbox, sending)
        return states(outbox.engine).keys() == {"sent"}

    assert eventually(only_sent)


def test_one_that_is_never_taken_is_not_tried_each_time_that_others_are(
    outbox: Forgetful, started: list[Sending]
) -> None:
    provider = Provider({JUMA: DoorError("407", provider=NAME)})
    sending = _sending(outbox, provider, started)
    _change(outbox, attempt=15)
    for _ in range(10):
        _owe(outbox, AMINA)
        _send(outbox, sending)

    assert states(outbox.engine) == {"sent": 12, "due": 1}
    with reading(outbox.engine) as connection:
        tried = connection.scalar(select(table.c.attempt).where(table.c.msisdn == JUMA))
    assert 15 < (tried or 0) <= 15 + 3


def _sending(
    outbox: Outbox,
    provider: Provider,
    started: list[Sending],
    *,
    width: int = 4,
    plan: Plan | None = None,
) -> Sending:
    settings = Settings()
    messages, market = app.messages(settings), app.market(settings)
    plan = plan or app.sms_plan(settings)
    started.append(Sending(outbox, provider, messages, market, plan=plan, width=width))
    return started[-1]


def _send(outbox: Outbox, sending: Sending) -> None:
    sending.send(_due(outbox))
    assert sending.settle()


def _due(outbox: Outbox) -> list[int]:
    return outbox.take_due(rows_max=50, in_flight_max=1_000)


def _owe(outbox: Forgetful, *numbers: str) -> None:
    now_ms = int(SystemClock().now().timestamp() * 1000)
    with writing(outbox.engine) as connection:
        first = connection.execute(select(table.c.id)).all()
        for place, number in enumerate(numbers, len(first)):
            connection.execute(insert(table).values(_pin_locked(f"k{place}", number, now_ms)))


def _change(outbox: Forgetful, **values: object) -> None:
    with writing(outbox.engine) as connection:
        connection.execute(update(table).values(values))


def _names(outbox: Forgetful) -> list[str | None]:
    with reading(outbox.engine) as connection:
        return list(connection.scalars(select(table.c.provider_id)))


def _pin_locked(key: str, number: str, now_ms: int) -> dict[str, object]:
    return {
        "key": key,
        "msisdn": number,
        "template": "pin_locked",
        "language": "en",
        "params": encode_values({}),
        "event_at_ms": now_ms,
        "state": "due",
        "attempt": 0,
        "next_at_ms": 0,
    }
