"""SMS on their way: since when one is owed."""

from sqlalchemy import Engine, func, select

from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import outbox

# In the order in which a message goes through them. In the first four it waits for us.
SMS_STATES = ("due", "queued", "sending", "unknown", "sent", "delivered", "failed")
SMS_OPEN = SMS_STATES[:4]


def oldest_open_at_ms(engine: Engine) -> int | None:
    """Since when the oldest SMS that is still open is owed."""
    oldest = select(func.min(outbox.c.event_at_ms)).where(outbox.c.state.in_(SMS_OPEN))
    with reading(engine) as connection:
        return connection.execute(oldest).scalar()
