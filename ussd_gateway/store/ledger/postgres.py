"""A batch on PostgreSQL: rows locked first, in id order; then all is written without waiting,
arrays in: what is decided first is written while the rest is decided.

Several processes may write at once. What holds them apart: row locks, unique keys and CHECKs.
Hot accounts (fees, tax) have the highest ids, so they are locked last.
"""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from sqlalchemy import Engine

from ussd_gateway.store.ledger.batch import Loaded, Row, Rows, Trouble, Wanted
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
    f"SELECT {SUBSCRIBER} FROM subscriber WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
)
_ACCOUNTS = f"SELECT {ACCOUNT} FROM account WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
# A later statement than the locks: it sees what was committed while we waited for them.
_STORED = "SELECT key, content, outcome FROM idempotency WHERE key = ANY(%s::text[])"
_DAY = "SELECT issued, kid FROM day_counter WHERE business_date = %s FOR UPDATE"
# Not where a later day is closed: nobody would count it any more. Nor where the server's clock
# does not say that the day begins: what a clock that ran ahead writes is dated so for good.
_NEW_DAY = (
    "INSERT INTO day_counter (business_date, kid, issued) SELECT day, kid, 0 "
    "FROM (VALUES (%s::date, %s::text, %s::timestamptz)) AS new (day, kid, begins) "
    "WHERE NOT EXISTS (SELECT FROM closed_day WHERE business_date >= day) "
    "AND (begins IS NULL OR begins <= clock_timestamp() + interval '5 minutes') "
    "ON CONFLICT DO NOTHING"
)
_HOLDS = f"SELECT {HOLD} FROM hold WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
_VOUCHERS = f"SELECT {VOUCHER} FROM voucher WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
_JOURNALS = JOURNALS.format("= ANY(%s::bigint[])")
_LEGS = LEGS.format("= ANY(%s::bigint[])")
_TAKEN_BACK = TAKEN_BACK.format("= ANY(%s::bigint[])")
_HOLDS_OF = HOLDS_OF.format("= ANY(%s::bigint[])")
# What a batch writes, in statements that follow one another without waiting: while the database
# is busy with one part, the next is made ready. One that fails takes with it all that is on its
# way behind it, the COMMIT too.
_PART = """
WITH
entries AS (
    INSERT INTO entry SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::bigint[])),
journals AS (
    INSERT INTO journal SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[],
        %s::date[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]))
INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt,
    next_at_ms, priority)
SELECT k, m, t, l, p, e, 'due', 0, 0, u FROM unnest(%s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::bigint[], %s::smallint[]) AS v(k, m, t, l, p, e, u)
"""
_TOTALS = """
WITH
accounts AS (
    UPDATE account SET debits = v.d, credits = v.c, debits_pending = v.dp,
        credits_pending = v.cp, seq = v.s, status = v.st, used_on = v.uo, used_day = v.ud,
        used_month = v.um
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::text[], %s::date[], %s::bigint[], %s::bigint[])
        AS v(id, d, c, dp, cp, s, st, uo, ud, um) WHERE account.id = v.id),
pins AS (
    UPDATE subscriber SET wrong_tries = v.n FROM unnest(%s::bigint[], %s::smallint[])
        AS v(id, n) WHERE subscriber.id = v.id)
UPDATE day_counter SET issued = %s WHERE business_date = %s
"""
_RECORDS = """
WITH
sealed AS (
    INSERT INTO batch (digest, at_ms) VALUES (%s, %s) RETURNING id),
waiting AS (
    INSERT INTO unsealed SELECT id FROM sealed)
INSERT INTO idempotency (batch_id, key, content, outcome, journal_id, route, session_id,
    msisdn, at_ms, digest)
SELECT sealed.id, v.* FROM sealed, unnest(%s::text[], %s::text[], %s::text[],
    %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bytea[]) AS v
"""
_json = msgspec.json.Encoder().encode

_KEYS = "pk_idempotency"

# Plans are kept for the life of the connection. One that is made while a table is still small
# would read it from end to end for ever after; every statement here goes by an index.
_PLANS = "SET enable_seqscan = off"

# What a standby says to who would write: the server that takes writes is another one now. It is
# no OperationalError, as a shutdown or a full disk is.
_ELSEWHERE = (
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.InFailedSqlTransaction,
)


