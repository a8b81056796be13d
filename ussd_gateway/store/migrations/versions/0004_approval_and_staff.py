"""Staff, what they propose and approve, to whom a version is shown, and what is stopped."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("menu_proposal", "menu_approval", "menu_retired", "menu_stopped")

row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _make_staff()
    _widen_live()
    _make_proposals()
    op.create_table(
        "menu_retired",
        sa.Column("pack", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("pack", "digest", name="pk_menu_retired"),
        _version("fk_menu_retired_version"),
    )
    op.create_table(
        "menu_stopped",
        sa.Column("seq", row_id, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("stopped", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_menu_stopped"),
    )
    dialect = op.get_bind().dialect.name
    for statement in _guards(dialect, NEVER_CHANGED):
        op.execute(statement)
    if dialect == "sqlite":
        # They went with the table that was made anew.
        for statement in _guards(dialect, ("menu_live",)):
            op.execute(statement)


def _make_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("totp_seed", sa.String(64), nullable=False),
        sa.Column("added_by", sa.String(64), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger, nullable=False),
        sa.Column("disabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("wrong_tries", sa.SmallInteger, nullable=False),
        sa.Column("tried_at_ms", sa.BigInteger, nullable=False),
        sa.Column("last_code", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_staff"),
        sa.CheckConstraint("role IN ('maker', 'checker')", name="ck_staff_role"),
        sa.CheckConstraint("wrong_tries >= 0", name="ck_staff_wrong_tries"),
    )
    op.create_table(
        "staff_sign_in",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_staff_sign_in"),
        sa.ForeignKeyConstraint(["name"], ["staff.name"], name="fk_staff_sign_in_name_staff"),
    )


def _widen_live() -> None:
    with op.batch_alter_table("menu_live") as live:
        live.add_column(sa.Column("approver", sa.String(64)))
        live.add_column(sa.Column("rollout", sa.Text))
        live.drop_constraint("ck_menu_live_why", type_="check")
        live.create_check_constraint(
            op.f("ck_menu_live_why"), "why IN ('publish', 'rollback', 'rollout')"
        )
        live.create_check_constraint(op.f("ck_menu_live_approver"), "approver <> author")


def _make_proposals() -> None:
    op.create_table(
        "menu_proposal",
        sa.Column("id", row_id, nullable=False),
        sa.Column("pack", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
        sa.Column("against", sa.String(16)),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("lint", sa.Text, nullable=False),
        sa.Column("tests", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_menu_proposal"),
        sa.UniqueConstraint("id", "author", name="uq_menu_proposal_id_author"),
        sa.ForeignKeyConstraint(
            ["author"], ["staff.name"], name="fk_menu_proposal_author_staff"
        ),
        _version("fk_menu_proposal_version"),
    )
    op.create_table(
        "menu_approval",
        sa.Column("proposal_id", row_id, autoincrement=False, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("approver", sa.String(64), nullable=False),
        sa.Column("pack", sa.String(40), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="pk_menu_approval"),
        sa.ForeignKeyConstraint(
            ["proposal_id", "author"],
            ["menu_proposal.id", "menu_proposal.author"],
            name="fk_menu_approval_proposal",
        ),
        sa.ForeignKeyConstraint(
            ["approver"], ["staff.name"], name="fk_menu_approval_approver_staff"
        ),
        sa.ForeignKeyConstraint(
            ["pack", "seq"],
            ["menu_live.pack", "menu_live.seq"],
            name="fk_menu_approval_live",
        ),
        sa.CheckConstraint("approver <> author", name="ck_menu_approval_approver"),
    )


def _version(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["pack", "digest"], ["menu_version.pack", "menu_version.digest"], name=name
    )


def _guards(dialect: str, tables: Iterable[str]) -> Iterable[str]:
    """Triggers under which what was decided stays as it was (the function is of 0001)."""
    for table in tables:
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
