"""Vouchers: money under a code for a number that is not registered, each of which ends once."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TERMS = (
    *("id", "key", "subscriber_id", "wallet_id", "msisdn", "currency", "minor"),
    *("code_kid", "code_salt", "code_tag", "sent_at_ms", "expires_at_ms"),
)
REDECIDED = " OR ".join(
    (
        "OLD.state <> 'open'",
        "NEW.wrong_tries < OLD.wrong_tries",
        *(f"NEW.{column} <> OLD.{column}" for column in TERMS),
    )
)

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "voucher",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger, nullable=False),
        sa.Column("wallet_id", sa.BigInteger, nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("minor", sa.BigInteger, nullable=False),
        sa.Column("code_kid", sa.String(16), nullable=False),
        sa.Column("code_salt", sa.LargeBinary, nullable=False),
        sa.Column("code_tag", sa.LargeBinary, nullable=False),
        sa.Column("wrong_tries", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_by", sa.String(120)),
        sa.PrimaryKeyConstraint("id", name="pk_voucher"),
        sa.UniqueConstraint("key", name="uq_voucher_key"),
        sa.UniqueConstraint("ended_by", name="uq_voucher_ended_by"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_voucher_subscriber_id_subscriber"
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["account.id"], name="fk_voucher_wallet_id_account"
        ),
        sa.CheckConstraint("minor > 0", name="ck_voucher_minor"),
        sa.CheckConstraint(
            "0 <= wrong_tries AND wrong_tries <= 3", name="ck_voucher_wrong_tries"
        ),
        sa.CheckConstraint("state IN ('open', 'cashed', 'returned')", name="ck_voucher_state"),
        sa.CheckConstraint("(state = 'open') = (ended_by IS NULL)", name="ck_voucher_ended"),
    )
    op.create_index("ix_voucher_msisdn", "voucher", ["msisdn"])
    still_open = sa.text("state = 'open'")
    op.create_index(
        "ix_voucher_open",
        "voucher",
        ["expires_at_ms"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    for statement in _rules(op.get_bind().dialect.name):
        op.execute(statement)


def _rules(dialect: str) -> Iterable[str]:
    """Triggers that say again what the writer keeps to."""
    if dialect == "sqlite":
        yield (
            f"CREATE TRIGGER voucher_ends_once BEFORE UPDATE ON voucher WHEN {REDECIDED} "
            "BEGIN SELECT RAISE(ABORT, 'a voucher ends once'); END"
        )
        yield (
            "CREATE TRIGGER voucher_kept BEFORE DELETE ON voucher "
            "BEGIN SELECT RAISE(ABORT, 'voucher rows are kept'); END"
        )
        return
    yield (
        "CREATE TRIGGER voucher_ends_once BEFORE UPDATE ON voucher FOR EACH ROW "
        f"WHEN ({REDECIDED}) EXECUTE FUNCTION against_the_rules('a voucher ends once')"
    )
    for name, verb, each in (("kept", "DELETE", "ROW"), ("stays", "TRUNCATE", "STATEMENT")):
        yield (
            f"CREATE TRIGGER voucher_{name} BEFORE {verb} ON voucher "
            f"FOR EACH {each} EXECUTE FUNCTION against_the_rules('rows are kept')"
        )
