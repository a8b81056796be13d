"""A batch on PostgreSQL: rows locked first, in id order; arrays in, one round trip to write
all.

Several processes may write at once. What holds them apart: row locks, unique keys and CHECKs.
Hot accounts (fees, tax) have the highest ids, so they are locked last.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Engine

from ussd_gateway.store.batch import Loaded, Row, Rows, Trouble
from ussd_gateway.store.rows import account_of, subscriber_of

_SUBSCRIBERS = (
    "SELECT id, msisdn, name, language, active, wallet_id, pin_kid, pin_salt, pin_tag, "
    "wrong_tries FROM subscriber WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
)
_ACCOUNTS = (
    "SELECT id, currency, side, debits, credits, debits_pending, credits_pending, floor, cap, "
    "seq FROM account WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
)
# A later statement than the locks: it sees what was committed while we waited for them.
_STORED = "SELECT key, content, outcome FROM idempotency WHERE key = ANY(%s)"
_ISSUE = (
    "INSERT INTO day_counter (business_date, kid, issued) VALUES (%s, %s, %s) "
    "ON CONFLICT (business_date) "
    "DO UPDATE SET issued = day_counter.issued + excluded.issued RETURNING issued, kid"
)
_JOURNAL = (
    "INSERT INTO journal SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], "
    "%s::text[], %s::date[], %s::bigint[], %s::bigint[])"
)
_ENTRY = (
    "INSERT INTO entry SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], "
    "%s::bigint[], %s::bigint[], %s::bigint[])"
)
_KEY = (
    "INSERT INTO idempotency SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], "
    "%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING"
)
_MESSAGE = (
    "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt, "
    "next_at_ms) SELECT k, m, t, l, p, e, 'due', 0, n FROM unnest(%s::text[], %s::text[], "
    "%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS v(k, m, t, l, p, e, n)"
)
_SET_ACCOUNT = (
    "UPDATE account SET debits = v.d, credits = v.c, seq = v.s FROM unnest(%s::bigint[], "
    "%s::bigint[], %s::bigint[], %s::bigint[]) AS v(id, d, c, s) WHERE account.id = v.id"
)
_SET_PIN = (
    "UPDATE subscriber SET wrong_tries = v.n FROM unnest(%s::bigint[], %s::smallint[]) "
    "AS v(id, n) WHERE subscriber.id = v.id"
)


# Plans are kept for the life of the connection. One that is made while a table is still small
# would read it from end to end for ever after; every statement here goes by an index.
_PLANS = "SET enable_seqscan = off"


class PostgresBooks:
    """One connection of its own, kept open from batch to batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def begin(self) -> None:
        """Connects where there is no connection; the first statement opens the transaction."""
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

    def load(
        self, subscriber_ids: Sequence[int], account_ids: Sequence[int], keys: Sequence[str]
    ) -> Loaded:
        connection = self._open
        with connection.pipeline():
            people = connection.execute(_SUBSCRIBERS, (list(subscriber_ids),))
            accounts = connection.execute(_ACCOUNTS, (list(account_ids),))
            stored = connection.execute(_STORED, (list(keys),))
        return Loaded(
            {row[0]: subscriber_of(row) for row in people},
            {row[0]: account_of(row) for row in accounts},
            {key: (content, outcome) for key, content, outcome in stored},
        )

    def issue(self, business_date: date, kid: str, count: int) -> tuple[int, str]:
        found = self._open.execute(_ISSUE, (business_date, kid, count)).fetchone()
        assert found is not None
        issued, day_kid = found
        return issued - count, day_kid

    def write(self, rows: Rows) -> bool:
        connection = self._open
        # Keys are sorted, so that two processes with the same keys wait for one another and
        # never in a ring.
        keys = sorted(rows.keys)
        stored = None
        with connection.pipeline():
            if rows.journals:
                connection.execute(_JOURNAL, _columns(rows.journals))
                connection.execute(_ENTRY, _columns(rows.entries))
                connection.execute(_SET_ACCOUNT, _columns(rows.accounts))
            if keys:
                stored = connection.execute(_KEY, _columns(keys))
            if rows.messages:
                connection.execute(_MESSAGE, _columns(rows.messages))
            if rows.pins:
                connection.execute(_SET_PIN, _columns(rows.pins))
        return stored is None or stored.rowcount == len(keys)

    def commit(self) -> None:
        self._open.commit()

    def undo(self, error: Exception | None = None) -> Trouble:
        trouble = _trouble(error)
        connection, self._connection = self._connection, None
        if connection is None:
            return Trouble.LOST
        try:
            connection.rollback()
            self._connection = connection
        except psycopg.Error:
            connection.close()
            return Trouble.LOST
        return trouble

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        assert self._connection is not None
        return self._connection


def _trouble(error: Exception | None) -> Trouble:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Trouble.BUSY
    return Trouble.REFUSED


def _columns(rows: Sequence[Row]) -> list[str]:
    """Each column as an array literal: the driver's own way takes three times as long."""
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(column: Sequence[Any]) -> str:
    plain = type(column[0]) is int and None not in column
    return "{" + ",".join(map(str if plain else _item, column)) + "}"


def _item(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
