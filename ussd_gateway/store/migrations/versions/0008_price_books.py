"""Price books: what every journal was priced by; and a head office's part of a commission.

Before them a journal named the tariff files that it was priced by. Where there are such
journals, what those files said when they were shipped is kept under the names that they used,
so that the checker can recompute these too. Fees that an operator had changed under the same
name are told as wrong from then on: nobody can say any more what they were.
"""

import json
import time
from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Nothing had a date.
EVER = "1970-01-01"
# Each: tax in percent, the lowest amount, and each band's highest and fee, in whole shillings.
Bands = tuple[int, int, str]
SHIPPED: dict[str, dict[str, Bands]] = {
    "KE-2023-07": {
        "send": (
            15,
            1,
            """
            49:0 100:0 500:7 1000:13 1500:23 2500:33 3500:53 5000:57 7500:78 10000:90
            15000:100 20000:105 35000:108 50000:108 250000:108
            """,
        ),
        "airtime": (15, 5, "10000:0"),
        "buy_goods": (15, 1, "250000:0"),
    },
    "KE-2023-07+KE-AGENT-2022": {
        "withdraw": (
            15,
            50,
            """
            100:11 500:29 1000:29 1500:29 2500:29 3500:52 5000:69 7500:87 10000:115
            15000:167 20000:185 35000:197 50000:278 250000:309
            """,
        ),
        "withdraw.commission": (
            0,
            50,
            """
            100:5 500:8 1000:10 1500:12 2500:15 3500:20 5000:25 7500:30 10000:35 15000:45
            20000:60 25000:65 35000:70 50000:75 70000:95 250000:95
            """,
        ),
        "deposit": (15, 50, "250000:0"),
        "deposit.commission": (
            0,
            50,
            """
            100:4 510:8 1010:9 1510:10 2510:11 3510:12 5010:14 7510:20 10010:28 15010:40
            20020:55 25020:71 30020:87 35020:103 40020:119 45020:135 50020:150 70000:190
            150000:190 250000:190
            """,
        ),
    },
    "KE-PAYBILL-2024": {
        "pay_bill": (
            15,
            1,
            """
            49:0 100:0 500:5 1000:10 1500:10 2500:13 3500:16 5000:16 7500:17 10000:18
            15000:18 20000:19 25000:20 30000:20 35000:21 40000:23 45000:23 50000:24
            70000:24 250000:24
            """,
        ),
        "pay_bill.business": (
            15,
            1,
            """
            49:0 100:0 500:0 1000:0 1500:5 2500:7 3500:9 5000:18 7500:25 10000:30 15000:39
            20000:43 25000:47 30000:52 35000:62 40000:76 45000:80 50000:84 70000:84
            250000:84
            """,
        ),
    },
}


def upgrade() -> None:
    op.create_table(
        "price_book",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price_book"),
    )
    # In the words that SQLite and PostgreSQL share, so that no table has to be made anew.
    op.execute(
        "ALTER TABLE business ADD COLUMN head_office_commission_id BIGINT "
        "CONSTRAINT fk_business_head_office_commission_id_account REFERENCES account (id)"
    )
    _keep_what_was_used()
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _keep_what_was_used() -> None:
    books = op.get_bind()
    used = sa.text("SELECT DISTINCT tariff FROM journal WHERE tariff IS NOT NULL")
    kept = [
        {"id": name, "content": content(name), "at_ms": time.time_ns() // 1_000_000}
        for name in sorted(books.execute(used).scalars())
        if name in SHIPPED
    ]
    if kept:
        row = "INSERT INTO price_book (id, content, at_ms) VALUES (:id, :content, :at_ms)"
        books.execute(sa.text(row), kept)


def content(name: str) -> str:
    """As price books are written from now on."""
    tariffs = [
        {
            "tariff": name,
            "service": service,
            "currency": "KES",
            "from": EVER,
            "tax_percent": tax_percent,
            "head_office_percent": 0,
            "bands": list(_bands(lowest * 100, bands)),
        }
        for service, (tax_percent, lowest, bands) in sorted(SHIPPED[name].items())
    ]
    return json.dumps({"tariffs": tariffs}, separators=(",", ":"), sort_keys=True)


def _bands(lowest: int, bands: str) -> Iterable[list[int]]:
    for band in bands.split():
        highest, fee = (int(shillings) * 100 for shillings in band.split(":"))
        yield [lowest, highest, fee]
        lowest = highest + 1


def _guards(dialect: str) -> Iterable[str]:
    """Triggers under which a price that was charged by never changes."""
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER price_book_no_{verb.lower()} BEFORE {verb} ON price_book "
                "BEGIN SELECT RAISE(ABORT, 'price_book rows never change'); END"
            )
        return
    yield (
        "CREATE TRIGGER price_book_no_change BEFORE UPDATE OR DELETE ON price_book "
        "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
    )
    yield (
        "CREATE TRIGGER price_book_no_truncate BEFORE TRUNCATE ON price_book "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_never_change()"
    )
    yield "REVOKE UPDATE, DELETE, TRUNCATE ON price_book FROM CURRENT_USER"
