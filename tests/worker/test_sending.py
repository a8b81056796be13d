"""A batch of messages: each for itself, and no answer lost."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from tests.embedded.processes import eventually
from ussd_gateway import app
from ussd_gateway.app.chance import SystemClock
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsState
from ussd_gateway.settings import Settings
from ussd_gateway.store.codec import encode_values
from ussd_gateway.store.schema import outbox as table
from ussd_gateway.store.waiting.outbox import Outbox, Owed
from ussd_gateway.worker.sending import Sending

AMINA, JUMA, GRACE = "+254711000001", "+254711000002", "+254711000003"


class Provider:
    """Takes every message but those to numbers it has trouble with."""

    def __init__(self, troubles: dict[str, Exception] | None = None) -> None:
        self.taken: list[str] = []
        self.open = threading.Event()  # until it is set, Juma's message is not answered
        self.open.set()
        self._troubles = troubles or {}

    def send(self, sms: Sms) -> SmsResult:
        if sms.to == JUMA:
            self.open.wait(10)
        if sms.to in self._troubles:
            raise self._troubles[sms.to]
        self.taken.append(sms.to)
        return SmsResult(SmsState.ACCEPTED, f"ATXid_{sms.to}", "Success")


class Forgetful(Outbox):
    """Its database is away for the first `times` that answers are to be kept."""

    times = 0

    def finish(self, sent: Sequence[tuple[Owed, str, int, SmsResult | None]]) -> None:
        if self.times:
            self.times -= 1
            raise OperationalError("UPDATE outbox", {}, Exception("the database is away"))
        super().finish(sent)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Forgetful]:
    """Three messages are due."""
    settings = Settings(data_dir=tmp_path)
    app.upgrade(settings)
    engine = app.database(settings)
    with engine.begin() as connection:
        for number in (AMINA, JUMA, GRACE):
            connection.execute(insert(table).values(_pin_locked(number)))
    yield Forgetful(engine, SystemClock())
    engine.dispose()


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(DoorError("HTTP 503"), "due"), (ValueError("a bug of the SDK"), "unknown")],
)
def test_a_message_that_breaks_harms_no_stranger(
    outbox: Forgetful, trouble: Exception, state: str
) -> None:
    _sending(outbox, Provider({JUMA: trouble})).send(outbox.take_due())

    assert outbox.backlog() == {"sent": 2, state: 1}


def test_answers_outlive_a_database_that_is_away(outbox: Forgetful) -> None:
    provider = Provider()
    outbox.times = 1
    _sending(outbox, provider).send(outbox.take_due())

    assert sorted(provider.taken) == [AMINA, JUMA, GRACE]
    assert outbox.backlog() == {"sent": 3}


def test_an_answer_is_kept_while_a_slower_one_is_awaited(outbox: Forgetful) -> None:
    provider = Provider()
    provider.open.clear()
    batch = threading.Thread(target=_sending(outbox, provider).send, args=(outbox.take_due(),))
    batch.start()

    assert eventually(lambda: outbox.backlog() == {"sent": 2, "sending": 1})
    provider.open.set()
    batch.join()
    assert outbox.backlog() == {"sent": 3}


def _sending(outbox: Outbox, provider: Provider) -> Sending:
    settings = Settings()
    return Sending(outbox, provider, app.messages(settings), app.market(settings))


def _pin_locked(number: str) -> dict[str, object]:
    return {
        "key": f"key of {number}",
        "msisdn": number,
        "template": "pin_locked",
        "language": "en",
        "params": encode_values({}),
        "event_at_ms": 1_000,
        "state": "due",
        "attempt": 0,
        "next_at_ms": 0,
    }
