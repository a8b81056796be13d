"""What a phone does while a member of staff wants to know it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "menu_recording",
        sa.Column("id", row_id, nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_menu_recording"),
        sa.ForeignKeyConstraint(
            ["author"], ["staff.name"], name="fk_menu_recording_author_staff"
        ),
    )
    op.create_table(
        "menu_recorded",
        sa.Column("id", row_id, nullable=False),
        sa.Column("recording_id", row_id, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("dials", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_menu_recorded"),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["menu_recording.id"],
            name="fk_menu_recorded_recording_id_menu_recording",
        ),
    )
    op.create_index("ix_menu_recorded_recording_id", "menu_recorded", ["recording_id"])
