"""What one writer holds another waits for, and then reads what the first one left."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, insert, text

from tests.store.conftest import AMINA, JUMA, books_of
from tests.store.people import enrol
from ussd_gateway.store.database import FileLock, writing
from ussd_gateway.store.ledger.batch import Loaded, Rows, Wanted
from ussd_gateway.store.schema import day_counter, hold

# Long enough for whoever does not wait to be through.
WAITED_S = 0.25
ANSWERED_S = 5.0
HELD = 7
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOTHING = Wanted((), (), MONDAY, "k1", (), (), ())
# Each has one row in common with the batch that came first, of another day.
SHARED = {
    "subscriber": replace(NOTHING, subscriber_ids=(AMINA,)),
    "account": replace(NOTHING, account_ids=(AMINA,)),
    "hold": replace(NOTHING, hold_ids=(HELD,)),
}

KEY = "INSERT INTO idempotency (key, content, outcome, at_ms) VALUES (:key, 'c', 'o', 0)"

on_postgres = pytest.mark.parametrize("engine", ["postgres"], indirect=True)


@pytest.fixture
def cast(engine: Engine) -> Engine:
    """Amina, Juma, and a hold between them."""
    enrol(engine)
    row = {
        "id": HELD,
        "key": "hold",
        "kind": "held",
        "source_id": AMINA,
        "target_id": JUMA,
        "minor": 100,
        "posted": 0,
        "state": "pending",
        "placed_at_ms": 0,
        "expires_at_ms": 1,
    }
    with writing(engine) as connection:
        connection.execute(insert(hold), [row, row | {"id": HELD + 1, "key": "other"}])
        connection.execute(
            insert(day_counter),
            [{"business_date": day, "kid": "k1", "issued": 0} for day in (MONDAY, TUESDAY)],
        )
    return engine


@pytest.mark.parametrize("wanted", SHARED.values(), ids=SHARED.keys())
def test_a_row_that_a_batch_has_another_waits_for(cast: Engine, wanted: Wanted) -> None:
    with _loading(cast, replace(wanted, business_date=TUESDAY)) as load:
        with writing(cast) as first:
            _lock(first, wanted)
            loading = load()
            assert not _done(loading)
        loading.result(ANSWERED_S)


def test_batches_of_a_day_wait_for_its_numbers(cast: Engine) -> None:
    with _loading(cast, NOTHING) as load:
        with writing(cast) as first:
            first.execute(text("UPDATE day_counter SET issued = 5"))
            loading = load()
            assert not _done(loading)
        assert loading.result(ANSWERED_S).issued == 5


def test_what_another_batch_left_is_what_is_read(cast: Engine) -> None:
    wanted = replace(NOTHING, account_ids=(AMINA,), keys=("mine",))
    with _loading(cast, wanted) as load:
        with writing(cast) as first:
            first.execute(text("UPDATE account SET debits = 300 WHERE id = 1"))
            first.execute(text(KEY), {"key": "mine"})
            loading = load()
            assert not _done(loading)
        found = loading.result(ANSWERED_S)
    assert found.accounts[AMINA].balance_minor == 700
    assert found.stored == {"mine": ("c", "o")}


@on_postgres
@pytest.mark.parametrize(
    ("table", "ids", "wanted"),
    [
        ("subscriber", (1, 2), replace(NOTHING, subscriber_ids=(1, 2))),
        ("account", (1, 2), replace(NOTHING, account_ids=(1, 2))),
        ("hold", (HELD, HELD + 1), replace(NOTHING, hold_ids=(HELD, HELD + 1))),
    ],
)
def test_rows_are_locked_in_the_order_of_their_ids(
    cast: Engine, table: str, ids: tuple[int, int], wanted: Wanted
) -> None:
    """So that batches wait for one another and never in a ring: whoever waits for the first has
    not taken the last."""
    lock = f"SELECT FROM {table} WHERE id = :id FOR UPDATE"
    with _loading(cast, wanted) as load:
        with writing(cast) as other:
            other.execute(text(lock), {"id": ids[0]})
            loading = load()
            assert not _done(loading)
            other.execute(text(f"{lock} NOWAIT"), {"id": ids[1]})
        loading.result(ANSWERED_S)


@on_postgres
def test_keys_are_taken_in_their_order(cast: Engine) -> None:
    """As rows are: whoever waits for the first has not taken the last."""
    books = books_of(cast)
    books.begin()
    books.load(NOTHING)
    told = ("c", "o", None, None, None, None, 0, b"")
    rows = Rows(MONDAY, 0, 0, keys=[("last", *told), ("first", *told)])
    with ThreadPoolExecutor(1) as pool:
        with writing(cast) as other:
            other.execute(text("SET LOCAL lock_timeout = '1s'"))
            other.execute(text(KEY), {"key": "first"})
            committing = pool.submit(books.commit, rows)
            assert not _done(committing)
            other.execute(text(KEY), {"key": "last"})
        assert isinstance(committing.exception(ANSWERED_S), psycopg.errors.UniqueViolation)
    books.close()


def test_a_file_lock_keeps_other_processes_out(tmp_path: Path) -> None:
    """Each lock object stands for a process: it has opened the file itself."""
    path = str(tmp_path / "lock")
    _excludes(FileLock(path), FileLock(path))


def test_a_file_lock_keeps_other_threads_of_its_process_out(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "lock"))
    _excludes(lock, lock)


def _excludes(one: FileLock, other: FileLock) -> None:
    inside = threading.Event()

    def enter() -> None:
        with other:
            inside.set()

    with one:
        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        assert not inside.wait(WAITED_S)
    assert inside.wait(ANSWERED_S)


def _lock(connection: Connection, wanted: Wanted) -> None:
    """As a batch does, in other words; a SQLite file is locked as soon as it is written."""
    if connection.dialect.name == "sqlite":
        return
    for table, ids in (
        ("subscriber", wanted.subscriber_ids),
        ("account", wanted.account_ids),
        ("hold", wanted.hold_ids),
    ):
        for number in ids:
            connection.execute(
                text(f"SELECT FROM {table} WHERE id = :id FOR UPDATE"), {"id": number}
            )
    connection.execute(
        text("SELECT FROM day_counter WHERE business_date = :day FOR UPDATE"),
        {"day": wanted.business_date},
    )


@contextmanager
def _loading(engine: Engine, wanted: Wanted) -> Iterator[Callable[[], Future[Loaded]]]:
    """Begins a batch of the writer's, on a thread of its own, when it is told to."""
    books = books_of(engine)

    def load() -> Loaded:
        books.begin()
        return books.load(wanted)

    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(load)
    books.undo(RuntimeError("enough was seen"))
    books.close()


def _done(future: Future[Any]) -> bool:
    try:
        future.result(WAITED_S)
    except TimeoutError:
        return False
    return True
