"""On PostgreSQL the entries stand in a table for each month: what is there now is the first, up
to the end of this month, or of the newest journal's: the market's day may be ahead of the
server's.

Journal ids begin with their day, so a month is a range of the primary key. Nothing is copied.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DAY_ZERO = date(1970, 1, 1).toordinal()


def upgrade() -> None:
    books = op.get_bind()
    if books.dialect.name != "postgresql":
        return  # SQLite has one file and no partitions

    today, newest = books.execute(
        sa.text("SELECT current_date, (SELECT max(journal_id) FROM entry)")
    ).one()
    last = today if newest is None else max(today, date.fromordinal((newest >> 30) + DAY_ZERO))
    month = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    end = month.toordinal() - DAY_ZERO << 30
    until = f"entry_until_{month:%Y_%m}"
    for statement in (
        "DROP TRIGGER entry_no_change ON entry",
        f"ALTER TABLE entry RENAME TO {until}",
        f"ALTER TABLE {until} RENAME CONSTRAINT pk_entry TO pk_{until}",
        f"ALTER TABLE {until} RENAME CONSTRAINT uq_entry_account_id_account_seq TO uq_{until}",
        (
            f"CREATE TABLE entry (LIKE {until} INCLUDING CONSTRAINTS, "
            "CONSTRAINT pk_entry PRIMARY KEY (journal_id, leg)) PARTITION BY RANGE (journal_id)"
        ),
        f"ALTER TABLE entry ATTACH PARTITION {until} FOR VALUES FROM (MINVALUE) TO ({end})",
        # Should nobody have made a month's table in time: nothing is refused for that.
        "CREATE TABLE entry_other PARTITION OF entry DEFAULT",
        (
            "ALTER TABLE entry_other "
            "ADD CONSTRAINT uq_entry_other UNIQUE (account_id, account_seq)"
        ),
        (
            "CREATE TRIGGER entry_no_change BEFORE UPDATE OR DELETE ON entry "
            "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
        ),
        *(
            f"CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
            for table in ("entry", "entry_other")
        ),
        "REVOKE UPDATE, DELETE, TRUNCATE ON entry, entry_other FROM CURRENT_USER",
    ):
        op.execute(statement)
