"""Notices for numbers that have said that they want none: they are not sent. Whatever tells of
somebody's own money is, and so is what they asked for."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select, update

from ussd_gateway.domain.book import Priority
from ussd_gateway.store.schema import opt_out, outbox


def give_up_unwanted(connection: Connection, rows: Sequence[RowMapping]) -> frozenset[int]:
    """Which of `rows`, that were just taken, nobody is to send."""
    notices = {row["id"]: row["msisdn"] for row in rows if row["priority"] == Priority.NOTICE}
    if not notices:
        return frozenset()
    told_us = select(opt_out.c.msisdn).where(opt_out.c.msisdn.in_(set(notices.values())))
    numbers = set(connection.execute(told_us).scalars())
    unwanted = frozenset(row for row, msisdn in notices.items() if msisdn in numbers)
    if unwanted:
        failed = {
            "state": "failed",
            "sent_at_ms": None,
            "detail": "the number wants no notices",
        }
        connection.execute(update(outbox).where(outbox.c.id.in_(unwanted)).values(failed))
    return unwanted
