"""A batch on SQLite: one file, one writer at a time among all processes."""

import sqlite3
from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy import Engine

from ussd_gateway.store.batch import Loaded, Rows, Trouble
from ussd_gateway.store.database import sqlite_lock
from ussd_gateway.store.rows import account_of, subscriber_of

_SUBSCRIBERS = (
    "SELECT id, msisdn, name, language, active, wallet_id, pin_kid, pin_salt, pin_tag, "
    "wrong_tries FROM subscriber WHERE id IN (SELECT value FROM json_each(?))"
)
_ACCOUNTS = (
    "SELECT id, currency, side, debits, credits, debits_pending, credits_pending, floor, cap, "
    "seq FROM account WHERE id IN (SELECT value FROM json_each(?))"
)
_STORED = (
    "SELECT key, content, outcome FROM idempotency "
    "WHERE key IN (SELECT value FROM json_each(?))"
)
_ISSUE = (
    "INSERT INTO day_counter (business_date, kid, issued) VALUES (?, ?, ?) "
    "ON CONFLICT (business_date) DO UPDATE SET issued = issued + excluded.issued "
    "RETURNING issued, kid"
)
_JOURNAL = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)"
_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)"
_KEY = "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_MESSAGE = (
    "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt, "
    "next_at_ms) VALUES (?, ?, ?, ?, ?, ?, 'due', 0, ?)"
)
_SET_ACCOUNT = "UPDATE account SET debits = ?2, credits = ?3, seq = ?4 WHERE id = ?1"
_SET_PIN = "UPDATE subscriber SET wrong_tries = ?2 WHERE id = ?1"

_json = msgspec.json.Encoder().encode


class SqliteBooks:
    """Holds the file's lock from BEGIN IMMEDIATE to COMMIT, so nobody takes a key meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = sqlite_lock(engine)
        self._held = False
        self._connection: sqlite3.Connection | None = None

    def begin(self) -> None:
        self._lock.acquire()
        self._held = True
        if self._connection is None:
            self._connect()
        self._cursor.execute("BEGIN IMMEDIATE")

    def load(
        self, subscriber_ids: Sequence[int], account_ids: Sequence[int], keys: Sequence[str]
    ) -> Loaded:
        run = self._cursor.execute
        people = run(_SUBSCRIBERS, (_json(subscriber_ids).decode(),)) if subscriber_ids else ()
        subscribers = {row[0]: subscriber_of(row) for row in people}
        accounts = {
            row[0]: account_of(row) for row in run(_ACCOUNTS, (_json(account_ids).decode(),))
        }
        stored = {
            key: (content, outcome)
            for key, content, outcome in run(_STORED, (_json(keys).decode(),))
        }
        return Loaded(subscribers, accounts, stored)

    def issue(self, business_date: date, kid: str, count: int) -> tuple[int, str]:
        values = (business_date.isoformat(), kid, count)
        issued, day_kid = self._cursor.execute(_ISSUE, values).fetchone()
        return issued - count, day_kid

    def write(self, rows: Rows) -> bool:
        many = self._cursor.executemany
        many(_JOURNAL, ((*row[:4], row[4].isoformat(), *row[5:]) for row in rows.journals))
        many(_ENTRY, rows.entries)
        many(_KEY, rows.keys)
        many(_MESSAGE, rows.messages)
        many(_SET_ACCOUNT, rows.accounts)
        many(_SET_PIN, rows.pins)
        return True

    def commit(self) -> None:
        self._cursor.execute("COMMIT")
        self._unlock()

    def undo(self, error: Exception | None = None) -> Trouble:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.rollback()
                self._connection = connection
            except sqlite3.Error:
                connection.close()
        self._unlock()
        # Locked, full, or a disk that fails: OperationalError. A file that cannot be read now:
        # DatabaseError itself. Both may pass; a row that breaks a rule does not.
        passing = isinstance(error, sqlite3.OperationalError)
        passing = passing or type(error) is sqlite3.DatabaseError
        return Trouble.BUSY if passing else Trouble.REFUSED

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> None:
        raw = self._engine.raw_connection()
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        # The pool must not hand this connection to anybody else: it is the writer's own.
        raw.detach()
        self._connection = connection
        self._cursor = connection.cursor()

    def _unlock(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()
