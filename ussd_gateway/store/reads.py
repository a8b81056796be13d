"""Reads that hold no lock: what a service looks up before its command, and what screens show.

Everything read here may have changed by the time the command runs; a decision checks again what
it was told.
"""

import sqlite3
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.book import Subscriber
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, BooksLost, Origin, Profile, Settled
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.database import connect_to_look
from ussd_gateway.store.rows import subscriber_of

# In the driver's own words, as each of them is on a phone's way: SQLAlchemy's cost four times
# the look itself. Columns in the table's order.
_SUBSCRIBERS = (
    "SELECT id, msisdn, name, language, active, wallet_id, pin_kid, pin_salt, pin_tag, "
    "wrong_tries FROM subscriber WHERE msisdn IN (?, ?)"
)
# Money that moved is what must be told, whatever the clocks said of the answers around it.
_SETTLED = (
    "SELECT key, outcome FROM idempotency WHERE session_id = ? AND route = ? AND msisdn = ? "
    "ORDER BY journal_id DESC NULLS LAST, at_ms DESC LIMIT 1"
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
        person = self.subscribers(msisdn).get(msisdn)
        if person is None:
            return Profile(msisdn, registered=False, name="", language=None, can_send=False)
        return Profile(
            msisdn,
            registered=True,
            name=person.name,
            language=person.language,
            can_send=person.active,
        )

    def settled(self, origin: Origin) -> Settled | None:
        known = (origin.session_id, origin.route, origin.msisdn)
        for key, stored in self._look(_SETTLED, known):
            _visit, state, _hop = key.split(":")
            outcome = decode_outcome(stored)
            return Settled(state, Answer(outcome.name, outcome.values))
        return None

    def _look(self, sql: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
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

    def _rows(self, statement: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())
        finally:
            connection.close()
