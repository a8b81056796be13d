"""The ledger, the people and businesses in it, and what is owed to the outside."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ussd_gateway.store.schema.base import RowId, metadata

# An account's balance with all that is pending against it: on its own side, for the CHECKs.
LEAST = (
    "CASE WHEN side = 1 THEN debits - credits - credits_pending"
    " ELSE credits - debits - debits_pending END"
)
MOST = (
    "CASE WHEN side = 1 THEN debits - credits + debits_pending"
    " ELSE credits - debits + credits_pending END"
)

STATUSES = "'active', 'frozen_in', 'frozen_both', 'dormant', 'closed'"
EMPTY = "debits = credits AND debits_pending = 0 AND credits_pending = 0"

account = Table(
    "account",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("public_ref", String(32), nullable=False, unique=True),
    Column("code", SmallInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("debits", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("debits_pending", BigInteger, nullable=False),
    Column("credits_pending", BigInteger, nullable=False),
    Column("floor", BigInteger),
    Column("cap", BigInteger),
    Column("seq", BigInteger, nullable=False),
    Column("status", String(12), nullable=False, server_default="active"),
    # What was paid out of it on `used_on` and in that month, as limits count it.
    Column("used_on", Date),
    Column("used_day", BigInteger, nullable=False, server_default="0"),
    Column("used_month", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("side IN (1, -1)", name="side"),
    CheckConstraint(f"status IN ({STATUSES})", name="status"),
    CheckConstraint(f"status <> 'closed' OR ({EMPTY})", name="closed"),
    CheckConstraint("0 <= used_day AND used_day <= used_month", name="used"),
    CheckConstraint(f"floor IS NULL OR {LEAST} >= floor", name="floor"),
    CheckConstraint(f"cap IS NULL OR {MOST} <= cap", name="cap"),
    CheckConstraint("debits_pending >= 0 AND credits_pending >= 0", name="pending"),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("msisdn", String(16), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("language", String(2), nullable=False),
    Column("tier", String(10), nullable=False),
    Column("active", Boolean(create_constraint=False), nullable=False),
    Column("wallet_id", BigInteger, ForeignKey("account.id"), nullable=False, unique=True),
    Column("pin_kid", String(16), nullable=False),
    Column("pin_salt", LargeBinary, nullable=False),
    Column("pin_tag", LargeBinary, nullable=False),
    Column("wrong_tries", SmallInteger, nullable=False),
    # The most that they allow themselves; NULL: nothing but their tier's limits.
    Column("cap_payment", BigInteger),
    Column("cap_day", BigInteger),
    CheckConstraint("wrong_tries >= 0", name="wrong_tries"),
    CheckConstraint("cap_payment > 0 AND cap_day > 0", name="caps"),
)

# What somebody who registered alone agreed to, and the ID number that they gave.
registration = Table(
    "registration",
    metadata,
    Column("subscriber_id", BigInteger, ForeignKey("subscriber.id"), primary_key=True),
    Column("id_number", String(20), nullable=False),
    Column("terms", String(20), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

business = Table(
    "business",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("trade", String(10), nullable=False),
    Column("name", String(40), nullable=False),
    Column("msisdn", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id"), nullable=False, unique=True),
    Column("commission_id", BigInteger, ForeignKey("account.id"), unique=True),
    Column("account_digits", SmallInteger, nullable=False),
    # Of a store: where the head office's part of its commission accrues.
    Column("head_office_commission_id", BigInteger, ForeignKey("account.id")),
)

assistant = Table(
    "assistant",
    metadata,
    Column("subscriber_id", BigInteger, ForeignKey("subscriber.id"), primary_key=True),
    Column("store", String(12), ForeignKey("business.number"), nullable=False),
)

# Numbers that are given out in order: a gap is harmless, the same one twice is not.
counter = Table(
    "counter",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("receipt", String(10), nullable=False, unique=True),
    Column("tariff", String(32)),
    Column("business_date", Date, nullable=False),
    Column("event_at_ms", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("reverses_id", BigInteger),
    Column("hold_id", BigInteger),
    Index(
        "ix_journal_reverses_id",
        "reverses_id",
        sqlite_where=text("reverses_id IS NOT NULL"),
        postgresql_where=text("reverses_id IS NOT NULL"),
    ),
    # What is taken back whole is taken back once.
    Index(
        "uq_journal_reversal",
        "reverses_id",
        unique=True,
        sqlite_where=text("kind = 'reversal'"),
        postgresql_where=text("kind = 'reversal'"),
    ),
)

# Every price book that anything was ever charged by, as canonical JSON; its id is
# `journal.tariff`.
price_book = Table(
    "price_book",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("content", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("journal_id", BigInteger, primary_key=True),
    Column("leg", SmallInteger, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("account_seq", BigInteger, nullable=False),
    UniqueConstraint("account_id", "account_seq"),
    CheckConstraint("minor <> 0", name="minor"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(120), primary_key=True),
    Column("content", String(64), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("journal_id", BigInteger, unique=True),
    Column("route", String(32)),
    Column("session_id", String(100)),
    Column("msisdn", String(16)),
    Column("at_ms", BigInteger, nullable=False),
    Column("batch_id", BigInteger),  # the commit that it came with
    Column("digest", LargeBinary),  # of this row, its journal, its entries and its hold
    Index(
        "ix_idempotency_session",
        "session_id",
        sqlite_where=text("session_id IS NOT NULL"),
        postgresql_where=text("session_id IS NOT NULL"),
    ),
)

# One for each commit of the writer; the sealer chains them (`seal`), and takes what it has
# chained out of `unsealed`.
batch = Table(
    "batch",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

unsealed = Table(
    "unsealed",
    metadata,
    Column("batch_id", RowId, primary_key=True, autoincrement=False),
)

seal = Table(
    "seal",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("batch_id", BigInteger, nullable=False, unique=True),
    Column("chain", LargeBinary, nullable=False),
)

hold = Table(
    "hold",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("key", String(120), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("source_id", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("target_id", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("posted", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("placed_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("journal_id", BigInteger),  # the journal that it is to take back, if it is
    Column("decided_by", String(120), unique=True),  # the key of the command
    CheckConstraint("minor > 0", name="minor"),
    CheckConstraint("(state = 'pending') = (decided_by IS NULL)", name="decided"),
    CheckConstraint("source_id <> target_id", name="parties"),
    CheckConstraint(
        "state = 'posted' AND posted = minor"
        " OR state = 'part_posted' AND 0 < posted AND posted < minor"
        " OR state IN ('pending', 'voided', 'expired') AND posted = 0",
        name="posted",
    ),
    Index(
        "ix_hold_pending",
        "expires_at_ms",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_hold_journal_id",
        "journal_id",
        sqlite_where=text("journal_id IS NOT NULL"),
        postgresql_where=text("journal_id IS NOT NULL"),
    ),
    Index(
        "uq_hold_in_hand",
        "journal_id",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

# Money under a code. How it ended stands in it too, once.
voucher = Table(
    "voucher",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("key", String(120), nullable=False, unique=True),
    Column("subscriber_id", BigInteger, ForeignKey("subscriber.id"), nullable=False),
    Column("wallet_id", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("msisdn", String(16), nullable=False),  # whom the money is for
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("code_kid", String(16), nullable=False),
    Column("code_salt", LargeBinary, nullable=False),
    Column("code_tag", LargeBinary, nullable=False),
    Column("wrong_tries", SmallInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("sent_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("ended_by", String(120), unique=True),  # the key of the command
    CheckConstraint("minor > 0", name="minor"),
    CheckConstraint("0 <= wrong_tries AND wrong_tries <= 3", name="wrong_tries"),
    CheckConstraint("state IN ('open', 'cashed', 'returned')", name="state"),
    CheckConstraint("(state = 'open') = (ended_by IS NULL)", name="ended"),
    Index("ix_voucher_msisdn", "msisdn"),
    Index(
        "ix_voucher_open",
        "expires_at_ms",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

day_counter = Table(
    "day_counter",
    metadata,
    Column("business_date", Date, primary_key=True),
    Column("kid", String(16), nullable=False),
    Column("issued", BigInteger, nullable=False),
    # All that it issued, once the day is closed: then it issues no more.
    Column("closed", BigInteger),
    CheckConstraint("closed = issued", name="closed"),
)

# One for each day that is over and counted, in order and without a gap. It is written last: the
# rows of `end_of_day` count from then on.
closed_day = Table(
    "closed_day",
    metadata,
    Column("business_date", Date, primary_key=True),
    Column("journals", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("accounts", BigInteger, nullable=False),  # that moved
    Column("debits", BigInteger, nullable=False),  # of all currencies: a control total
    Column("closed_at_ms", BigInteger, nullable=False),
)

# The totals of an account when a day was over on which it moved.
end_of_day = Table(
    "end_of_day",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("business_date", Date, primary_key=True),
    Column("debits", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),  # its entries so far
)

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
    Column("next_at_ms", BigInteger, nullable=False),
    Column("text", Text),
    Column("segments", SmallInteger),
    Column("provider_id", String(64)),
    Column("cost", String(24)),
    Column("detail", Text),
    UniqueConstraint("key", "msisdn", "template"),
    Index(
        "uq_outbox_provider_id",
        "provider_id",
        unique=True,
        sqlite_where=text("provider_id IS NOT NULL"),
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
    Index(
        "ix_outbox_open",
        "next_at_ms",
        sqlite_where=text("state IN ('due', 'queued', 'sending', 'unknown')"),
        postgresql_where=text("state IN ('due', 'queued', 'sending', 'unknown')"),
    ),
)

purchase = Table(
    "purchase",
    metadata,
    Column("key", String(120), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("subscriber_id", BigInteger, ForeignKey("subscriber.id"), nullable=False),
    Column("msisdn", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("merchant", String(12), nullable=False),
    Column("item", String(40), nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", SmallInteger, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("first_asked_ms", BigInteger),
    Column("supplier_id", Text),
    Column("heard", String(8)),
    Column("detail", Text, nullable=False),
    CheckConstraint("minor > 0", name="minor"),
    Index("ix_purchase_supplier_id", "supplier_id"),
    Index(
        "ix_purchase_open",
        "next_at_ms",
        sqlite_where=text("state IN ('due', 'asked')"),
        postgresql_where=text("state IN ('due', 'asked')"),
    ),
)
