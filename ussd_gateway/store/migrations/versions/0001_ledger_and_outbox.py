"""The ledger, its subscribers and the outbox."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NEVER_CHANGED = ("journal", "entry", "idempotency")

LEAST = (
    "CASE WHEN side = 1 THEN debits - credits - credits_pending"
    " ELSE credits - debits - debits_pending END"
)
MOST = (
    "CASE WHEN side = 1 THEN debits - credits + debits_pending"
    " ELSE credits - debits + credits_pending END"
)
OPEN = sa.text("state IN ('due', 'queued', 'sending', 'unknown')")
FROM_A_PHONE = sa.text("session_id IS NOT NULL")

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("public_ref", sa.String(32), nullable=False),
        sa.Column("code", sa.SmallInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False),
        sa.Column("debits", sa.BigInteger, nullable=False),
        sa.Column("credits", sa.BigInteger, nullable=False),
        sa.Column("debits_pending", sa.BigInteger, nullable=False),
        sa.Column("credits_pending", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger),
        sa.Column("cap", sa.BigInteger),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("public_ref", name="uq_account_public_ref"),
        sa.CheckConstraint("side IN (1, -1)", name="ck_account_side"),
        sa.CheckConstraint(f"floor IS NULL OR {LEAST} >= floor", name="ck_account_floor"),
        sa.CheckConstraint(f"cap IS NULL OR {MOST} <= cap", name="ck_account_cap"),
        sa.CheckConstraint(
            "debits_pending >= 0 AND credits_pending >= 0", name="ck_account_pending"
        ),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("wallet_id", sa.BigInteger, nullable=False),
        sa.Column("pin_kid", sa.String(16), nullable=False),
        sa.Column("pin_salt", sa.LargeBinary, nullable=False),
        sa.Column("pin_tag", sa.LargeBinary, nullable=False),
        sa.Column("wrong_tries", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("msisdn", name="uq_subscriber_msisdn"),
        sa.UniqueConstraint("wallet_id", name="uq_subscriber_wallet_id"),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["account.id"], name="fk_subscriber_wallet_id_account"
        ),
        sa.CheckConstraint("wrong_tries >= 0", name="ck_subscriber_wrong_tries"),
    )
    op.create_table(
        "journal",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("receipt", sa.String(10), nullable=False),
        sa.Column("tariff", sa.String(32)),
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("event_at_ms", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("receipt", name="uq_journal_receipt"),
    )
    op.create_table(
        "entry",
        sa.Column("journal_id", sa.BigInteger, nullable=False),
        sa.Column("leg", sa.SmallInteger, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("minor", sa.BigInteger, nullable=False),
        sa.Column("balance_after", sa.BigInteger, nullable=False),
        sa.Column("account_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("journal_id", "leg", name="pk_entry"),
        sa.UniqueConstraint(
            "account_id", "account_seq", name="uq_entry_account_id_account_seq"
        ),
        sa.CheckConstraint("minor <> 0", name="ck_entry_minor"),
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("journal_id", sa.BigInteger),
        sa.Column("route", sa.String(32)),
        sa.Column("session_id", sa.String(100)),
        sa.Column("msisdn", sa.String(16)),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency"),
        sa.UniqueConstraint("journal_id", name="uq_idempotency_journal_id"),
    )
    op.create_index(
        "ix_idempotency_session",
        "idempotency",
        ["session_id"],
        sqlite_where=FROM_A_PHONE,
        postgresql_where=FROM_A_PHONE,
    )
    op.create_table(
        "day_counter",
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("kid", sa.String(16), nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("business_date", name="pk_day_counter"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", row_id, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("event_at_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("next_at_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("segments", sa.SmallInteger),
        sa.Column("provider_id", sa.String(64)),
        sa.Column("cost", sa.String(24)),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("provider_id", name="uq_outbox_provider_id"),
        sa.UniqueConstraint("key", "msisdn", "template", name="uq_outbox_key_msisdn_template"),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["next_at_ms"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> Iterable[str]:
    """Triggers under which the books only grow."""
    if dialect == "sqlite":
        for table in NEVER_CHANGED:
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} rows never change'); END"
                )
        return

    yield (
        "CREATE FUNCTION rows_never_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% rows never change', TG_TABLE_NAME; END $$"
    )
    for table in NEVER_CHANGED:
        yield (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
        )
        yield f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER"
