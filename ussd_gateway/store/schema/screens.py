"""What phones do on screens: counted for all, recorded for the few that staff ask for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
)

from ussd_gateway.store.schema.base import RowId, metadata

# What becomes of each screen of a version, by the day of the market.
menu_count = Table(
    "menu_count",
    metadata,
    Column("pack", String(40), primary_key=True),
    Column("digest", String(16), primary_key=True),
    Column("state", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("entered", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False),
    Column("wrong", BigInteger, nullable=False),
    Column("answered_ms", BigInteger, nullable=False),
)

# What one phone does for a while, masked; who wanted to know it, and until when.
menu_recording = Table(
    "menu_recording",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("msisdn", String(16), nullable=False),
    Column("author", String(64), ForeignKey("staff.name"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
)

menu_recorded = Table(
    "menu_recorded",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("recording_id", RowId, ForeignKey("menu_recording.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("state", String(40), nullable=False),
    Column("dials", Boolean(create_constraint=False), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_menu_recorded_recording_id", "recording_id"),
)
