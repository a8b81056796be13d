"""How often somebody asked about payments that are others'."""

from sqlalchemy import CheckConstraint, Column, Date, SmallInteger, String, Table

from ussd_gateway.store.schema.base import metadata

# One row a number: the day that it asked on last, how often then, and the last time's key.
receipt_ask = Table(
    "receipt_ask",
    metadata,
    Column("msisdn", String(16), primary_key=True),
    Column("on_day", Date, nullable=False),
    Column("asked", SmallInteger, nullable=False),
    Column("key", String(120), nullable=False),
    CheckConstraint("asked > 0", name="asked"),
)
