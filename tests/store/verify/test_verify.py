"""The checker passes true books, and each invariant catches what is done to it.

The books are made by the real writer and the real services; `crowbar` has what is done to them.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.store.conftest import SetClock, count, pay, started, told, wallet
from tests.store.true_books import ledger, write_books
from tests.store.verify.crowbar import Tamper, disarm, tamper
from tests.store.verify.tampers import TAMPERS
from ussd_gateway.domain import accounts
from ussd_gateway.domain.accounts import house_id
from ussd_gateway.domain.book import Book, Decision, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.receipt import make
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import Ledger
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.schema import account
from ussd_gateway.store.snapshot import beside
from ussd_gateway.store.verify import Finding, verify
from ussd_gateway.store.verify.receipts import fault_of

ALL = {None, *range(1, 17)}


@dataclass(frozen=True, slots=True)
class Books:
    """A copy of its own for each test."""

    engine: Engine

    def broken(self) -> set[int | None]:
        return {finding.number for finding in verify(self.engine) if not finding.ok}

    def finding(self, number: int | None) -> Finding:
        return next(one for one in verify(self.engine) if one.number == number)

    def tamper(self, *statements: str) -> None:
        """What nobody can do whom the database's own rules bind."""
        tamper(self.engine, statements)

    def run(self, *statements: str) -> None:
        """With every rule in force."""
        with writing(self.engine) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @property
    def on_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def url(self) -> str:
        return self.engine.url.render_as_string(hide_password=False)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], str]:
    """Copies of one set of true books: give a folder, get a URL."""
    folder = tmp_path_factory.mktemp("true-books")
    if request.param == "sqlite":
        true = folder / "books.sqlite"
        write_books(Settings(data_dir=folder, database_url=f"sqlite:///{true}"))
        return lambda copy: f"sqlite:///{shutil.copy(true, copy / 'copy.sqlite')}"

    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database()
    write_books(Settings(data_dir=folder, database_url=url))
    name = url.partition("@/")[2].partition("?")[0]
    return lambda _: server.create_database(template=name)


@pytest.fixture
def books(made: Callable[[Path], str], tmp_path: Path) -> Iterator[Books]:
    engine = connect(made(tmp_path))
    yield Books(engine)
    engine.dispose()


def test_true_books_pass(books: Books) -> None:
    findings = verify(books.engine)

    assert [finding for finding in findings if not finding.ok] == []
    assert {finding.number for finding in findings} == ALL
    accounts = count(books.engine, "account")
    checked: dict[int | None, int] = {
        **dict.fromkeys((1, 10), 9),  # six openings and three payments
        **dict.fromkeys((2, 5, 6), accounts),
        **dict.fromkeys((3, 4), 6 * 2 + 3 * 6),
        **dict.fromkeys((7, 9, 11, 13), 0),
        8: 9 + 4,  # four were refused
        12: 3,
        14: 13,  # commits
        15: 32 if books.on_sqlite else 46,  # with the tables of months
        16: 15 + accounts,
    }
    assert {one.number: one.checked for one in findings if one.number} == checked
    assert [one.checked for one in findings if one.number is None] == [
        *(9, 9, accounts, 9, 0, 0),
        accounts,
    ]


def test_empty_books_pass(engine: Engine) -> None:
    assert all(finding.ok for finding in verify(engine))


@pytest.mark.parametrize("done", TAMPERS, ids=[done.told for done in TAMPERS])
def test_a_rule_that_is_broken_is_told_and_no_other(books: Books, done: Tamper) -> None:
    books.tamper(*done.statements)

    wrong = [finding for finding in verify(books.engine) if not finding.ok]
    assert {finding.number for finding in wrong} == done.broken
    assert any(done.told in words for finding in wrong for words in finding.shown), wrong


def test_a_crowbar_alone_breaks_nothing(books: Books) -> None:
    books.tamper()

    assert books.broken() == set()


def test_the_ring_holds_at_every_commit_and_not_only_in_the_end(
    books: Books, tmp_path: Path
) -> None:
    """Two journals that the writer takes as any other, the second of which undoes the first."""
    fees, grace = house_id(accounts.TRANSFER_FEES, "KES"), 3
    settings = Settings(data_dir=tmp_path, database_url=books.url)
    with ledger(settings) as (running, _):
        for key, minor in (("out", 100), ("back", -100)):
            legs = (Leg(grace, minor), Leg(fees, -minor))
            assert running.run(_posted(key, legs), within_s=5).name == "ok"

    assert books.broken() == {10}
    assert [words.split(" ", 2)[2] for words in books.finding(10).shown] == [
        "moves 100 KES into or out of the ring",
        "moves -100 KES into or out of the ring",
    ]


def test_only_the_first_faults_are_told_and_all_are_counted(books: Books) -> None:
    books.tamper("UPDATE entry SET balance_after = balance_after + 1 WHERE minor > 0")

    finding = books.finding(4)
    assert len(finding.shown) == 5
    assert finding.faults > 5


