"""Holds and reversals, account statuses, what limits count, and seals over every commit.

What was committed before there were seals becomes the first batch: a change of it shows from
now on, too. What was paid in the newest month counts for the limits of its payers. However much
there is, little of it is in memory at a time.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

EMPTY = "debits = credits AND debits_pending = 0 AND credits_pending = 0"
# In the words that SQLite and PostgreSQL share, so that no table has to be made anew.
COLUMNS = {
    "account": (
        (
            "status VARCHAR(12) NOT NULL DEFAULT 'active' CONSTRAINT ck_account_status CHECK "
            "(status IN ('active', 'frozen_in', 'frozen_both', 'dormant', 'closed')) "
            f"CONSTRAINT ck_account_closed CHECK (status <> 'closed' OR ({EMPTY}))"
        ),
        "used_on DATE",
        "used_day BIGINT NOT NULL DEFAULT 0",
        (
            "used_month BIGINT NOT NULL DEFAULT 0 CONSTRAINT ck_account_used CHECK "
            "(0 <= used_day AND used_day <= used_month)"
        ),
    ),
    "subscriber": (
        "cap_payment BIGINT",
        "cap_day BIGINT CONSTRAINT ck_subscriber_caps CHECK (cap_payment > 0 AND cap_day > 0)",
    ),
    "journal": ("reverses_id BIGINT", "hold_id BIGINT"),
    "idempotency": ("batch_id BIGINT",),
}
NEVER_CHANGED = ("batch", "seal")
KEPT = ("account", "hold")

SHRINKS = "NEW.debits < OLD.debits OR NEW.credits < OLD.credits OR NEW.seq < OLD.seq"
# Both before and after: a commit may hold the payment and, behind it, the freeze.
MOVES_BARRED = (
    "OLD.status IN ('frozen_both', 'dormant', 'closed')"
    " AND NEW.status IN ('frozen_both', 'dormant', 'closed')"
    " AND (NEW.debits <> OLD.debits OR NEW.credits <> OLD.credits)"
    " OR OLD.status = 'frozen_in' AND NEW.status = 'frozen_in'"
    " AND CASE WHEN OLD.side = 1 THEN NEW.debits <> OLD.debits"
    " ELSE NEW.credits <> OLD.credits END"
)
REDECIDED = (
    "OLD.state <> 'pending' OR NEW.id <> OLD.id OR NEW.minor <> OLD.minor"
    " OR NEW.source_id <> OLD.source_id OR NEW.target_id <> OLD.target_id"
)
# Each: table, name, verb, when, what is said.
RULES = (
    ("account", "account_only_grows", "UPDATE", SHRINKS, "posted totals only grow"),
    ("account", "account_barred", "UPDATE", MOVES_BARRED, "nothing moves in a barred account"),
    ("hold", "hold_decided_once", "UPDATE", REDECIDED, "a hold is decided once"),
)

# Keys with their journals, in the order in which digests are joined: of octets, on any server.
KEYS = """
    SELECT k.key, k.content, k.outcome, k.route, k.session_id, k.msisdn, k.at_ms, j.id, j.kind,
        j.receipt, j.tariff, j.business_date, j.event_at_ms, j.created_at_ms
    FROM idempotency k LEFT JOIN journal j ON j.id = k.journal_id ORDER BY {order}
"""
ORDERS = {"sqlite": "k.key", "postgresql": 'k.key COLLATE "C"'}
ENTRIES = """
    SELECT journal_id, leg, account_id, minor, balance_after, account_seq FROM entry
    WHERE journal_id IN :journals ORDER BY journal_id, leg
"""
ROWS_MAX = 2_000

# Wallets' legs of what counts for limits, and of airtime that came back; by account, then time.
PAID = """
    SELECT e.account_id, j.business_date, e.minor, k.outcome
    FROM journal j JOIN entry e ON e.journal_id = j.id JOIN account a ON a.id = e.account_id
        JOIN idempotency k ON k.journal_id = j.id
    WHERE j.id >= :first AND a.code = 2010 AND (e.minor > 0 AND j.kind IN
        ('send_money', 'pay_bill', 'buy_goods', 'withdraw', 'airtime')
        OR e.minor < 0 AND j.kind = 'airtime_returned')
    ORDER BY e.account_id, j.id
