"""Until when a message is worth sending: by what it is."""

from sqlalchemy import ColumnElement, case

from ussd_gateway.domain.book import Priority
from ussd_gateway.store.outbox.waits import ANSWER_VALIDITY_MS, VALIDITY_MS
from ussd_gateway.store.schema import outbox


def too_old(now_ms: int) -> ColumnElement[bool]:
    """Of a row: nobody is to send it any more."""
    answers = (outbox.c.priority == Priority.ANSWER, now_ms - ANSWER_VALIDITY_MS)
    return outbox.c.event_at_ms <= case(answers, else_=now_ms - VALIDITY_MS)
