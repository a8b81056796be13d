"""Days that are closed, and what every account had come to when each was over.

A closed day issues no more journal numbers: its counter is held to what it had issued.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("end_of_day", "closed_day")

# In the words that SQLite and PostgreSQL share.
CLOSED = "closed BIGINT CONSTRAINT ck_day_counter_closed CHECK (closed = issued)"
REOPENED = "OLD.closed IS NOT NULL AND (NEW.closed IS NULL OR NEW.closed <> OLD.closed)"


def upgrade() -> None:
    op.execute(f"ALTER TABLE day_counter ADD COLUMN {CLOSED}")
    op.create_table(
        "closed_day",
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("journals", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("accounts", sa.BigInteger, nullable=False),
        sa.Column("debits", sa.BigInteger, nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("business_date", name="pk_closed_day"),
    )
    op.create_table(
        "end_of_day",
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("debits", sa.BigInteger, nullable=False),
        sa.Column("credits", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "business_date", name="pk_end_of_day"),
    )
    dialect = op.get_bind().dialect.name
    for statement in (*_kept_closed(dialect), *_guards(dialect)):
        op.execute(statement)


def _kept_closed(dialect: str) -> Iterable[str]:
    if dialect == "sqlite":
        yield (
            f"CREATE TRIGGER day_kept_closed BEFORE UPDATE ON day_counter WHEN {REOPENED} "
            "BEGIN SELECT RAISE(ABORT, 'a closed day stays closed'); END"
        )
        return
    yield (
        "CREATE TRIGGER day_kept_closed BEFORE UPDATE ON day_counter FOR EACH ROW "
        f"WHEN ({REOPENED}) EXECUTE FUNCTION against_the_rules('a closed day stays closed')"
    )


def _guards(dialect: str) -> Iterable[str]:
    """Triggers under which the books only grow."""
    for table in NEVER_CHANGED:
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
