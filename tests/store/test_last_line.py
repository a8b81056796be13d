"""What the database refuses by itself, whatever a writer should say: nothing of the books is
there twice, and no total is out of its bounds."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.store.conftest import AMINA, JUMA, pay, told
from ussd_gateway.store.database import writing
from ussd_gateway.store.ledger.writer import Writer

KEY = (
    "INSERT INTO idempotency (key, content, outcome, journal_id, at_ms) "
    "SELECT {}, content, outcome, {}, at_ms FROM idempotency WHERE key = 'k1'"
)
JOURNAL = (
    "INSERT INTO journal (id, kind, receipt, business_date, event_at_ms, created_at_ms) "
    "SELECT {}, kind, {}, business_date, event_at_ms, created_at_ms FROM journal"
)
# Of the only payment that there is.
REVERSAL = (
    "INSERT INTO journal (id, kind, receipt, business_date, event_at_ms, created_at_ms, "
    "reverses_id) SELECT {0}, {1}, {2}, business_date, event_at_ms, created_at_ms, id "
    "FROM journal WHERE reverses_id IS NULL"
)
ENTRY = (
    "INSERT INTO entry (journal_id, leg, account_id, minor, balance_after, account_seq) "
    "SELECT {}, leg, account_id, minor, balance_after, {} FROM entry"
)
SMS = (
    "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt, "
    "next_at_ms) SELECT key, msisdn, {}, language, params, event_at_ms, state, attempt, "
    "next_at_ms FROM outbox"
)
SEAL = "INSERT INTO seal (seq, batch_id, chain) SELECT {}, {}, chain FROM seal"
HOLD = (
    "INSERT INTO hold (id, key, kind, source_id, target_id, minor, posted, state, "
    f"placed_at_ms, expires_at_ms) VALUES ({{}}, {{}}, 'held', {AMINA}, {JUMA}, 700, 0, "
    "'pending', 0, 1)"
)

# Each: a row that stands beside those that are there, and what would be there twice.
TWICE = [
    ("a key", KEY, ("'k2'", "NULL"), ("'k1'", "NULL")),
    ("a journal's key", KEY, ("'k2'", "NULL"), ("'k2'", "journal_id")),
    ("a journal's number", JOURNAL, ("2", "'R2'"), ("id", "'R2'")),
    ("a receipt", JOURNAL, ("2", "'R2'"), ("2", "receipt")),
    ("an entry's leg", ENTRY, ("2", "2"), ("journal_id", "2")),
    ("an entry's place in its account", ENTRY, ("2", "2"), ("2", "account_seq")),
    ("an SMS", SMS, ("'received'",), ("template",)),
    ("a seal's place", SEAL, ("2", "2"), ("seq", "2")),
    ("a batch's seal", SEAL, ("2", "2"), ("2", "batch_id")),
    ("a hold", HOLD, ("6", "'h6'"), ("5", "'h6'")),
    ("a hold's key", HOLD, ("6", "'h6'"), ("6", "'h5'")),
]


@pytest.fixture
def books(writer: Writer, wallets: Engine) -> Engine:
    """One payment, its SMS, its seal, and a hold."""
    assert writer.run(pay("k1", messages=(told("sent"),)), within_s=5).name == "ok"
    with writing(wallets) as connection:
        connection.execute(text("INSERT INTO seal SELECT 1, id, digest FROM batch"))
        connection.execute(text(HOLD.format("5", "'h5'")))
    return wallets


@pytest.mark.parametrize(
    ("row", "other", "same"), [one[1:] for one in TWICE], ids=[one[0] for one in TWICE]
)
def test_nothing_of_the_books_is_there_twice(
    books: Engine, row: str, other: tuple[str, ...], same: tuple[str, ...]
) -> None:
    with pytest.raises(IntegrityError), writing(books) as connection:
        connection.execute(text(row.format(*same)))
    with writing(books) as connection:
        connection.execute(text(row.format(*other)))


def test_no_account_is_out_of_its_bounds(books: Engine) -> None:
    for change, rule in (
        ("debits = credits + 1", "floor"),
        ("debits_pending = credits - debits + 1", "floor"),
        ("cap = credits - debits - 1", "cap"),
        ("cap = credits - debits, credits_pending = 1", "cap"),
        ("debits_pending = -1", "pending"),
        ("credits_pending = -1", "pending"),
        ("status = 'closed'", "closed"),
        ("used_day = 1", "used"),
    ):
        refused = pytest.raises(IntegrityError, match=f"ck_account_{rule}")
        with refused, writing(books) as connection:
            connection.execute(text(f"UPDATE account SET {change} WHERE id = {AMINA}"))


def test_no_journal_is_reversed_whole_a_second_time(books: Engine) -> None:
    with writing(books) as connection:
        connection.execute(text(REVERSAL.format(2, "'reversal'", "'R2'")))
    with pytest.raises(IntegrityError), writing(books) as connection:
        connection.execute(text(REVERSAL.format(3, "'reversal'", "'R3'")))


def test_no_hold_posts_more_or_less_than_its_state_says(books: Engine) -> None:
    for change in (
        "posted = 1",
        "decided_by = 'k9', state = 'posted', posted = 699",
        "decided_by = 'k9', state = 'part_posted', posted = 700",
        "decided_by = 'k9', state = 'part_posted', posted = 0",
        "decided_by = 'k9', state = 'voided', posted = 1",
    ):
        refused = pytest.raises(IntegrityError, match="ck_hold_posted")
        with refused, writing(books) as connection:
            connection.execute(text(f"UPDATE hold SET {change} WHERE id = 5"))


def test_seals_and_what_they_cover_never_change(books: Engine) -> None:
    for table, column in (("batch", "digest"), ("seal", "chain")):
        for change in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            refused = pytest.raises(DBAPIError, match=r"never change|permission denied")
            with refused, writing(books) as connection:
                connection.execute(text(change))
