"""SMS: those that are owed, what providers report of them, and who wants none."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ussd_gateway.store.schema.base import RowId, metadata

SMS_STATES = "'due', 'claimed', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'expired'"

# Statements say these word for word: by them the databases know that an index will do.
DUE = "(state = 'due' AND next_at_ms = 0)"
IN_FLIGHT = "state IN ('claimed', 'sending')"
# Until `next_at_ms`. An unknown one that waits for nothing more stays so for good.
WAITING = "(next_at_ms > 0 AND state IN ('due', 'unknown'))"
# Whatever is not in one of these has come to its end.
OPEN = (DUE, IN_FLIGHT, WAITING)
# Of a copy of it nobody knows whether it went out. There are few such.
SILENT = "unknowns > 0"
# And a report may still tell.
IN_DOUBT = f"{SILENT} AND state IN ('unknown', 'due', 'claimed')"
# The detail of one that no text of ours fits: it stays until the text is mended.
UNWRITTEN = "it could not be written"

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(120), nullable=False),
    Column("msisdn", String(16), nullable=False),
    Column("template", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    Column("params", Text, nullable=False),
    Column("event_at_ms", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    # When time moves it on: a lease or a wait is over then. 0: it waits for nothing.
    Column("next_at_ms", BigInteger, nullable=False),
    Column("text", Text),
    Column("segments", SmallInteger),
    Column("provider_id", String(64)),
    Column("cost", String(24)),
    Column("detail", Text),
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    Column("provider", String(32)),  # who took it, or was asked last
    Column("unknowns", SmallInteger, nullable=False, server_default="0"),  # silences not ended
    # When it was given to the provider; then, when the provider said that it has it.
    Column("sent_at_ms", BigInteger),
    Column("delivered_at_ms", BigInteger),
    UniqueConstraint("key", "msisdn", "template"),
    CheckConstraint(f"state IN ({SMS_STATES})", name="state"),
    Index(
        "uq_outbox_provider_id",
        "provider_id",
        "provider",
        unique=True,
        sqlite_where=text("provider_id IS NOT NULL"),
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
    Index(
        "ix_outbox_due",
        "priority",
        "id",
        sqlite_where=text(DUE),
        postgresql_where=text(DUE),
    ),
    Index(
        "ix_outbox_in_flight",
        "next_at_ms",
        sqlite_where=text(IN_FLIGHT),
        postgresql_where=text(IN_FLIGHT),
    ),
    Index(
        "ix_outbox_waiting",
        "next_at_ms",
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index(
        "ix_outbox_silent",
        "msisdn",
        sqlite_where=text(SILENT),
        postgresql_where=text(SILENT),
    ),
)

# What providers said of messages that we do not know by that name, or not yet.
sms_report = Table(
    "sms_report",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("provider_id", String(64), primary_key=True),
    Column("msisdn", String(16)),
    Column("status", Text, nullable=False),
    Column("final", Boolean(create_constraint=False), nullable=False),
    Column("delivered", Boolean(create_constraint=False), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_sms_report_msisdn", "msisdn"),
    Index("ix_sms_report_at_ms", "at_ms"),
)

# Who has told a sender, or a short code, to write no more.
opt_out = Table(
    "opt_out",
    metadata,
    Column("msisdn", String(16), primary_key=True),
    Column("sender", String(16), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
