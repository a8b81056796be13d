"""The outbox: SMS that are owed, from the commit of their money to the handset.

    due --relay--> queued --worker--> sending --provider--> sent --report--> delivered | failed
     ^               |                   |  |
     |<---lease over-+<------lease over--+  +--no answer--> unknown --report--> ...
     +<---------------no report, once only---------------------+

Each step is a compare-and-set, so that two workers never take the same row. `sending` is
committed before the provider is called: a row found there after its lease belonged to a worker
that died, and nobody knows whether its message went out. It is sent again, as no report of it
could be recognised; the receipt in the text makes a double harmless. Where the provider gave no
answer, its message most likely did go out: that row is left alone for a while, and then sent
once more. `next_at_ms` is when a row is looked at again, whatever its state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, RowMapping, case, func, select, update

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Clock, DeliveryReport, SmsResult, SmsState
from ussd_gateway.store.codec import decode_values
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import outbox

BATCH_MAX = 50
# Short: a row that is queued twice is still sent once, and one that the queue lost waits this
# long.
QUEUED_LEASE_MS = 5_000
# Longer than a batch can take: each provider call has its own time-out, and they run side by
# side.
SENDING_LEASE_MS = 20_000
# How long a row is left alone where the provider gave no answer.
REPORT_WAIT_MS = 10_000
RETRY_MS = 2_000
RETRY_MAX_MS = 300_000
ATTEMPTS_MAX = 12
# In these a row waits for the answer of whoever took it last, its lease over or not.
TAKEN = ("sending", "due", "queued")


@dataclass(frozen=True, slots=True)
class Owed:
    """A message to send. `params` hold what its template shows."""

    id: int
    attempt: int  # the first is 1
    to: Msisdn
    template: str
    language: str
    params: dict[str, Any]
    event_at_ms: int


class Outbox:
    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def take_due(self) -> list[int]:
        """Ids that are to go to the queue now, oldest first; they are leased to it."""
        now = self._now()
        due = (
            select(outbox.c.id)
            .where(outbox.c.state == "due", outbox.c.next_at_ms <= now)
            .order_by(outbox.c.id)
            .limit(BATCH_MAX)
        )
        with reading(self._engine) as connection:
            if connection.execute(due.limit(1)).first() is None:
                return []
        with writing(self._engine) as connection:
            ids = list(connection.execute(due.with_for_update(skip_locked=True)).scalars())
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(ids))
                .values(state="queued", next_at_ms=now + QUEUED_LEASE_MS)
            )
        return ids

    def put_back(self, ids: Sequence[int]) -> None:
        """The queue did not take them."""
        with writing(self._engine) as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(ids), outbox.c.state == "queued")
                .values(state="due", next_at_ms=self._now() + RETRY_MS)
            )

    def begin_sending(self, ids: Sequence[int]) -> list[Owed]:
        """Those of `ids` that nobody took before: they are ours to send, for one lease."""
        taken = (
            update(outbox)
            .where(outbox.c.id.in_(ids), outbox.c.state == "queued")
            .values(
                state="sending",
                attempt=outbox.c.attempt + 1,
                next_at_ms=self._now() + SENDING_LEASE_MS,
            )
            .returning(outbox)
        )
        with writing(self._engine) as connection:
            rows = connection.execute(taken).mappings().all()
        return sorted(map(_owed, rows), key=lambda owed: owed.id)

    def finish(self, sent: Sequence[tuple[Owed, str, int, SmsResult | None]]) -> None:
        """Keeps, for each message, its text, its segments and the provider's answer; None where
        the provider did not take it and it is to be tried again."""
        now = self._now()
        with writing(self._engine) as connection:
            for owed, text, segments, result in sent:
                # A sender slower than its lease still knows better, until somebody else begins.
                row = update(outbox).where(
                    outbox.c.id == owed.id,
                    outbox.c.attempt == owed.attempt,
                    outbox.c.state.in_(TAKEN),
                )
                if result is None:
                    connection.execute(row.values(_retry(now)))
                    continue
                connection.execute(
                    row.values(
                        **_after(result, now),
                        text=text,
                        segments=segments,
                        provider_id=result.provider_id,
                        cost=result.cost,
                        detail=result.detail,
                    )
                )

    def report(self, report: DeliveryReport) -> bool:
        """Whether the report is of a message of ours. One that is final is never changed."""
        found = update(outbox).where(
            outbox.c.provider_id == report.provider_id,
            outbox.c.state.not_in(("delivered", "failed")),
        )
        state = "delivered" if report.delivered else "failed"
        detail = report.reason or report.status
        change = found.values(detail=detail)
        if report.final:
            change = found.values(detail=detail, state=state)
        known = select(outbox.c.id).where(outbox.c.provider_id == report.provider_id)
        with writing(self._engine) as connection:
            connection.execute(change)
            return connection.execute(known).first() is not None

    def release_leases(self) -> int:
        """Moves on every row whose lease or wait is over; gives how many."""
        now = self._now()
        overdue = outbox.c.next_at_ms <= now
        moves = (
            (outbox.c.state == "queued", {"state": "due", "next_at_ms": now}),
            (outbox.c.state == "sending", _again("its workers died")),
            (outbox.c.state == "unknown", _again("no answer and no report")),
        )
        with reading(self._engine) as connection:
            waiting = select(outbox.c.id).where(
                overdue, outbox.c.state.in_(("queued", "sending", "unknown"))
            )
            if connection.execute(waiting.limit(1)).first() is None:
                return 0
        with writing(self._engine) as connection:
            return sum(
                connection.execute(update(outbox).where(overdue, where).values(values)).rowcount
                for where, values in moves
            )

    def backlog(self) -> dict[str, int]:
        """How many messages are in each state."""
        counts = select(outbox.c.state, func.count().label("rows")).group_by(outbox.c.state)
        with reading(self._engine) as connection:
            return {row.state: row.rows for row in connection.execute(counts)}

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _owed(row: RowMapping) -> Owed:
    return Owed(
        row["id"],
        row["attempt"],
        Msisdn(row["msisdn"]),
        row["template"],
        row["language"],
        decode_values(row["params"]),
        row["event_at_ms"],
    )


def _after(result: SmsResult, now: int) -> dict[str, Any]:
    match result.state:
        case SmsState.ACCEPTED:
            return {"state": "sent"}
        case SmsState.REFUSED:
            return {"state": "failed"}
        case SmsState.UNKNOWN:
            # One that has its text was met with silence before: the second is the last.
            spent = case((outbox.c.text.is_(None), outbox.c.attempt), else_=ATTEMPTS_MAX)
            return {"state": "unknown", "next_at_ms": now + REPORT_WAIT_MS, "attempt": spent}


def _again(why_not: str) -> dict[str, Any]:
    """Due now, and failed for good after the last attempt."""
    again = outbox.c.attempt < ATTEMPTS_MAX
    return {
        "state": case((again, "due"), else_="failed"),
        "detail": case((again, outbox.c.detail), else_=why_not),
    }


def _retry(now: int) -> dict[str, Any]:
    """Due again after 2, 4, 8 ... seconds, and failed for good after the last attempt."""
    waits = [(n, now + min(RETRY_MS * 2**n, RETRY_MAX_MS)) for n in range(ATTEMPTS_MAX)]
    return {
        "state": case((outbox.c.attempt >= ATTEMPTS_MAX, "failed"), else_="due"),
        "next_at_ms": case(*((outbox.c.attempt == n, at) for n, at in waits), else_=now),
        "detail": "the provider did not take it",
    }
