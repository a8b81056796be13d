"""Versions of menus, and which of them is live."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("menu_version", "menu_live")


def upgrade() -> None:
    op.create_table(
        "menu_version",
        sa.Column("pack", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("published_at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("pack", "digest", name="pk_menu_version"),
    )
    op.create_table(
        "menu_live",
        sa.Column("pack", sa.String(40), nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("why", sa.String(10), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("pack", "seq", name="pk_menu_live"),
        sa.ForeignKeyConstraint(
            ["pack", "digest"],
            ["menu_version.pack", "menu_version.digest"],
            name="fk_menu_live_version",
        ),
        sa.CheckConstraint("why IN ('publish', 'rollback')", name="ck_menu_live_why"),
    )
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> Iterable[str]:
    """Triggers under which what was published stays as it was (the function is of 0001)."""
    for table in NEVER_CHANGED:
        if dialect == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} rows never change'); END"
                )
        else:
            yield (
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
            )
            yield (
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
            )
