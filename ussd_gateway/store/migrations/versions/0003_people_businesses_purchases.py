"""Tiers, registrations, businesses with their assistants, and purchases of outside parties."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('due', 'asked')")


def upgrade() -> None:
    with op.batch_alter_table("subscriber") as subscriber:
        # Whoever is there already was checked by an agent.
        subscriber.add_column(
            sa.Column("tier", sa.String(10), nullable=False, server_default="standard")
        )
    with op.batch_alter_table("subscriber") as subscriber:
        subscriber.alter_column("tier", server_default=None)
    op.create_table(
        "registration",
        sa.Column("subscriber_id", sa.BigInteger, nullable=False),
        sa.Column("id_number", sa.String(20), nullable=False),
        sa.Column("terms", sa.String(20), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_registration"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_registration_subscriber_id_subscriber",
        ),
    )
    op.create_table(
        "business",
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("trade", sa.String(10), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("commission_id", sa.BigInteger),
        sa.Column("account_digits", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_business"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_business_account_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["account.id"], name="fk_business_commission_id_account"
        ),
        sa.UniqueConstraint("account_id", name="uq_business_account_id"),
        sa.UniqueConstraint("commission_id", name="uq_business_commission_id"),
    )
    op.create_table(
        "assistant",
        sa.Column("subscriber_id", sa.BigInteger, nullable=False),
        sa.Column("store", sa.String(12), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_assistant"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_assistant_subscriber_id_subscriber"
        ),
        sa.ForeignKeyConstraint(
            ["store"], ["business.number"], name="fk_assistant_store_business"
        ),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
    )
    op.create_table(
        "purchase",
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger, nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("minor", sa.BigInteger, nullable=False),
        sa.Column("merchant", sa.String(12), nullable=False),
        sa.Column("item", sa.String(40), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("next_at_ms", sa.BigInteger, nullable=False),
        sa.Column("first_asked_ms", sa.BigInteger),
        sa.Column("supplier_id", sa.Text),
        sa.Column("heard", sa.String(8)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_purchase"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_purchase_subscriber_id_subscriber"
        ),
        sa.CheckConstraint("minor > 0", name="ck_purchase_minor"),
    )
    op.create_index("ix_purchase_supplier_id", "purchase", ["supplier_id"])
    op.create_index(
        "ix_purchase_open",
        "purchase",
        ["next_at_ms"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
