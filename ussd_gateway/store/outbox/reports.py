"""Delivery reports: by their ids, before and after their messages have them, or by the number.

A report may come before the answer that names its message is committed, and the answer itself
may be lost. So one that nobody knows is kept for a while, and finds its message later:

    by id       when the answer is kept; and by the clock, should the two have met in the middle
    by number   where just one message to that number may be meant: one of which nobody knows
                whether it went out, given to a provider before the report came
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Update,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    text,
    update,
)

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, SmsResult
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox.waits import VALIDITY_MS
from ussd_gateway.store.schema import IN_DOUBT, IN_FLIGHT, SILENT, outbox, sms_report

# Longer ids are nobody's: none of ours has one.
ID_MAX = 64
# For longer than this no transaction goes on.
OVERLAP_MS = 60_000
MATCHED_MAX = 200

_LAST = ("delivered", "failed")
# The last word that came stays, and a final one for good.
_KEEP = text(
    "INSERT INTO sms_report (provider, provider_id, msisdn, status, final, delivered, reason, "
    "at_ms) VALUES (:provider, :provider_id, :msisdn, :status, :final, :delivered, :reason, "
    ":at_ms) ON CONFLICT (provider, provider_id) DO UPDATE SET msisdn = excluded.msisdn, "
    "status = excluded.status, final = excluded.final, delivered = excluded.delivered, "
    "reason = excluded.reason, at_ms = excluded.at_ms WHERE NOT sms_report.final"
)
_MET_IN_THE_MIDDLE = (
    select(sms_report)
    .join(
        outbox,
        (outbox.c.provider_id == sms_report.c.provider_id)
        & (outbox.c.provider == sms_report.c.provider),
    )
    .limit(MATCHED_MAX)
)
_other = outbox.alias("other")
# `meant` is the only row that may be. While another message to that number is being sent, the
# report may be of that one; and so it may be of a copy of one that was sent again since.
_BY_NUMBER = (
    select(
        sms_report.c.provider,
        sms_report.c.provider_id,
        func.min(outbox.c.id).label("meant"),
    )
    .join(
        outbox,
        (outbox.c.msisdn == sms_report.c.msisdn)
        & (outbox.c.sent_at_ms <= sms_report.c.at_ms)
        & (outbox.c.provider.is_(None) | (outbox.c.provider == sms_report.c.provider)),
    )
    .where(text(IN_DOUBT))
    .where(
        ~exists().where(
            _other.c.msisdn == outbox.c.msisdn,
            text(f"other.{IN_FLIGHT}"),
            _other.c.state == "sending",
        ),
        ~exists().where(
            _other.c.msisdn == outbox.c.msisdn,
            text(f"other.{SILENT}"),
            _other.c.state.in_(("sent", *_LAST)),
            _other.c.event_at_ms <= sms_report.c.at_ms,
            _other.c.event_at_ms > sms_report.c.at_ms - VALIDITY_MS,
        ),
    )
    .group_by(sms_report.c.provider, sms_report.c.provider_id)
    .having(func.count() == 1)
    .order_by(func.min(sms_report.c.at_ms))
    .limit(MATCHED_MAX)
)


def report(engine: Engine, now_ms: int, said: DeliveryReport) -> bool:
    if len(said.provider_id) > ID_MAX:
        return False
    with writing(engine) as connection:
        if _applies(connection, said, now_ms):
            return True
        connection.execute(
            _KEEP,
            {
                "provider": said.provider,
                "provider_id": said.provider_id,
                "msisdn": said.msisdn,
                "status": said.status,
                "final": said.final,
                "delivered": said.delivered,
                "reason": said.reason,
                "at_ms": now_ms,
            },
        )
    return False


def adopt_overtaken(connection: Connection, results: Sequence[SmsResult]) -> None:
    """Reports that came before the answers which name their messages."""
    names = {(one.provider, one.provider_id) for one in results}
    by_id = sms_report.c.provider_id.in_({provider_id for _, provider_id in names})
    for row in connection.execute(select(sms_report).where(by_id)).mappings().all():
        if (row["provider"], row["provider_id"]) in names:
            _adopt(connection, row)


def match(engine: Engine, now_ms: int) -> int:
    overlapping = _MET_IN_THE_MIDDLE.where(sms_report.c.at_ms > now_ms - OVERLAP_MS)
    matched = 0
    with reading(engine) as connection:
        met = connection.execute(overlapping).mappings().all()
    for row in met:
        with writing(engine) as connection:
            matched += _adopt(connection, row)
    with reading(engine) as connection:
        by_number = connection.execute(_BY_NUMBER).mappings().all()
    for row in by_number:
        with writing(engine) as connection:
            matched += _adopt_for(connection, row)
    return matched


def _adopt_for(connection: Connection, found: RowMapping) -> bool:
    """Whether the report became that row's: an earlier one may have been just now."""
    # It went out, and that silence is none any more.
    named = (
        update(outbox)
        .where(outbox.c.id == found["meant"], text(IN_DOUBT))
        .values(
            provider=found["provider"],
            provider_id=found["provider_id"],
            state="sent",
            unknowns=outbox.c.unknowns - 1,
        )
    )
    if not connection.execute(named).rowcount:
        return False
    name = (found["provider"], found["provider_id"])
    row = connection.execute(select(sms_report).where(_is(sms_report, name))).mappings().one()
    return _adopt(connection, row)


def _adopt(connection: Connection, row: RowMapping) -> bool:
    """Whether there is the message that this report is of. Then it need not be kept."""
    said = DeliveryReport(
        row["provider"],
        row["provider_id"],
        None if row["msisdn"] is None else Msisdn(row["msisdn"]),
        row["status"],
        final=row["final"],
        delivered=row["delivered"],
        reason=row["reason"],
    )
    if not _applies(connection, said, row["at_ms"]):
        return False
    name = (said.provider, said.provider_id)
    connection.execute(delete(sms_report).where(_is(sms_report, name)))
    return True


def _applies(connection: Connection, said: DeliveryReport, at_ms: int) -> bool:
    """Whether there is such a message. It has this word now, if it had no last one before."""
    if _apply(connection, said, at_ms):
        return True
    if not _is_known(connection, said):
        return False
    # The answer that names it may have been committed between the two looks.
    _apply(connection, said, at_ms)
    return True


def _apply(connection: Connection, said: DeliveryReport, at_ms: int) -> bool:
    """Whether there is such a message that had no last word yet."""
    name = (said.provider, said.provider_id)
    found = update(outbox).where(_is(outbox, name), outbox.c.state.not_in(_LAST))
    return bool(connection.execute(_changed(found, said, at_ms)).rowcount)


def _changed(found: Update, said: DeliveryReport, at_ms: int) -> Update:
    detail = said.reason or said.status
    if not said.final:
        # It went out after all.
        state = case((text(IN_DOUBT), literal("sent")), else_=outbox.c.state)
        return found.values(detail=detail, state=state)
    if said.delivered:
        return found.values(detail=detail, state="delivered", delivered_at_ms=at_ms)
    return found.values(detail=detail, state="failed")


def _is_known(connection: Connection, said: DeliveryReport) -> bool:
    name = (said.provider, said.provider_id)
    known = select(outbox.c.id).where(_is(outbox, name))
    return connection.execute(known).first() is not None


def _is(table: Any, name: tuple[str, str]) -> Any:
    """The row of a provider's name for a message."""
    provider, provider_id = name
    return (table.c.provider_id == provider_id) & (table.c.provider == provider)
