"""What an operator asks of the database: one account, the trial balance, the SMS that are owed.

Only reads, and nothing of it is on the way of a payment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from ussd_gateway.domain.money import Money
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account, outbox

# In the order in which a message goes through them. In the first four it waits for us.
SMS_STATES = ("due", "queued", "sending", "unknown", "sent", "delivered", "failed")
SMS_OPEN = SMS_STATES[:4]


@dataclass(frozen=True, slots=True)
class Standing:
    """An account now. `available` is what may leave it, holds counted; None: unbounded."""

    ref: str
    code: int
    balance: Money
    available: Money | None


@dataclass(frozen=True, slots=True)
class Turnover:
    """All accounts of one code and currency. `balance` is on their own side."""

    code: int
    debits: Money
    credits: Money
    balance: Money


def standing(engine: Engine, refs: Sequence[str]) -> Standing | None:
    """The account of the first of `refs` that is there."""
    found = select(account).where(account.c.public_ref.in_(refs))
    with reading(engine) as connection:
        rows = {row.public_ref: row for row in connection.execute(found)}
    row = next((rows[ref] for ref in refs if ref in rows), None)
    if row is None:
        return None

    balance = (row.debits - row.credits) * row.side
    held = row.credits_pending if row.side == 1 else row.debits_pending
    available = None if row.floor is None else Money(balance - held - row.floor, row.currency)
    return Standing(row.public_ref, row.code, Money(balance, row.currency), available)


def trial_balance(engine: Engine) -> list[Turnover]:
    """By currency, then code."""
    sums = (
        select(
            account.c.code,
            account.c.currency,
            account.c.side,
            func.sum(account.c.debits).label("debits"),
            func.sum(account.c.credits).label("credits"),
        )
        .group_by(account.c.currency, account.c.code, account.c.side)
        .order_by(account.c.currency, account.c.code, account.c.side)
    )
    with reading(engine) as connection:
        return [
            Turnover(
                row.code,
                Money(int(row.debits), row.currency),
                Money(int(row.credits), row.currency),
                Money(int(row.debits - row.credits) * row.side, row.currency),
            )
            for row in connection.execute(sums)
        ]


def oldest_open_at_ms(engine: Engine) -> int | None:
    """Since when the oldest SMS that is still open is owed."""
    oldest = select(func.min(outbox.c.event_at_ms)).where(outbox.c.state.in_(SMS_OPEN))
    with reading(engine) as connection:
        return connection.execute(oldest).scalar()
