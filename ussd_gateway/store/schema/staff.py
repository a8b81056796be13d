"""Who works for the house, and who of them is signed in."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    SmallInteger,
    String,
    Table,
    Text,
)

from ussd_gateway.store.schema.base import metadata

# Who works for the house. `last_code`: the period of the last code that was used.
staff = Table(
    "staff",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_seed", String(64), nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("disabled", Boolean(create_constraint=False), nullable=False),
    Column("wrong_tries", SmallInteger, nullable=False),
    Column("tried_at_ms", BigInteger, nullable=False),
    Column("last_code", BigInteger, nullable=False),
    CheckConstraint("role IN ('maker', 'checker')", name="role"),
    CheckConstraint("wrong_tries >= 0", name="wrong_tries"),
)

staff_sign_in = Table(
    "staff_sign_in",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("name", String(64), ForeignKey("staff.name"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
)
