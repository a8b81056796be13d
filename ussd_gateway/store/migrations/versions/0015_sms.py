"""SMS by priority and provider, silences counted, reports of messages not known yet, numbers
that want none; and how often somebody asked about payments that are others'.

What is named `queued` is `claimed` now. What was met with silence before has its text and is
open again: that was its first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATES = "'due', 'claimed', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'expired'"
INDEXES = {
    "ix_outbox_due": (("priority", "id"), "(state = 'due' AND next_at_ms = 0)"),
    "ix_outbox_in_flight": (("next_at_ms",), "state IN ('claimed', 'sending')"),
    "ix_outbox_waiting": (
        ("next_at_ms",),
        "(next_at_ms > 0 AND state IN ('due', 'unknown'))",
    ),
    "ix_outbox_silent": (("msisdn",), "unknowns > 0"),
    "uq_outbox_provider_id": (("provider_id", "provider"), "provider_id IS NOT NULL"),
}


def upgrade() -> None:
    for name in ("ix_outbox_open", "uq_outbox_provider_id"):
        op.drop_index(name, "outbox")
    with op.batch_alter_table("outbox") as outbox:
        for name in ("priority", "unknowns"):
            column = sa.Column(name, sa.SmallInteger, nullable=False, server_default="0")
            outbox.add_column(column)
        outbox.add_column(sa.Column("provider", sa.String(32)))
        outbox.add_column(sa.Column("sent_at_ms", sa.BigInteger))
        outbox.add_column(sa.Column("delivered_at_ms", sa.BigInteger))
    for change in (
        "SET state = 'claimed' WHERE state = 'queued'",
        "SET next_at_ms = 0 WHERE state = 'due'",
        # The only provider so far.
        "SET provider = 'africastalking' WHERE text IS NOT NULL",
        "SET unknowns = 1 WHERE state IN ('due', 'claimed', 'sending') AND text IS NOT NULL",
        "SET unknowns = CASE WHEN attempt < 12 THEN 1 ELSE 2 END WHERE state = 'unknown'",
        "SET next_at_ms = 0 WHERE state = 'unknown' AND unknowns = 2",
    ):
        op.execute(f"UPDATE outbox {change}")
    with op.batch_alter_table("outbox") as outbox:
        outbox.create_check_constraint("ck_outbox_state", f"state IN ({STATES})")
    for name, (columns, where) in INDEXES.items():
        op.create_index(
            name,
            "outbox",
            columns,
            unique=name.startswith("uq"),
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "sms_report",
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("msisdn", sa.String(16)),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("final", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("delivered", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider", "provider_id", name="pk_sms_report"),
    )
    op.create_index("ix_sms_report_msisdn", "sms_report", ["msisdn"])
    op.create_index("ix_sms_report_at_ms", "sms_report", ["at_ms"])
    op.create_table(
        "opt_out",
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("msisdn", "sender", name="pk_opt_out"),
    )
    op.create_index("ix_business_msisdn", "business", ["msisdn"])
    op.create_table(
        "receipt_ask",
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("on_day", sa.Date, nullable=False),
        sa.Column("asked", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("msisdn", name="pk_receipt_ask"),
        sa.CheckConstraint("asked > 0", name="ck_receipt_ask_asked"),
    )
