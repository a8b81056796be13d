"""What time does to messages: leases end, waits are over, and what is too old expires."""

from collections.abc import Callable, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Select,
    case,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox.age import too_old
from ussd_gateway.store.outbox.waits import LAST_WAIT_MS, REPORT_WAIT_MS, VALIDITY_MS
from ussd_gateway.store.schema import DUE, IN_FLIGHT, SILENT, WAITING, outbox, sms_report

# Of one look: a short transaction.
MOVED_MAX = 2_000

_silent = outbox.alias("silent")
# As many reports that nobody knows have come for a number as copies went to it of which nobody
# knows: then all of them went out, whosever each is.
_ALL_WENT_OUT = (
    select(func.count())
    .select_from(sms_report)
    .where(sms_report.c.msisdn == outbox.c.msisdn)
    .scalar_subquery()
    >= select(func.sum(_silent.c.unknowns))
    .where(_silent.c.msisdn == outbox.c.msisdn, text(f"silent.{SILENT}"))
    .where(_silent.c.event_at_ms > outbox.c.event_at_ms - VALIDITY_MS)
    .scalar_subquery()
)


def release(engine: Engine, now_ms: int) -> int:
    again = {"state": "due", "next_at_ms": 0}
    unheard = {
        "state": "unknown",
        "unknowns": outbox.c.unknowns + 1,
        "next_at_ms": case(
            (outbox.c.unknowns == 0, now_ms + REPORT_WAIT_MS),
            (outbox.c.unknowns == 1, now_ms + LAST_WAIT_MS),
            else_=0,
        ),
        "detail": "its worker died",
    }

    def move(connection: Connection, ids: Sequence[int]) -> None:
        ours = update(outbox).where(outbox.c.id.in_(ids))
        told = ours.where(outbox.c.state == "unknown", outbox.c.unknowns > 1, _ALL_WENT_OUT)
        connection.execute(told.values(next_at_ms=0))
        over = outbox.c.next_at_ms > 0
        connection.execute(ours.where(outbox.c.state != "sending", over).values(again))
        connection.execute(ours.where(outbox.c.state == "sending").values(unheard))

    over = outbox.c.next_at_ms <= now_ms
    return sum(
        _move(engine, select(outbox.c.id).where(text(each), over), outbox.c.next_at_ms, move)
        for each in (WAITING, IN_FLIGHT)
    )


def expire(engine: Engine, now_ms: int) -> int:
    # What was met with silence may have gone out: that stays so for good.
    doubted = text(SILENT)
    given_up = {
        "state": case((doubted, literal("unknown")), else_=literal("expired")),
        "next_at_ms": 0,
    }

    def move(connection: Connection, ids: Sequence[int]) -> None:
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(given_up))

    old = (outbox.c.state == "due") & too_old(now_ms)
    return sum(
        _move(engine, select(outbox.c.id).where(text(each), old), outbox.c.id, move)
        for each in (DUE, WAITING)
    )


def resend(engine: Engine, now_ms: int, ids: Sequence[int]) -> list[int]:
    # One that still waits is sent again by the clock, or ended by its report.
    given_up = or_(outbox.c.state == "failed", text("state = 'unknown' AND next_at_ms = 0"))
    again = (
        update(outbox)
        .where(outbox.c.id.in_(ids), given_up, ~too_old(now_ms))
        .values(
            state="due",
            next_at_ms=0,
            # If it met a silence before, the next one is its last.
            unknowns=case((outbox.c.unknowns > 0, 2), else_=0),
            # Why it failed may be said twice, and is not to end what is sent now.
            provider_id=None,
        )
        .returning(outbox.c.id)
    )
    with writing(engine) as connection:
        return sorted(connection.execute(again).scalars())


def _move(
    engine: Engine,
    found: Select[int],
    order: Column[int],
    move: Callable[[Connection, Sequence[int]], None],
) -> int:
    """How many. Nothing is locked where there is nothing to do, and no lock is waited for."""
    some = found.order_by(order).limit(MOVED_MAX)
    with reading(engine) as connection:
        if connection.execute(some.limit(1)).first() is None:
            return 0
    with writing(engine) as connection:
        ids = list(connection.execute(some.with_for_update(skip_locked=True)).scalars())
        move(connection, ids)
    return len(ids)
