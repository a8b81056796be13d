"""What stands behind a receipt, as somebody who asks may be told; and how often they ask.

All of it is read from the books: it is true while no SMS arrives.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.accounts import COMMISSION, HOUSE_ID_MIN
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn, masked
from ussd_gateway.ports import BooksLost, Party, Receipted
from ussd_gateway.store.asked import asking
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import (
    account,
    assistant,
    business,
    entry,
    idempotency,
    journal,
    outbox,
    receipt_ask,
    subscriber,
)

# A row of somebody who asks without an end stays within its column.
_ASKED_MAX = 1_000

_NOBODY = Party("", "")
_JOURNAL = select(
    journal.c.id,
    journal.c.receipt,
    journal.c.event_at_ms,
    idempotency.c.key,
    idempotency.c.outcome,
).select_from(journal.join(idempotency, idempotency.c.journal_id == journal.c.id))
# Of people and businesses. Commission is between an agent and the house.
_THEIRS = and_(account.c.id < HOUSE_ID_MIN, account.c.code != COMMISSION.number)
_LEGS = (
    select(
        entry.c.minor,
        account.c.side,
        account.c.currency,
        func.coalesce(subscriber.c.name, business.c.name, "").label("name"),
        func.coalesce(subscriber.c.msisdn, business.c.msisdn).label("msisdn"),
        business.c.number.label("number"),
    )
    .select_from(entry)
    .join(account, account.c.id == entry.c.account_id)
    .outerjoin(subscriber, subscriber.c.wallet_id == account.c.id)
    .outerjoin(business, business.c.account_id == account.c.id)
    .where(_THEIRS)
    .order_by(entry.c.leg)
)
# What came out of its payee's account, and of no other.
_TAKEN_BACK = (
    select(func.coalesce(func.sum(entry.c.minor), 0))
    .select_from(entry)
    .join(journal, journal.c.id == entry.c.journal_id)
    .join(account, account.c.id == entry.c.account_id)
    .where(_THEIRS, entry.c.minor > 0)
)
_Leg = Any  # as SQLAlchemy gives it: a value for each column, by name


class SqlReceipts:
    """`ports.Receipts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, receipt: str, asker: Msisdn) -> Receipted | None:
        with asking(self._engine) as connection:
            row = connection.execute(_JOURNAL.where(journal.c.receipt == receipt)).first()
            if row is None:
                return None
            legs = connection.execute(_LEGS.where(entry.c.journal_id == row.id)).all()
            if not legs:
                return None
            own = _own(legs, asker, _workplace(connection, asker))
            back = connection.execute(_TAKEN_BACK.where(journal.c.reverses_id == row.id))
            taken_back = Money(int(back.scalar_one()), legs[0].currency)
            told = select(outbox.c.id).where(outbox.c.key == row.key, outbox.c.msisdn == asker)
            was_told = connection.execute(told.limit(1)).first() is not None
        return Receipted(
            row.receipt,
            row.event_at_ms,
            _amounts(decode_outcome(row.outcome).values.get("amount"), legs),
            _moved(own) if own else None,
            _other(legs, own) if own else _NOBODY,
            was_told,
            taken_back,
        )

    def asked(self, asker: Msisdn, today: date, key: str) -> int:
        table = receipt_ask.c
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        new = insert(receipt_ask).values(msisdn=asker, on_day=today, asked=1, key=key)
        counted = case(
            (table.key == new.excluded.key, table.asked),
            (table.on_day != new.excluded.on_day, 1),
            (table.asked >= _ASKED_MAX, table.asked),
            else_=table.asked + 1,
        )
        counting = new.on_conflict_do_update(
            index_elements=["msisdn"],
            set_={"on_day": new.excluded.on_day, "asked": counted, "key": new.excluded.key},
        ).returning(table.asked)
        try:
            with writing(self._engine) as connection:
                return int(connection.execute(counting).scalar_one())
        except SQLAlchemyError as error:
            raise BooksLost(type(error).__name__) from None


def _workplace(connection: Connection, asker: Msisdn) -> str | None:
    """The number of the store that somebody serves, if any."""
    serves = (
        select(assistant.c.store)
        .select_from(assistant.join(subscriber))
        .where(subscriber.c.msisdn == asker)
    )
    found: str | None = connection.execute(serves).scalar()
    return found


def _own(legs: Sequence[_Leg], asker: Msisdn, store: str | None) -> _Leg | None:
    """The first that is of the asker: their wallet, their business, or the store they serve."""
    serves = (leg for leg in legs if leg.msisdn == asker or (store and leg.number == store))
    return next(serves, None)


def _moved(leg: _Leg) -> Money:
    return Money(leg.minor * leg.side, leg.currency)


def _other(legs: Sequence[_Leg], own: _Leg) -> Party:
    other = next((leg for leg in legs if leg is not own and leg.name), None)
    return Party(other.name, other.number or masked(other.msisdn)) if other else _NOBODY


def _amounts(told: object, legs: Sequence[_Leg]) -> tuple[Money, ...]:
    """What the payer was told, then what came to each of the others; where it was neither, what
    went."""
    moved = [_moved(leg) for leg in legs]
    first = (told,) if isinstance(told, Money) else ()
    return (*first, *(each for each in moved if each.minor > 0)) or (-moved[0],)
