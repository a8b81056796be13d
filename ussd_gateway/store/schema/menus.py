"""Versions of menus: proposed, approved, live, retired; and actions that are stopped."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ussd_gateway.store.schema.base import RowId, metadata

menu_version = Table(
    "menu_version",
    metadata,
    Column("pack", String(40), primary_key=True),
    Column("digest", String(16), primary_key=True),
    Column("source", LargeBinary, nullable=False),
    Column("published_at_ms", BigInteger, nullable=False),
    Column("author", String(64), nullable=False),
)

# The last move of a pack says which of its versions is live; where it is not for everybody, the
# move before it says what all others have.
menu_live = Table(
    "menu_live",
    metadata,
    Column("pack", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(16), nullable=False),
    Column("why", String(10), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(64), nullable=False),
    Column("note", Text),
    Column("approver", String(64)),
    Column("rollout", Text),
    ForeignKeyConstraint(
        ["pack", "digest"],
        ["menu_version.pack", "menu_version.digest"],
        name="fk_menu_live_version",
    ),
    CheckConstraint("why IN ('publish', 'rollback', 'rollout')", name="why"),
    CheckConstraint("approver <> author", name="approver"),
)

# A version that its author wants to be live, with all that the approver has to know.
menu_proposal = Table(
    "menu_proposal",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pack", String(40), nullable=False),
    Column("digest", String(16), nullable=False),
    Column("after", Integer, nullable=False),
    Column("against", String(16)),
    Column("author", String(64), ForeignKey("staff.name"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("note", Text),
    Column("changes", Text, nullable=False),
    Column("lint", Text, nullable=False),
    Column("tests", Text, nullable=False),
    ForeignKeyConstraint(
        ["pack", "digest"],
        ["menu_version.pack", "menu_version.digest"],
        name="fk_menu_proposal_version",
    ),
    UniqueConstraint("id", "author"),
)

# The author stands here too, so that the table itself holds the two apart.
menu_approval = Table(
    "menu_approval",
    metadata,
    Column("proposal_id", RowId, primary_key=True, autoincrement=False),
    Column("author", String(64), nullable=False),
    Column("approver", String(64), ForeignKey("staff.name"), nullable=False),
    Column("pack", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["proposal_id", "author"],
        ["menu_proposal.id", "menu_proposal.author"],
        name="fk_menu_approval_proposal",
    ),
    ForeignKeyConstraint(
        ["pack", "seq"], ["menu_live.pack", "menu_live.seq"], name="fk_menu_approval_live"
    ),
    CheckConstraint("approver <> author", name="approver"),
)

menu_retired = Table(
    "menu_retired",
    metadata,
    Column("pack", String(40), primary_key=True),
    Column("digest", String(16), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(64), nullable=False),
    Column("note", Text),
    ForeignKeyConstraint(
        ["pack", "digest"],
        ["menu_version.pack", "menu_version.digest"],
        name="fk_menu_retired_version",
    ),
)

# The last row of an action says whether menus may ask for it.
menu_stopped = Table(
    "menu_stopped",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("action", String(64), nullable=False),
    Column("stopped", Boolean(create_constraint=False), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(64), nullable=False),
    Column("note", Text),
)
