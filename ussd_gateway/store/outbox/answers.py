"""What providers answered, kept; and those woken that one of them would not take."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    and_,
    bindparam,
    case,
    false,
    func,
    or_,
    select,
    text,
    update,
)

from ussd_gateway.ports import SmsResult, SmsState
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox.messages import Answered, NotTaken
from ussd_gateway.store.outbox.reports import adopt_overtaken
from ussd_gateway.store.outbox.waits import RETRY_SHORT_MS, after_silence_ms, retry_ms
from ussd_gateway.store.schema import SILENT, UNWRITTEN, WAITING, outbox

WOKEN_MAX = 1_000

# Those that begin so, but for those that begin otherwise.
Numbers = tuple[str, Sequence[str]]

# In these a row waits for the answer of whoever took it last, its lease over or not: a sender
# slower than its lease still knows better, until somebody else begins.
_TAKEN = "state IN ('sending', 'unknown', 'due', 'claimed')"

_IS_UNWRITTEN = outbox.c.detail.is_not_distinct_from(UNWRITTEN)
# By a provider: what could not be written is for nobody to take.
_NOT_TAKEN = and_(or_(outbox.c.provider.is_not(None), text(SILENT)), ~_IS_UNWRITTEN)

# One statement for all of them. Words that a later attempt does not say stay as an earlier one
# left them.
_KEEP = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("row"),
        outbox.c.attempt == bindparam("which"),
        text(_TAKEN),
    )
    .values(
        state=bindparam("becomes"),
        next_at_ms=bindparam("at"),
        unknowns=bindparam("silences"),
        sent_at_ms=bindparam("given_at"),
        text=func.coalesce(bindparam("words"), outbox.c.text),
        segments=func.coalesce(bindparam("parts"), outbox.c.segments),
        # Who was silent may still report, whoever would not take it since.
        provider=func.coalesce(
            bindparam("asked"), case((text(SILENT), outbox.c.provider), else_=None)
        ),
        provider_id=bindparam("named"),
        cost=bindparam("price"),
        detail=bindparam("said"),
    )
)


def finish(engine: Engine, now_ms: int, answered: Sequence[Answered]) -> None:
    results = [one.result for one in answered]
    named = [one for one in results if isinstance(one, SmsResult) and one.provider_id]
    with writing(engine) as connection:
        rows = sorted((_kept(one, now_ms) for one in answered), key=lambda row: int(row["row"]))
        connection.execute(_KEEP, rows)
        if named:
            adopt_overtaken(connection, named)


def wake(engine: Engine, now_ms: int, numbers: Sequence[Numbers]) -> int:
    to = outbox.c.msisdn
    theirs = (
        and_(to.startswith(beginning), *(~to.startswith(each) for each in others))
        for beginning, others in numbers
    )
    return _wake(engine, now_ms + RETRY_SHORT_MS, and_(_NOT_TAKEN, or_(false(), *theirs)))


def wake_unwritten(engine: Engine, now_ms: int) -> int:
    return _wake(engine, now_ms, _IS_UNWRITTEN)


def _wake(engine: Engine, later_than_ms: int, which: ColumnElement[bool]) -> int:
    """How many were found: nothing is locked while all that wait are looked through."""
    waiting = select(outbox.c.id).where(text(WAITING), outbox.c.state == "due", which)
    found = (
        waiting.where(outbox.c.next_at_ms > later_than_ms)
        .order_by(outbox.c.priority, outbox.c.id)
        .limit(WOKEN_MAX)
    )
    with reading(engine) as connection:
        ids = list(connection.execute(found).scalars())
    if not ids:
        return 0
    still = waiting.where(outbox.c.id.in_(ids)).with_for_update(skip_locked=True)
    with writing(engine) as connection:
        ours = connection.execute(still).scalars().all()
        now_due = update(outbox).where(outbox.c.id.in_(ours)).values(next_at_ms=0)
        connection.execute(now_due)
    return len(ids)


def _kept(one: Answered, now_ms: int) -> dict[str, Any]:
    """The values of `_KEEP`: absolute ones, so that an answer kept twice counts once."""
    owed, result = one.owed, one.result
    values: dict[str, Any] = {
        "row": owed.id,
        "which": owed.attempt,
        "at": now_ms,
        "silences": owed.unknowns,
        "given_at": None,
        "words": one.text or None,
        "parts": one.segments or None,
        "asked": result.provider or None,
        "named": None,
        "price": None,
    }
    if isinstance(result, NotTaken):
        again_ms = now_ms + retry_ms(owed.id, owed.attempt)
        given_at = owed.begun_at_ms if owed.unknowns else None
        values |= {"becomes": "due", "at": again_ms, "given_at": given_at}
        asked = None if owed.unknowns else result.provider
        return {**values, "asked": asked, "words": None, "parts": None, "said": result.why}

    values |= {"named": result.provider_id, "price": result.cost, "said": result.detail}
    match result.state:
        case SmsState.ACCEPTED:
            return {**values, "becomes": "sent", "given_at": now_ms}
        case SmsState.REFUSED:
            return {**values, "becomes": "failed"}
        case SmsState.UNKNOWN:
            silences = owed.unknowns + 1
            wait_ms = after_silence_ms(silences, died=owed.died)
            return {
                **values,
                "becomes": "unknown",
                "at": now_ms + wait_ms if wait_ms else 0,
                "silences": silences,
                "given_at": owed.begun_at_ms,
            }
