"""SMS that are owed, for tests of the outbox: rows as the writer makes them, and what happens
to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, insert, select

from tests.store.conftest import SetClock
from ussd_gateway.domain.book import Priority
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, SmsResult, SmsState
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox import Answered, NotTaken, Outbox, Owed
from ussd_gateway.store.schema import outbox as table

AMINA, JUMA = Msisdn("+254711000001"), Msisdn("+254711000002")
AT, SMPP = "africastalking", "smpp"

REFUSED = SmsResult(SmsState.REFUSED, AT, None, "403 InvalidPhoneNumber")
SILENCE = SmsResult(SmsState.UNKNOWN, AT, None, "ReadTimeout")
CLOSED = NotTaken("HTTP 503", AT)


@dataclass(frozen=True, slots=True)
class Box:
    """The outbox, and the books and the clock that it stands on."""

    outbox: Outbox
    engine: Engine
    clock: SetClock

    def owe(
        self,
        *keys: str,
        to: str = AMINA,
        priority: Priority = Priority.RECEIPT,
        hours_ago: float = 0,
    ) -> None:
        """A message for each key, of an event that was so long ago."""
        event_at_ms = int((self.clock.now().timestamp() - hours_ago * 3600) * 1000)
        row = {
            "msisdn": to,
            "template": "sent",
            "language": "en",
            "params": '{"receipt":"DYQ28DNNRC"}',
            "event_at_ms": event_at_ms,
            "state": "due",
            "attempt": 0,
            "next_at_ms": 0,
            "priority": priority,
        }
        with writing(self.engine) as connection:
            connection.execute(insert(table), [{**row, "key": key} for key in keys])

    def take(self, rows_max: int = 50, *, in_flight_max: int = 1_000) -> list[int]:
        return self.outbox.take_due(rows_max=rows_max, in_flight_max=in_flight_max)

    def begin(self) -> list[Owed]:
        return self.outbox.begin_sending(self.take())

    def send(self, *results: SmsResult | NotTaken) -> None:
        """What is due is sent; the first of them gets the first answer, and so on."""
        owed = self.begin()
        assert len(owed) == len(results)
        self.answer(owed, *results)

    def answer(self, owed: Sequence[Owed], *results: SmsResult | NotTaken) -> None:
        pairs = zip(owed, results, strict=True)
        self.outbox.finish([Answered(one, "text", 1, result) for one, result in pairs])

    def wait(self, ms: int) -> None:
        """And all that is done by the clock then."""
        self.clock.wait(ms / 1000)
        self.outbox.release_leases()
        self.outbox.match_reports()
        self.outbox.expire()

    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    @property
    def states(self) -> dict[str, int]:
        return states(self.engine)

    def row(self, key: str) -> dict[str, Any]:
        with reading(self.engine) as connection:
            found = connection.execute(select(table).where(table.c.key == key)).mappings().one()
            return dict(found)

    def report(self, report: DeliveryReport) -> bool:
        return self.outbox.report(report)


def states(engine: Engine) -> dict[str, int]:
    """How many messages are in each state."""
    counts = select(table.c.state, func.count().label("rows")).group_by(table.c.state)
    with reading(engine) as connection:
        return {row.state: row.rows for row in connection.execute(counts)}


def accepted(name: str = "ATXid_1", *, provider: str = AT) -> SmsResult:
    return SmsResult(SmsState.ACCEPTED, provider, name, "Success", "KES 0.8000")


def delivered(name: str = "ATXid_1", *, to: str | None = AMINA) -> DeliveryReport:
    return said("Success", name, to=to, final=True, delivered=True)


def failed(name: str = "ATXid_1", *, to: str | None = AMINA) -> DeliveryReport:
    return said("Failed", name, to=to, final=True, reason="the phone is not known")


def said(
    status: str,
    name: str = "ATXid_1",
    *,
    to: str | None = AMINA,
    final: bool = False,
    delivered: bool = False,
    reason: str = "",
    provider: str = AT,
) -> DeliveryReport:
    msisdn = None if to is None else Msisdn(to)
    return DeliveryReport(
        provider, name, msisdn, status, final=final, delivered=delivered, reason=reason
    )
