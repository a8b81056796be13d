"""A batch on SQLite: one file, one writer at a time among all processes."""

import sqlite3
from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine

from ussd_gateway.store.database import sqlite_lock
from ussd_gateway.store.ledger.batch import Loaded, Part, Row, Rows, Trouble, Wanted
from ussd_gateway.store.ledger.taken_back import HOLDS_OF, JOURNALS, LEGS, TAKEN_BACK, posted_of
from ussd_gateway.store.rows import (
    ACCOUNT,
    HOLD,
    SUBSCRIBER,
    VOUCHER,
    account_of,
    hold_of,
    subscriber_of,
    voucher_of,
)

_SUBSCRIBERS = (
    f"SELECT {SUBSCRIBER} FROM subscriber WHERE id IN (SELECT value FROM json_each(?))"
)
_ACCOUNTS = f"SELECT {ACCOUNT} FROM account WHERE id IN (SELECT value FROM json_each(?))"
_STORED = (
    "SELECT key, content, outcome FROM idempotency "
    "WHERE key IN (SELECT value FROM json_each(?))"
)
_DAY = "SELECT issued, kid FROM day_counter WHERE business_date = ?"
# Not where a later day is closed: nobody would count it any more.
_NEW_DAY = (
    "INSERT INTO day_counter (business_date, kid, issued) SELECT ?1, ?2, 0 "
    "WHERE NOT EXISTS (SELECT 1 FROM closed_day WHERE business_date >= ?1)"
)
_HOLDS = f"SELECT {HOLD} FROM hold WHERE id IN (SELECT value FROM json_each(?))"
_VOUCHERS = f"SELECT {VOUCHER} FROM voucher WHERE id IN (SELECT value FROM json_each(?))"
_JOURNALS, _LEGS, _TAKEN_BACK, _HOLDS_OF = (
    statement.format("IN (SELECT value FROM json_each(?))")
    for statement in (JOURNALS, LEGS, TAKEN_BACK, HOLDS_OF)
)
_JOURNAL = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)"
_BATCH = "INSERT INTO batch (digest, at_ms) VALUES (?, ?)"
_UNSEALED = "INSERT INTO unsealed VALUES (?)"
_KEY = (
    "INSERT INTO idempotency (key, content, outcome, journal_id, route, session_id, msisdn, "
    "at_ms, digest, batch_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MESSAGE = (
    "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt, "
    "next_at_ms, priority) VALUES (?, ?, ?, ?, ?, ?, 'due', 0, 0, ?)"
)
_SET_ACCOUNT = (
    "UPDATE account SET debits = ?2, credits = ?3, debits_pending = ?4, credits_pending = ?5, "
    "seq = ?6, status = ?7, used_on = ?8, used_day = ?9, used_month = ?10 WHERE id = ?1"
)
_SET_DAY = "UPDATE day_counter SET issued = ? WHERE business_date = ?"
_SET_PIN = "UPDATE subscriber SET wrong_tries = ?2 WHERE id = ?1"

_json = msgspec.json.Encoder().encode


class SqliteBooks:
    """Holds the file's lock from BEGIN IMMEDIATE to COMMIT, so nobody takes a key meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = sqlite_lock(engine)
        self._held = False
        self._committing = False
        self._connection: sqlite3.Connection | None = None

    def begin(self) -> None:
        self._lock.acquire()
        self._held = True
        self._committing = False
        if self._connection is None:
            self._connect()
        self._cursor.execute("BEGIN IMMEDIATE")

    def load(self, wanted: Wanted) -> Loaded:
        run = self._cursor.execute
        people = run(_SUBSCRIBERS, (_list(wanted.subscriber_ids),)).fetchall()
        accounts = run(_ACCOUNTS, (_list(wanted.account_ids),)).fetchall()
        stored = run(_STORED, (_list(wanted.keys),)).fetchall()
        day = wanted.business_date.isoformat()
        found = run(_DAY, (day,)).fetchone()
        if found is None:
            begun = run(_NEW_DAY, (day, wanted.kid)).rowcount
            assert begun, "a later day is closed"
        issued, kid = found or (0, wanted.kid)
        holds = run(_HOLDS, (_list(wanted.hold_ids),)).fetchall() if wanted.hold_ids else ()
        asked_for = (_list(wanted.voucher_ids),)
        vouchers = run(_VOUCHERS, asked_for).fetchall() if wanted.voucher_ids else ()
        journals = _list(wanted.journal_ids)
        asked = (_JOURNALS, _LEGS, _TAKEN_BACK, _HOLDS_OF) if wanted.journal_ids else ()
        rare = [run(each, (journals,)).fetchall() for each in asked]
        return Loaded(
            {row[0]: subscriber_of(row) for row in people},
            {row[0]: account_of(row) for row in accounts},
            issued,
            kid,
            {key: (content, outcome) for key, content, outcome in stored},
            {row[0]: hold_of(row) for row in holds},
            posted_of(*rare) if rare else {},
            {row[0]: voucher_of(row) for row in vouchers},
        )

    def commit(self, rows: Rows) -> None:
        for part in rows.parts:
            self._write(part)
        if rows.keys:
            self._write_rest(rows)
        self._committing = True
        self._cursor.execute("COMMIT")
        self._unlock()

    def _write(self, part: Part) -> None:
        many = self._cursor.executemany
        many(_JOURNAL, ((*row[:4], row[4].isoformat(), *row[5:]) for row in part.journals))
        many(_ENTRY, part.entries)
        many(_MESSAGE, part.messages)
        for statement, values in part.changes:
            self._cursor.execute(statement, values)

    def _write_rest(self, rows: Rows) -> None:
        many = self._cursor.executemany
        batch_id = self._cursor.execute(_BATCH, (rows.digest, rows.at_ms)).lastrowid
        self._cursor.execute(_UNSEALED, (batch_id,))
        many(_KEY, ((*key, batch_id) for key in rows.keys))
        many(_SET_ACCOUNT, map(_written, rows.accounts))
        # After the changes: a wrong try that came behind a new PIN is counted.
        many(_SET_PIN, rows.pins)
        self._cursor.execute(_SET_DAY, (rows.issued, rows.business_date.isoformat()))

    def undo(self, error: Exception) -> Trouble:
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
        if not passing:
            return Trouble.REFUSED
        # A COMMIT that failed may stand in the log and be found after a crash; but not where
        # the disk was full: then its last frame, without which it is none, was never written.
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        return Trouble.LOST if self._committing and not full else Trouble.BUSY

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


def _written(account: Row) -> Row:
    *rest, used_on, used_day, used_month = account
    return (*rest, used_on and used_on.isoformat(), used_day, used_month)


def _list(values: Sequence[int | str]) -> str:
    """What json_each takes: one statement serves lists of any length."""
    return _json(values).decode()
