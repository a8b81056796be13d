"""What is not kept for ever: the words of an SMS, and counts of screens.

The books themselves are: journals, entries, keys, seals and ends of days are never deleted. Of
an SMS stays what it was and when, which template, to whom and whether it arrived, and its
receipt, by which `verify` finds that it tells of its journal. One that is still to be sent
keeps its words. Recordings of phones end by themselves, within days.
"""

import json
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, text, update

from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import menu_count, outbox, sms_report

SMS_WORDS_KEPT = timedelta(days=90)
COUNTS_KEPT = timedelta(days=400)
# Reports of messages that nobody knew: the answer that names one is not as late as that.
REPORTS_KEPT = timedelta(days=1)
# Of one look: a short transaction, which no payment waits for.
ROWS_MAX = 1_000

_MS = timedelta(milliseconds=1)
# How far it has come. Rows of the outbox are numbered as time goes.
_REACHED = text("SELECT value FROM counter WHERE name = 'sms words'")
_REACH = text(
    "INSERT INTO counter (name, value) VALUES ('sms words', :value) "
    "ON CONFLICT (name) DO UPDATE SET value = :value"
)

# An `unknown` one is never sent again by then, whatever it met.
_OPEN = ("due", "claimed", "sending")
_KEEP_ONE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(text=None, params=bindparam("left"))
)


def forget(engine: Engine, *, now_ms: int, today: date) -> int:
    """Forgets the next of what is old enough; gives how many rows it has come past, 0 where
    there is nothing more to do. Raises DBAPIError."""
    with writing(engine) as connection:
        counts = delete(menu_count).where(menu_count.c.day < today - COUNTS_KEPT)
        connection.execute(counts)
        nobodys = sms_report.c.at_ms < now_ms - REPORTS_KEPT // _MS
        connection.execute(delete(sms_report).where(nobodys))
        return _forget_words(connection, now_ms - SMS_WORDS_KEPT // _MS, now_ms)


def _forget_words(connection: Connection, before_ms: int, now_ms: int) -> int:
    reached = connection.execute(_REACHED).scalar() or 0
    is_open = outbox.c.state.in_(_OPEN)
    # One of a day to come was written by a clock that ran ahead: it goes with its neighbours.
    next_ones = (
        select(outbox.c.id, outbox.c.event_at_ms, is_open.label("is_open"))
        .where(outbox.c.id > reached, (outbox.c.event_at_ms <= now_ms) | is_open)
        .order_by(outbox.c.id)
        .limit(ROWS_MAX)
        .subquery()
    )
    # It waits for one that is still to be sent, as each of them is or is given up some day.
    kept = (next_ones.c.event_at_ms >= before_ms) | next_ones.c.is_open
    first_kept = connection.execute(select(func.min(next_ones.c.id)).where(kept)).scalar()
    old = select(func.max(next_ones.c.id))
    if first_kept is not None:
        old = old.where(next_ones.c.id < first_kept)
    last = connection.execute(old).scalar()
    if last is None:
        return 0

    passed = (
        select(outbox.c.id, outbox.c.params)
        .where(outbox.c.id > reached, outbox.c.id <= last)
        .order_by(outbox.c.id)
        .limit(ROWS_MAX)
    )
    found = connection.execute(passed).all()
    left = [{"row": number, "left": _receipt_of(params)} for number, params in found]
    connection.execute(_KEEP_ONE, left)
    connection.execute(_REACH, {"value": found[-1].id})
    return len(found)


def _receipt_of(params: str) -> str:
    """All that is left of what an SMS was filled with."""
    said = json.loads(params)
    return json.dumps({name: said[name] for name in ("receipt",) if name in said})