def test_a_guard_that_is_taken_off_is_told(books: Books) -> None:
    if books.on_sqlite:
        books.run("DROP TRIGGER entry_no_delete")
    else:
        books.run("ALTER TABLE entry DISABLE TRIGGER entry_no_change")

    assert books.broken() == {15}
    finding = books.finding(15)
    assert "entry: no trigger forbids DELETE" in finding.shown
    if books.on_sqlite:
        assert "entry: DELETE of a row was not refused (it was undone)" in finding.shown


def test_a_guard_that_forbids_nothing_is_told(books: Books) -> None:
    hollow = "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT 1; END"
    if books.on_sqlite:
        books.run("DROP TRIGGER journal_no_update", hollow)
    else:
        books.run(
            """CREATE OR REPLACE FUNCTION rows_never_change() RETURNS trigger
            LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"""
        )

    assert books.broken() == {15}


def test_a_guard_of_some_rows_only_is_told(books: Books) -> None:
    """Although the one row that is tried is still guarded."""
    if books.on_sqlite:
        books.run(
            "DROP TRIGGER idempotency_no_update",
            """CREATE TRIGGER idempotency_no_update BEFORE UPDATE ON idempotency
            WHEN old.key <> 'mine' BEGIN SELECT RAISE(ABORT, 'no'); END""",
        )
    else:
        books.run(
            "DROP TRIGGER idempotency_no_change ON idempotency",
            """CREATE TRIGGER idempotency_no_change BEFORE UPDATE OR DELETE ON idempotency
            FOR EACH ROW WHEN (old.key <> 'mine') EXECUTE FUNCTION rows_never_change()""",
        )

    assert books.broken() == {15}
    assert "idempotency: no trigger forbids UPDATE" in books.finding(15).shown


def test_emptying_a_table_is_guarded_too(books: Books) -> None:
    if books.on_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    books.run("DROP TRIGGER journal_no_truncate ON journal")

    assert books.finding(15).shown == ("journal: no trigger forbids TRUNCATE",)


def test_the_try_to_change_a_row_leaves_no_trace(books: Books) -> None:
    books.run(*disarm(books.engine.dialect.name))

    for _ in range(2):
        assert books.broken() == {15, 16}
    assert books.finding(15).faults > 20
    assert books.finding(3).checked == 30


def test_books_that_are_being_written_pass_and_go_on_being_written(
    engine: Engine, clock: SetClock
) -> None:
    """Every moment of the books is true, and looking at it holds up nobody."""
    with writing(engine) as connection:
        connection.execute(account.insert(), [wallet(1, 0), wallet(2, 0), _bank()])
    stop = threading.Event()
    paid = 0

    def go_on(running: Ledger) -> None:
        nonlocal paid
        while not stop.is_set():
            outcome = running.run(pay(f"k{paid}", 1, messages=(told(),)), within_s=5)
            assert outcome.name == "ok"
            paid += 1

    with started(engine, clock) as running:
        running.run(_posted("opening", (Leg(3, 1_000_000), Leg(1, -1_000_000))), within_s=5)
        payer = threading.Thread(target=go_on, args=(running,))
        payer.start()
        moments = [verify(engine) for _ in range(10)]
        stop.set()
        payer.join()

    assert [finding for findings in moments for finding in findings if not finding.ok] == []
    seen = [findings[0].checked for findings in moments]
    assert seen == sorted(seen)
    assert seen[0] < seen[-1] <= paid + 1


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2032, 1, 31), date(2063, 12, 1)])
def test_a_receipt_of_its_day_fits_and_one_wrong_character_does_not(day: date) -> None:
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    for counter in (0, 1, 99_999):
        receipt = make(day, counter, b"k" * 32)
        assert fault_of(receipt, day) is None
        for place in range(10):
            for letter in set(alphabet) - {receipt[place]}:
                misread = receipt[:place] + letter + receipt[place + 1 :]
                assert fault_of(misread, day) == "does not pass its own check"
        assert fault_of(receipt, date(2026, 2, 3)) == "is not of 2026-02-03"


def test_two_streams_are_read_side_by_side() -> None:
    heads = iter([(2, "b"), (3, "c"), (5, "e")])
    others = iter([(1, 10), (3, 30), (3, 31), (4, 40), (5, 50), (6, 60), (7, 70)])

    found = [(number, head, list(rest)) for number, head, rest in beside(heads, others)]
    assert found == [
        (1, None, [(1, 10)]),
        (2, (2, "b"), []),
        (3, (3, "c"), [(3, 30), (3, 31)]),
        (4, None, [(4, 40)]),
        (5, (5, "e"), [(5, 50)]),
        (6, None, [(6, 60)]),
        (7, None, [(7, 70)]),
    ]


def _posted(key: str, legs: tuple[Leg, ...]) -> Work:
    def decide(_book: Book) -> Decision:
        return Decision("ok", {}, Posting("moved", legs))

    return Work(
        key=key,
        content=key,
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=tuple(sorted(leg.account_id for leg in legs)),
        decide=decide,
    )


def _bank() -> dict[str, object]:
    row = wallet(3, 0)
    return row | {"public_ref": "KES-1010", "code": 1010, "side": 1, "floor": None}