"""
DAY_ZERO = date(1970, 1, 1).toordinal()

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.add_column("idempotency", sa.Column("digest", sa.LargeBinary))
    op.create_index(
        "ix_journal_reverses_id",
        "journal",
        ["reverses_id"],
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_index(
        "uq_journal_reversal",
        "journal",
        ["reverses_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'reversal'"),
        postgresql_where=sa.text("kind = 'reversal'"),
    )
    _create_seals()
    _create_hold()
    for statement in (*_unguarded(dialect), *_rules(dialect), *_guards(dialect, NEVER_CHANGED)):
        op.execute(statement)
    _seal_what_is_there()
    _count_what_was_paid()
    for statement in _guards(dialect, ("idempotency",)):
        op.execute(statement)


def _create_seals() -> None:
    op.create_table(
        "batch",
        sa.Column("id", row_id, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
    )
    op.create_table(
        "unsealed",
        sa.Column("batch_id", row_id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_unsealed"),
    )
    op.create_table(
        "seal",
        sa.Column("seq", row_id, autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_seal"),
        sa.UniqueConstraint("batch_id", name="uq_seal_batch_id"),
    )


def _create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("source_id", sa.BigInteger, nullable=False),
        sa.Column("target_id", sa.BigInteger, nullable=False),
        sa.Column("minor", sa.BigInteger, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("placed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("journal_id", sa.BigInteger),
        sa.Column("decided_by", sa.String(120)),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
        sa.UniqueConstraint("key", name="uq_hold_key"),
        sa.UniqueConstraint("decided_by", name="uq_hold_decided_by"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["account.id"], name="fk_hold_source_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["account.id"], name="fk_hold_target_id_account"
        ),
        sa.CheckConstraint("minor > 0", name="ck_hold_minor"),
        sa.CheckConstraint(
            "(state = 'pending') = (decided_by IS NULL)", name="ck_hold_decided"
        ),
        sa.CheckConstraint("source_id <> target_id", name="ck_hold_parties"),
        sa.CheckConstraint(
            "state = 'posted' AND posted = minor"
            " OR state = 'part_posted' AND 0 < posted AND posted < minor"
            " OR state IN ('pending', 'voided', 'expired') AND posted = 0",
            name="ck_hold_posted",
        ),
    )
    for name, column, where in (
        ("ix_hold_pending", "expires_at_ms", "state = 'pending'"),
        ("ix_hold_journal_id", "journal_id", "journal_id IS NOT NULL"),
    ):
        only = sa.text(where)
        op.create_index(name, "hold", [column], sqlite_where=only, postgresql_where=only)
    op.create_index(
        "uq_hold_in_hand",
        "hold",
        ["journal_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def _unguarded(dialect: str) -> Iterable[str]:
    """Keys are opened to this migration, and closed again at its end."""
    if dialect == "sqlite":
        yield "DROP TRIGGER idempotency_no_update"
        yield "DROP TRIGGER idempotency_no_delete"
        return
    yield "DROP TRIGGER idempotency_no_change ON idempotency"
    yield "DROP TRIGGER idempotency_no_truncate ON idempotency"
    yield "GRANT UPDATE, DELETE, TRUNCATE ON idempotency TO CURRENT_USER"


def _guards(dialect: str, tables: Iterable[str]) -> Iterable[str]:
    """Triggers under which the books only grow."""
    for table in tables:
        if dialect == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} rows never change'); END"
                )
            continue
        yield (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
        )
        yield f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER"


def _rules(dialect: str) -> Iterable[str]:
    """Triggers that say again what the writer keeps to."""
    if dialect == "sqlite":
        for table, name, verb, when, said in RULES:
            yield (
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        for table in KEPT:
            yield (
                f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept'); END"
            )
        return

    yield (
        "CREATE FUNCTION against_the_rules() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0]; END $$"
    )
    for table, name, verb, when, said in RULES:
        yield (
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION against_the_rules('{said}')"
        )
    for table in KEPT:
        for name, verb, each in (("kept", "DELETE", "ROW"), ("stays", "TRUNCATE", "STATEMENT")):
            yield (
                f"CREATE TRIGGER {table}_{name} BEFORE {verb} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION against_the_rules('rows are kept')"
            )


def _seal_what_is_there() -> None:
    """All of it is the first batch."""
    books = op.get_bind()
    together = hashlib.sha256()
    digest_one = sa.text(
        "UPDATE idempotency SET batch_id = 1, digest = :digest WHERE key = :key"
    )
    for some in _in_parts(_stream(books, KEYS.format(order=ORDERS[books.dialect.name]))):
        digests = list(_digests(books, some))
        for _, digest in digests:
            together.update(digest)
        books.execute(digest_one, [{"key": key, "digest": digest} for key, digest in digests])
    any_key = books.execute(sa.text("SELECT key FROM idempotency LIMIT 1")).first()
    if any_key is None:
        return
    books.execute(
        sa.text("INSERT INTO batch (id, digest, at_ms) VALUES (1, :digest, :at_ms)"),
        {"digest": together.digest(), "at_ms": time.time_ns() // 1_000_000},
    )
    books.execute(sa.text("INSERT INTO unsealed (batch_id) VALUES (1)"))
    if books.dialect.name == "postgresql":
        books.execute(sa.text("SELECT setval(pg_get_serial_sequence('batch', 'id'), 1)"))


def _digests(
    books: sa.Connection, some: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, bytes]]:
    """Of each key with its journal and entries, as the writer makes them from now on."""
    journals = [row[7] for row in some if row[7] is not None]
    found = books.execute(
        sa.text(ENTRIES).bindparams(sa.bindparam("journals", expanding=True)),
        {"journals": journals},
    )
    entries = {
        number: [list(entry[1:]) for entry in of_one]
        for number, of_one in groupby(found, key=itemgetter(0))
    }
    for key, *told, number, kind, receipt, tariff, day, event_at, created_at in some:
        journal = None
        if number is not None:
            written = (
                number,
                kind,
                receipt,
                tariff,
                str(day),
                event_at,
                created_at,
                None,
                None,
            )
            journal = [*written, entries.get(number, [])]
        text = json.dumps([key, *told, journal], ensure_ascii=False, separators=(",", ":"))
        yield key, hashlib.sha256(text.encode()).digest()


def _count_what_was_paid() -> None:
    """Limits go on from what was paid in the month of the newest journal, by day and in all."""
    books = op.get_bind()
    newest = books.execute(sa.text("SELECT max(id) FROM journal")).scalar_one()
    if newest is None:
        return
    month = date.fromordinal((newest >> 30) + DAY_ZERO).replace(day=1)
    first = month.toordinal() - DAY_ZERO << 30
    payers = groupby(_stream(books, PAID, first=first), key=itemgetter(0))
    count_one = sa.text(
        "UPDATE account SET used_on = :on, used_day = :day, used_month = :month WHERE id = :id"
    ).bindparams(sa.bindparam("on", type_=sa.Date))
    for some in _in_parts(_used(number, paid) for number, paid in payers):
        books.execute(count_one, some)


def _used(account_id: int, paid: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Without its fee: the amount is what the outcome says. What came back counts no more."""
    on, day, month = "", 0, 0
    for _, of_day, leg, outcome in paid:
        if str(of_day) != on:
            on, day = str(of_day), 0
        amount = json.loads(outcome)[1].get("amount", {"minor": abs(leg)})
        minor = amount["minor"] if leg > 0 else -amount["minor"]
        month = max(0, month + minor)
        day = min(max(0, day + minor), month)
    return {"id": account_id, "on": date.fromisoformat(on), "day": day, "month": month}


def _stream(books: sa.Connection, statement: str, **values: int) -> Iterator[sa.Row[Any]]:
    options = {"yield_per": ROWS_MAX}
    yield from books.execute(sa.text(statement), values, execution_options=options)


def _in_parts(stream: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(stream)
    while some := list(islice(left, ROWS_MAX)):
        yield some