class PostgresBooks:
    """One connection of its own, kept open from batch to batch. Where its days begin by `zone`,
    none is begun that the server's clock does not know of; None: by a clock that was set."""

    def __init__(self, engine: Engine, zone: ZoneInfo | None = None) -> None:
        self._engine = engine
        self._zone = zone
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._committing = False

    def begin(self) -> None:
        """Connects where there is no connection; the first statement opens the transaction."""
        self._committing = False
        if self._connection is not None:
            return
        raw = self._engine.raw_connection()
        connection = raw.driver_connection
        assert isinstance(connection, psycopg.Connection)
        # The pool must not hand this connection to anybody else: it is the writer's own.
        raw.detach()
        connection.execute(_PLANS)
        connection.commit()
        self._connection = connection

    def load(self, wanted: Wanted) -> Loaded:
        connection = self._open
        with connection.pipeline():
            people = connection.execute(_SUBSCRIBERS, (_array(wanted.subscriber_ids),))
            accounts = connection.execute(_ACCOUNTS, (_array(wanted.account_ids),))
            holds = self._rare(_HOLDS, wanted.hold_ids)
            vouchers = self._rare(_VOUCHERS, wanted.voucher_ids)
            day = connection.execute(_DAY, (wanted.business_date,))
            stored = connection.execute(_STORED, (_array(wanted.keys),))
            rare = [
                self._rare(statement, wanted.journal_ids)
                for statement in (_JOURNALS, _LEGS, _TAKEN_BACK, _HOLDS_OF)
            ]
        issued, kid = day.fetchone() or self._begin_day(wanted)
        return Loaded(
            {row[0]: subscriber_of(row) for row in people.fetchall()},
            {row[0]: account_of(row) for row in accounts.fetchall()},
            issued,
            kid,
            {key: (content, outcome) for key, content, outcome in stored.fetchall()},
            {row[0]: hold_of(row) for row in (holds.fetchall() if holds else ())},
            posted_of(*(found.fetchall() if found else () for found in rare)),
            {row[0]: voucher_of(row) for row in (vouchers.fetchall() if vouchers else ())},
        )

    def _rare(
        self, statement: str, ids: Sequence[int]
    ) -> psycopg.Cursor[tuple[Any, ...]] | None:
        """What few batches ask for, and no others pay for."""
        return self._open.execute(statement, (_array(ids),)) if ids else None

    def commit(self, rows: Rows) -> None:
        connection = self._open
        with connection.pipeline():
            for part in rows.parts:
                for statement, changed in part.changes:
                    connection.execute(statement.replace("?", "%s"), changed)
                entries, journals = _columns(part.entries, 6), _columns(part.journals, 9)
                connection.execute(_PART, (*entries, *journals, *_columns(part.messages, 7)))
            totals = (*_columns(rows.accounts, 10), *_columns(rows.pins, 2))
            connection.execute(_TOTALS, (*totals, rows.issued, rows.business_date))
            if rows.keys:  # else all of them were answered before
                # Sorted, so that two processes with the same keys wait for one another and
                # never in a ring.
                keys = _columns(sorted(rows.keys), 9)
                connection.execute(_RECORDS, (rows.digest, rows.at_ms, *keys))
            self._committing = True
            connection.commit()

    def undo(self, error: Exception) -> Trouble:
        connection, self._connection = self._connection, None
        gone = Trouble.LOST if self._committing else Trouble.BUSY
        if connection is None:
            return gone
        if isinstance(error, _ELSEWHERE):
            connection.close()  # the next one may find the server that takes writes
            return _trouble(error)
        try:
            connection.rollback()
            self._connection = connection
        except psycopg.Error:
            connection.close()
            return gone
        return _trouble(error)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _begin_day(self, wanted: Wanted) -> tuple[int, str]:
        """The day's first batch; where two processes meet in it, one begins the day."""
        connection = self._open
        day = wanted.business_date
        begins = self._zone and datetime.combine(day, time(0), self._zone)
        connection.execute(_NEW_DAY, (day, wanted.kid, begins))
        found = connection.execute(_DAY, (day,)).fetchone()
        assert found is not None, "a later day is closed, or the server says that it is earlier"
        return found[0], found[1]

    @property
    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        assert self._connection is not None
        return self._connection


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, *_ELSEWHERE)):
        return Trouble.BUSY
    if isinstance(error, psycopg.errors.UniqueViolation):
        return Trouble.BUSY if error.diag.constraint_name == _KEYS else Trouble.REFUSED
    return Trouble.REFUSED


def _columns(rows: Sequence[Row], width: int) -> list[str]:
    """Each column as an array literal: the driver's own way takes three times as long."""
    if not rows:
        return ["{}"] * width
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(column: Sequence[Any]) -> str:
    if column and isinstance(column[0], bytes):
        return "{" + ",".join(map(_octets, column)) + "}"
    # JSON is an array literal but for its brackets, and for how it escapes.
    literal = _json(column)[1:-1].decode()
    return "{" + (",".join(map(_text, column)) if "\\" in literal else literal) + "}"


def _text(value: str | None) -> str:
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _octets(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'
