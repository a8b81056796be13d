"""Reads that hold no lock: what a service looks up before its command, and what screens show.

Everything read here may have changed by the time the command runs; a decision checks again what
it was told.
"""

import sqlite3
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.domain.book import Business, Movement, Status, Subscriber
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, BooksLost, Origin, Profile, Settled
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.database import connect_to_look
from ussd_gateway.store.rows import BUSINESS, SUBSCRIBER, business_of, subscriber_of

# In the driver's own words, as each of them is on a phone's way: SQLAlchemy's cost four times
# the look itself. Columns in the table's order.
_SUBSCRIBERS = f"SELECT {SUBSCRIBER} FROM subscriber WHERE msisdn IN (?, ?)"
_PROFILE = (
    "SELECT subscriber.name, language, active, store FROM subscriber "
    "LEFT JOIN assistant ON subscriber_id = id WHERE msisdn = ?"
)
_BUSINESS = f"SELECT {BUSINESS} FROM business WHERE number = ?"
_SPEAKS = "SELECT language FROM business WHERE msisdn = ? ORDER BY number LIMIT 1"
_WORKPLACE = (
    f"SELECT {BUSINESS} FROM business JOIN assistant ON store = number WHERE subscriber_id = ?"
)
_STATUS = "SELECT status FROM account WHERE id = ?"
# Of those that may have a cap, whose side is the credit.
_ROOM = "SELECT status, cap - credits + debits - credits_pending FROM account WHERE id = ?"
# On the other side stands whoever is neither the account itself nor the house; where it was the
# house, the receipt says more.
_MOVEMENTS = (
    "SELECT event_at_ms, side * minor, "
    "COALESCE((SELECT COALESCE(subscriber.name, business.name) "
    "FROM entry AS other "
    "LEFT JOIN subscriber ON subscriber.wallet_id = other.account_id "
    "LEFT JOIN business ON business.account_id = other.account_id "
    "WHERE other.journal_id = entry.journal_id AND other.account_id <> entry.account_id "
    f"AND other.account_id < {HOUSE_ID_MIN} ORDER BY other.leg LIMIT 1), receipt) "
    "FROM entry JOIN journal ON journal.id = journal_id "
    "JOIN account ON account.id = account_id "
    "WHERE account_id = ? ORDER BY account_seq DESC LIMIT ?"
)
_ASKED_BY_SMS = (
    "SELECT count(*) FROM idempotency WHERE session_id = ? AND route = 'sms' AND at_ms > ?"
)
# The name of an outcome stands first in it.
_LAST_ANSWERED = (
    "SELECT outcome FROM idempotency WHERE session_id = ? AND route = 'sms' AND at_ms > ? "
    "AND outcome LIKE ? ESCAPE '!' ORDER BY at_ms DESC, key DESC LIMIT 1"
)
_KNOWS = "SELECT 1 FROM idempotency WHERE key = ?"
# Money that moved is what must be told, whatever the clocks said of the answers around it.
_SETTLED = (
    "SELECT key, outcome FROM idempotency WHERE session_id = ? AND route = ? AND msisdn = ? "
    "ORDER BY journal_id DESC NULLS LAST, at_ms DESC, key DESC LIMIT 1"
)

_LOST = (SQLAlchemyError, sqlite3.Error, psycopg.Error)


class SqlReads:
    """The look-ups of services, and the doors `Profiles` and `Truth` of `ports`."""

    def __init__(self, url: str) -> None:
        """Connects on first use."""
        self._engine = connect_to_look(url)
        self._takes_percent = self._engine.dialect.name == "postgresql"

    def close(self) -> None:
        self._engine.dispose()

    def subscribers(self, *msisdns: Msisdn) -> dict[Msisdn, Subscriber]:
        """Of one number or two: the most that a payment has to do with."""
        people = map(subscriber_of, self._look(_SUBSCRIBERS, (msisdns[0], msisdns[-1])))
        return {person.msisdn: person for person in people}

    def profile(self, msisdn: Msisdn) -> Profile:
        for name, language, active, store in self._look(_PROFILE, (msisdn,)):
            return Profile(
                msisdn,
                registered=True,
                name=name,
                language=language,
                can_send=bool(active),
                till=store or "",
            )
        return Profile(
            msisdn, registered=False, name="", language=None, can_send=False, till=""
        )

    def business(self, number: str) -> Business | None:
        return next(map(business_of, self._look(_BUSINESS, (number,))), None)

    def workplace(self, subscriber_id: int) -> Business | None:
        return next(map(business_of, self._look(_WORKPLACE, (subscriber_id,))), None)

    def takes_in(self, account_id: int) -> bool:
        return any(Status(status).takes_in for (status,) in self._look(_STATUS, (account_id,)))

    def has_room(self, account_id: int, amount: Money) -> bool:
        return any(
            Status(status).takes_in and (room is None or amount.minor <= room)
            for status, room in self._look(_ROOM, (account_id,))
        )

    def movements(self, account_id: int, *, count_max: int) -> list[Movement]:
        return [Movement(*row) for row in self._look(_MOVEMENTS, (account_id, count_max))]

    def business_language(self, msisdn: Msisdn) -> str | None:
        return next((language for (language,) in self._look(_SPEAKS, (msisdn,))), None)

    def asked_by_sms(self, msisdn: Msisdn, *, since_ms: int) -> int:
        ((count,),) = self._look(_ASKED_BY_SMS, (msisdn, since_ms))
        return int(count)

    def last_answered(self, msisdn: Msisdn, outcome: str, *, since_ms: int) -> Answer | None:
        named = f'["{outcome}",%'.replace("_", "!_")
        for (stored,) in self._look(_LAST_ANSWERED, (msisdn, since_ms, named)):
            found = decode_outcome(stored)
            return Answer(found.name, found.values)
        return None

    def knows(self, key: str) -> bool:
        """Whether a command was run under it."""
        return bool(self._look(_KNOWS, (key,)))

    def settled(self, origin: Origin) -> Settled | None:
        known = (origin.session_id, origin.route, origin.msisdn)
        for key, stored in self._look(_SETTLED, known):
            _, state, hop, *_ = key.split(":")
            outcome = decode_outcome(stored)
            return Settled(state, int(hop), Answer(outcome.name, outcome.values))
        return None

    def _look(self, sql: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        """Twice, if need be: the first may meet a connection that died while it was idle."""
        statement = sql.replace("?", "%s") if self._takes_percent else sql
        try:
            return self._rows(statement, values)
        except _LOST:
            self._engine.dispose()
        try:
            return self._rows(statement, values)
        except _LOST as error:
            raise BooksLost(type(error).__name__) from None

    def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())
        finally:
            connection.close()
