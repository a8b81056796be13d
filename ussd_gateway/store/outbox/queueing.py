"""From due to a worker's hands."""

from collections.abc import Sequence

from sqlalchemy import Engine, case, func, literal, select, text, update

from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox.age import too_old
from ussd_gateway.store.outbox.messages import Owed, owed
from ussd_gateway.store.outbox.unwanted import give_up_unwanted
from ussd_gateway.store.outbox.waits import (
    CLAIMED_LEASE_MS,
    RETRY_FIRST_MS,
    SENDING_LEASE_MS,
)
from ussd_gateway.store.schema import DUE, IN_FLIGHT, outbox

# One that nobody takes is tried for days, and its column counts up to 32,767. No answer is so
# late that it comes in the attempt that has the same number again.
ATTEMPT_MAX = 30_000
_AGAIN_FROM = 100
_next_attempt = case(
    (outbox.c.attempt < ATTEMPT_MAX, outbox.c.attempt + 1), else_=literal(_AGAIN_FROM)
)
_IN_FLIGHT = select(func.count()).select_from(outbox).where(text(IN_FLIGHT))


def take_due(engine: Engine, now_ms: int, *, rows_max: int, in_flight_max: int) -> list[int]:
    assert rows_max <= in_flight_max, "there is room for them some time"
    due = (
        select(outbox.c.id)
        .where(text(DUE), ~too_old(now_ms))
        .order_by(outbox.c.priority, outbox.c.id)
    )
    with reading(engine) as connection:
        room = in_flight_max - connection.execute(_IN_FLIGHT).scalar_one()
        # Else each message that is answered would make a job of one row.
        if room < rows_max or connection.execute(due.limit(1)).first() is None:
            return []
    urgent = due.limit(rows_max).with_for_update(skip_locked=True).cte("urgent")
    claimed = (
        update(outbox)
        .where(outbox.c.id.in_(select(urgent.c.id)))
        .values(state="claimed", next_at_ms=now_ms + CLAIMED_LEASE_MS)
        .returning(outbox.c.priority, outbox.c.id)
    )
    with writing(engine) as connection:
        rows = connection.execute(claimed).all()
    return [number for _, number in sorted(map(tuple, rows))]


def put_back(engine: Engine, now_ms: int, ids: Sequence[int]) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(ids), outbox.c.state == "claimed")
            .values(state="due", next_at_ms=now_ms + RETRY_FIRST_MS)
        )


def begin_sending(engine: Engine, now_ms: int, ids: Sequence[int]) -> list[Owed]:
    taken = (
        update(outbox)
        .where(outbox.c.id.in_(ids), outbox.c.state == "claimed")
        .values(
            state="sending",
            attempt=_next_attempt,
            next_at_ms=now_ms + SENDING_LEASE_MS,
            sent_at_ms=now_ms,
        )
        .returning(outbox)
    )
    with writing(engine) as connection:
        rows = connection.execute(taken).mappings().all()
        unwanted = give_up_unwanted(connection, rows)
    order = {number: place for place, number in enumerate(ids)}
    ours = (owed(row) for row in rows if row["id"] not in unwanted)
    return sorted(ours, key=lambda each: order[each.id])
