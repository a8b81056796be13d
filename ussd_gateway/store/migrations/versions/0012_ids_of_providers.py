"""A provider's id of a message is looked for, and is there once, as soon as there is one: what
waits to be sent costs no place in that index."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAME = "uq_outbox_provider_id"
SENT = sa.text("provider_id IS NOT NULL")


def upgrade() -> None:
    # SQLite makes the table anew for that; it has no triggers, and nothing refers to it.
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(NAME, type_="unique")
    op.create_index(
        NAME, "outbox", ["provider_id"], unique=True, sqlite_where=SENT, postgresql_where=SENT
    )
