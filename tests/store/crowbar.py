"""Ways to break true books, each with what the checker must say of it.

The crowbar opens the tables first: triggers, keys and CHECKs are gone while a tamper runs, and
the triggers are put back.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine

GUARDED = ("journal", "entry", "idempotency")

_TABLES = (*GUARDED, "account", "outbox")


@dataclass(frozen=True, slots=True)
class Tamper:
    broken: set[int | None]  # exactly the invariants that no longer hold
    told: str  # some of the words of one fault
    sql: str  # statements, each of which must change something

    @property
    def statements(self) -> list[str]:
        return [one for part in self.sql.split(";") if (one := part.strip())]


_LAST = "(SELECT max(id) FROM journal)"
_RECEIPT = f"(SELECT receipt FROM journal WHERE id = {_LAST})"
_REFUSED = "(SELECT min(key) FROM idempotency WHERE journal_id IS NULL)"
_TRUST_DUE = "account_id = (SELECT id FROM account WHERE public_ref = 'KES-1320')"
_FEES = "account_id = (SELECT id FROM account WHERE public_ref = 'KES-4010')"
_AMINA, _JUMA, _GRACE = (f"public_ref = '+25471100000{n}'" for n in (1, 2, 3))

TAMPERS = (
    # 1: journals balance
    Tamper(
        {1},
        "sums to 1 in KES",
        f"""
        UPDATE entry SET minor = minor + 1, balance_after = balance_after + 1
            WHERE {_TRUST_DUE} AND account_seq = 3;
        UPDATE account SET debits = debits + 1 WHERE public_ref = 'KES-1320';
        UPDATE entry SET minor = minor - 1 WHERE {_FEES} AND account_seq = 1;
        UPDATE entry SET balance_after = balance_after + 1 WHERE {_FEES};
        UPDATE account SET credits = credits + 1 WHERE public_ref = 'KES-4010'
        """,
    ),
    Tamper(
        {None},
        "legs of a phone bill and of e-money",
        "UPDATE account SET code = 1120 WHERE code = 4010",
    ),
    Tamper(
        {None},
        "nobody ordered it",
        "INSERT INTO purchase (key, kind, subscriber_id, msisdn, currency, minor, merchant, "
        "item, asked_at_ms, state, tries, next_at_ms, detail) VALUES "
        "('stray', 'content', 1, '+254711000001', 'KES', 2000, '700700', 'Article', 0, "
        "'asked', 1, 0, '')",
    ),
    Tamper(
        {None},
        "airtime on order is 0 KES; open purchases are 5000",
        "INSERT INTO purchase (key, kind, subscriber_id, msisdn, currency, minor, merchant, "
        "item, asked_at_ms, state, tries, next_at_ms, detail) VALUES "
        "('opening:airtime', 'airtime', 1, '+254711000001', 'KES', 5000, '', '', 0, 'asked', "
        "1, 0, '')",
    ),
    Tamper({1, 2}, "in UGX", "UPDATE account SET currency = 'UGX' WHERE code = 4010"),
    Tamper(
        {1, 8},
        "does not exist, and has entries",
        f"DELETE FROM journal WHERE id = {_LAST}",
    ),
    Tamper({1, 3, 4}, "has no leg", "DELETE FROM entry"),
    Tamper({1, 2, 3}, "in no currency", "DELETE FROM account WHERE code = 4010"),
    # 2: debits equal credits
    Tamper(
        {2},
        "debits pending 100, credits pending 0",
        f"UPDATE account SET debits_pending = 100 WHERE {_GRACE}",
    ),
    Tamper(
        {2, 3}, "KES: debits ", "UPDATE account SET credits = credits + 5 WHERE code = 4010"
    ),
    # 3: accounts are the sums of their entries
    Tamper(
        {3},
        "(KES-1320): says debits",
        """
        UPDATE account SET debits = debits + 5 WHERE code = 1320;
        UPDATE account SET credits = credits + 5 WHERE code = 4010
        """,
    ),
    Tamper(
        {3},
        "(+254711000001): says debits",
        f"UPDATE account SET debits = debits + 5, credits = credits + 5 WHERE {_AMINA}",
    ),
    Tamper(
        {1, 3, 4, 10},
        "account 77 does not exist; entries of it: 1",
        f"UPDATE entry SET account_id = 77 WHERE journal_id = {_LAST} AND leg = 2",
    ),
    # 4: numbers and chain
    Tamper(
        {4},
        "where entry 3 should be, there is 4",
        f"UPDATE entry SET account_seq = 4 WHERE {_FEES} AND account_seq = 3",
    ),
    Tamper(
        {4},
        "where entry 2 should be, there is 1",
        f"UPDATE entry SET account_seq = 1 WHERE {_FEES} AND account_seq = 2",
    ),
    Tamper(
        {4},
        "and should leave",
        f"UPDATE entry SET balance_after = 0 WHERE journal_id = {_LAST} AND leg = 1",
    ),
    Tamper(
        {4},
        "says that its last entry is 9; it is 3",
        "UPDATE account SET seq = 9 WHERE code = 4010",
    ),
    # 5: floors and caps
    Tamper(
        {5},
        "is under its floor, 20000000",
        f"UPDATE account SET floor = 20000000 WHERE {_GRACE}",
    ),
    Tamper(
        {5},
        "(+254711000001): -136400 is under its floor, 0",
        f"""
        UPDATE account SET debits_pending = 620700 WHERE {_AMINA};
        UPDATE account SET credits_pending = 620700 WHERE {_JUMA}
        """,
    ),
    Tamper({5}, "is over its cap, 1", f"UPDATE account SET cap = 1 WHERE {_JUMA}"),
    Tamper(
        {5},
        "its floor (None) is not zero or more",
        f"UPDATE account SET floor = NULL WHERE {_JUMA}",
    ),
    # 8: keys, their outcomes, their SMS
    Tamper({8}, "has 0 keys", f"DELETE FROM idempotency WHERE journal_id = {_LAST}"),
    Tamper(
        {8},
        "its journal 7 is not there",
        f"UPDATE idempotency SET journal_id = 7 WHERE journal_id = {_LAST}",
    ),
    Tamper(
        {8},
        "has 2 keys",
        f"UPDATE idempotency SET journal_id = {_LAST} WHERE key = {_REFUSED}",
    ),
    Tamper(
        {8},
        "is there 2 times",
        f"INSERT INTO idempotency SELECT * FROM idempotency WHERE key = {_REFUSED}",
    ),
    Tamper(
        {8},
        "its outcome says receipt 2222222222",
        f"""
        UPDATE idempotency SET outcome = replace(outcome, {_RECEIPT}, '2222222222')
            WHERE journal_id = {_LAST}
        """,
    ),
    Tamper(
        {8},
        "money moved, and its outcome is low",
        f"""
        UPDATE idempotency SET outcome = replace(outcome, '"ok"', '"low"')
            WHERE journal_id = {_LAST}
        """,
    ),
    Tamper(
        {8},
        "its outcome cannot be read",
        f"UPDATE idempotency SET outcome = 'fine' WHERE journal_id = {_LAST}",
    ),
    Tamper(
        {8},
        "receipt 2222222222 was given, and no money moved",
        f"""
        UPDATE idempotency SET outcome = '["ok",{{"receipt":"2222222222"}}]'
            WHERE key = {_REFUSED}
        """,
    ),
    Tamper(
        {8},
        "its SMS are sent, sent; owed were received, sent",
        f"UPDATE outbox SET template = 'sent' WHERE params LIKE '%' || {_RECEIPT} || '%'",
    ),
    Tamper(
        {8},
        "its SMS are none",
        f"DELETE FROM outbox WHERE params LIKE '%' || {_RECEIPT} || '%'",
    ),
    Tamper(
        {8},
        "SMS pin_locked is there 2 times",
        """
        INSERT INTO outbox (id, key, msisdn, template, language, params, event_at_ms, state,
                attempt, next_at_ms)
            SELECT 99, key, msisdn, template, language, params, event_at_ms, state,
                attempt, next_at_ms FROM outbox WHERE template = 'pin_locked'
        """,
    ),
    Tamper(
        {8},
        "tells of key nobody, which is not there",
        "UPDATE outbox SET key = 'nobody' WHERE template = 'pin_locked'",
    ),
    Tamper(
        {8},
        "(received) says receipt 2222222222",
        f"""
        UPDATE outbox SET params = replace(params, {_RECEIPT}, '2222222222')
            WHERE template = 'received'
        """,
    ),
    # 10: the trust ring
    Tamper(
        {10},
        "KES: 1010 + 1020 hold 217525000; e-money and 2440 come to",
        f"UPDATE account SET code = 2310 WHERE {_JUMA}",
    ),
    Tamper(
        {10},
        "into or out of the ring",
        "UPDATE account SET code = 1020 WHERE code = 1320",
    ),
    # receipts
    Tamper(
        {None, 8},
        "does not pass its own check",
        f"""
        UPDATE journal SET receipt = substr(receipt, 1, 9) ||
            CASE substr(receipt, 10) WHEN '2' THEN '3' ELSE '2' END WHERE id = {_LAST}
        """,
    ),
    Tamper(
        {None, 8},
        "is not ten characters of the alphabet",
        f"UPDATE journal SET receipt = '0' || substr(receipt, 2) WHERE id = {_LAST}",
    ),
    Tamper(
        {None},
        "is not of 2026-11-22",
        f"UPDATE journal SET business_date = '2026-11-22' WHERE id = {_LAST}",
    ),
    Tamper(
        {None, 8},
        "was given 2 times",
        f"UPDATE journal SET receipt = {_RECEIPT} WHERE id = (SELECT min(id) FROM journal)",
    ),
)


def tamper(engine: Engine, statements: Sequence[str]) -> None:
    if engine.dialect.name == "sqlite":
        _tamper_with_sqlite(str(engine.url.database), statements)
    else:
        _tamper_with_postgres(engine.url.render_as_string(hide_password=False), statements)


def disarm(dialect: str) -> Iterator[str]:
    """Takes every guard off the books."""
    for table in GUARDED:
        if dialect == "sqlite":
            yield f"DROP TRIGGER {table}_no_update"
            yield f"DROP TRIGGER {table}_no_delete"
        else:
            yield f"DROP TRIGGER {table}_no_change ON {table}"
            yield f"DROP TRIGGER {table}_no_truncate ON {table}"


def _tamper_with_sqlite(path: str, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        armed = connection.execute(guards).fetchall()
        for name, _ in armed:
            connection.execute(f"DROP TRIGGER {name}")
        for table in _TABLES:
            connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE loose RENAME TO {table}")
        for statement in statements:
            assert connection.execute(statement).rowcount, f"changed nothing: {statement}"
        for _, guard in armed:
            connection.execute(guard)


def _tamper_with_postgres(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in _TABLES:
            rules = connection.execute(
                "SELECT conname FROM pg_constraint "
                "WHERE conrelid = %s::regclass AND contype IN ('c', 'p', 'u')",
                [table],
            ).fetchall()
            for (rule,) in rules:
                drop = f"ALTER TABLE {table} DROP CONSTRAINT {rule} CASCADE"
                connection.execute(drop.encode())
        for statement in statements:
            changed = connection.execute(statement.encode()).rowcount
            assert changed, f"changed nothing: {statement}"
