"""The writer's promises: once for each key, all or nothing, and the truth to every caller."""

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import Engine

from tests.store.conftest import (
    NUMBERING,
    SetClock,
    balances,
    books_of,
    count,
    is_ok,
    pay,
    started,
    told,
)
from ussd_gateway.domain.book import Message, Outcome, Work
from ussd_gateway.domain.receipt import is_well_formed
from ussd_gateway.store.ledger import writer as writers
from ussd_gateway.store.ledger.batch import Books, Loaded, Rows, Trouble, Wanted
from ussd_gateway.store.ledger.postgres import PostgresBooks
from ussd_gateway.store.ledger.writer import Writer


def test_a_payment_moves_its_money_and_gets_a_receipt(writer: Writer, wallets: Engine) -> None:
    outcome = writer.run(pay("k1", 250), within_s=5)

    assert outcome.name == "ok"
    assert is_well_formed(outcome.values["receipt"])
    assert balances(wallets) == (750, 250)


def test_the_same_key_gives_the_same_outcome_and_moves_nothing_more(
    writer: Writer, wallets: Engine
) -> None:
    first = writer.run(pay("k1"), within_s=5)
    again = writer.run(pay("k1"), within_s=5)

    assert again == first
    assert balances(wallets) == (900, 100)


def test_a_refusal_is_kept_under_its_key_too(writer: Writer, wallets: Engine) -> None:
    refused = writer.run(pay("k1", 1_001), within_s=5)
    writer.run(pay("k2", 1_000), within_s=5)

    assert refused.name == "low"
    assert writer.run(pay("k1", 1_001), within_s=5) == refused
    assert balances(wallets) == (0, 1_000)


def test_the_same_key_with_other_content_is_a_conflict(writer: Writer, wallets: Engine) -> None:
    writer.run(pay("k1"), within_s=5)
    outcome = writer.run(pay("k1", 999, content="other"), within_s=5)

    assert outcome.name == "conflict"
    assert balances(wallets) == (900, 100)


def test_a_key_sent_twice_in_one_batch_happens_once(writer: Writer, wallets: Engine) -> None:
    outcomes = _all_at_once(writer, [("k1", 100)] * 20)

    assert len({outcome.values["receipt"] for outcome in outcomes}) == 1
    assert balances(wallets) == (900, 100)


def test_payments_in_one_batch_never_spend_the_same_shilling(
    writer: Writer, wallets: Engine
) -> None:
    outcomes = _all_at_once(writer, [(f"k{n}", 300) for n in range(50)])

    assert sum(map(is_ok, outcomes)) == 3
    assert balances(wallets) == (100, 900)
    assert count(wallets, "journal") == 3
    assert count(wallets, "idempotency") == 50


def test_two_writers_on_one_database_agree_about_every_key(
    wallets: Engine, clock: SetClock
) -> None:
    keys = [(f"k{n}", 20) for n in range(100)]
    with (
        started(wallets, clock) as one,
        started(wallets, clock) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        first, second = pool.map(lambda each: _all_at_once(each, keys), (one, two))

    assert first == second
    assert sum(map(is_ok, first)) == 50
    assert balances(wallets) == (0, 1_000)


def test_a_decision_that_breaks_harms_no_stranger(writer: Writer, wallets: Engine) -> None:
    def broken() -> None:
        raise RuntimeError("a bug")

    gate, works = _gated()
    works += [pay("bad", before=broken), pay("good")]
    outcomes = _behind(writer, gate, works)

    assert [outcome.name for outcome in outcomes] == ["ok", "timeout", "ok"]
    assert balances(wallets) == (800, 200)


def test_a_row_that_the_database_refuses_harms_no_stranger(
    writer: Writer, wallets: Engine
) -> None:
    nobody = Message(None, "sent", "en", {})  # type: ignore[arg-type]
    gate, works = _gated()
    works += [pay("k1"), pay("bad", messages=(nobody,)), pay("k2")]
    outcomes = _behind(writer, gate, works)

    assert [outcome.name for outcome in outcomes] == ["ok", "ok", "timeout", "ok"]
    assert balances(wallets) == (700, 300)
    assert count(wallets, "idempotency") == 3


def test_a_command_still_queued_at_its_deadline_never_happens(
    writer: Writer, wallets: Engine
) -> None:
    gate, (slow,) = _gated()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(writer.run, slow, within_s=5)
        gate.reached.wait(5)
        outcome = writer.run(pay("late"), within_s=0.05)
        gate.open()

        assert outcome.name == "timeout"
        assert is_ok(first.result())
    assert is_ok(writer.run(pay("after"), within_s=5))
    assert balances(wallets) == (800, 200)


def test_a_command_that_was_claimed_at_its_deadline_is_unknown_and_then_true(
    writer: Writer, wallets: Engine
) -> None:
    gate, (slow,) = _gated()
    outcome = writer.run(slow, within_s=0.05)
    gate.open()

    assert outcome.name == "unknown"
    assert is_ok(writer.run(slow, within_s=5))
    assert balances(wallets) == (900, 100)


def test_a_full_queue_refuses_at_once(writer: Writer) -> None:
    gate, (slow,) = _gated()
    writer.submit(slow, lambda _: None)
    gate.reached.wait(5)
    for number in range(writers.QUEUED_MAX):
        writer.submit(pay(f"k{number}", 1), lambda _: None)

    assert writer.submit(pay("over"), lambda _: None) is None
    assert writer.run(pay("over"), within_s=5).name == "timeout"
    gate.open()


def test_messages_are_owed_in_the_commit_of_their_money(
    writer: Writer, wallets: Engine
) -> None:
    writer.run(pay("k1", messages=(told("sent"), told("received"))), within_s=5)
    writer.run(pay("k1", messages=(told("sent"), told("received"))), within_s=5)

    assert count(wallets, "outbox") == 2


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
def test_a_commit_whose_answer_is_lost_is_run_again_under_its_keys(
    wallets: Engine, clock: SetClock, kept: bool
) -> None:
    with started(wallets, clock, lambda engine: _CutAtCommit(engine, kept=kept)) as writer:
        outcomes = _all_at_once(writer, [(f"k{n}", 100) for n in range(5)])

    assert all(map(is_ok, outcomes))
    assert balances(wallets) == (500, 500)
    assert count(wallets, "journal") == 5


def test_a_database_that_stays_away_moves_nothing_and_says_so(
    wallets: Engine, clock: SetClock
) -> None:
    with started(wallets, clock, lambda engine: _Failing(engine, at="begin")) as writer:
        assert writer.run(pay("k1"), within_s=30).name == "timeout"

    assert balances(wallets) == (1_000, 0)


def test_a_command_that_waits_for_a_database_that_is_away_may_be_abandoned(
    wallets: Engine, clock: SetClock
) -> None:
    """Its caller is told that nothing moved, and nothing does when the database is back."""
    away = _Away(wallets)
    with started(wallets, clock, lambda _: away) as writer:
        assert writer.run(pay("k1"), within_s=0.3).name == "timeout"
        away.back.set()
        assert is_ok(writer.run(pay("k2"), within_s=10))

    assert balances(wallets) == (900, 100)
    assert count(wallets, "idempotency") == 1


@pytest.mark.parametrize("keys", [("k1", "k2"), ("k1", "k1")], ids=["alone", "twinned"])
def test_a_command_whose_twin_goes_on_is_not_abandoned(
    wallets: Engine, clock: SetClock, keys: tuple[str, str]
) -> None:
    away = _Away(wallets)
    abandoned: list[bool] = []

    def rest(_seconds: float) -> None:
        assert first is not None
        abandoned.append(writer.abandon(first))
        away.back.set()

    writer = Writer(lambda: away, NUMBERING, clock, rest=rest)
    first, _ = (writer.submit(pay(key), lambda _: None) for key in keys)
    writer.step(away)
    away.close()

    assert abandoned == [keys[0] != keys[1]]
    assert balances(wallets) == (900, 100)


def test_a_commit_that_never_answers_is_in_doubt(wallets: Engine, clock: SetClock) -> None:
    with started(wallets, clock, lambda engine: _Failing(engine, at="commit")) as writer:
        assert writer.run(pay("k1"), within_s=30).name == "unknown"


def test_a_commit_without_an_answer_that_is_refused_later_is_in_doubt(
    wallets: Engine, clock: SetClock
) -> None:
    """Another try of the batch, and each of its commands alone, tell nothing of the first."""
    gate, works = _gated()
    works += [pay("k1"), pay("k2"), pay("k2")]
    with started(wallets, clock, _LostThenRefused) as writer:
        outcomes = _behind(writer, gate, works)

    assert [outcome.name for outcome in outcomes] == ["ok", "unknown", "unknown", "unknown"]
    assert balances(wallets) == (700, 300)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_server_that_takes_no_writes_any_more_is_no_refusal(
    wallets: Engine, clock: SetClock
) -> None:
    """The COMMIT was kept, its answer lost; whoever answers next is a standby, then is not."""
    standby = _FailedOver(wallets, for_s=0.5)
    with started(wallets, clock, lambda _: standby) as writer:
        assert writer.run(pay("k1"), within_s=10).name == "ok"

    assert standby.refusals > 0
    assert balances(wallets) == (900, 100)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_server_that_takes_no_writes_for_long_leaves_a_commit_in_doubt(
    wallets: Engine, clock: SetClock
) -> None:
    standby = _FailedOver(wallets, for_s=60)
    with started(wallets, clock, lambda _: standby) as writer:
        assert writer.run(pay("k1"), within_s=10).name == "unknown"

    assert balances(wallets) == (900, 100)


class _Gate:
    """Holds the writer inside a decision until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def pass_through(self) -> None:
        self.reached.set()
        assert self._open.wait(10)


def _gated() -> tuple[_Gate, list[Work]]:
    gate = _Gate()
    return gate, [pay("gate", before=gate.pass_through)]


def _behind(writer: Writer, gate: _Gate, works: list[Work]) -> list[Outcome]:
    """Outcomes of `works`, all but the first in one batch: they queue behind it."""
    outcomes: dict[str, Outcome] = {}
    done = threading.Semaphore(0)

    def answered(key: str) -> Callable[[Outcome], None]:
        def keep(outcome: Outcome) -> None:
            outcomes[key] = outcome
            done.release()

        return keep

    writer.submit(works[0], answered(works[0].key))
    assert gate.reached.wait(5)
    for work in works[1:]:
        writer.submit(work, answered(work.key))
    gate.open()
    for _ in works:
        assert done.acquire(timeout=10)
    return [outcomes[work.key] for work in works]


def _all_at_once(writer: Writer, payments: list[tuple[str, int]]) -> list[Outcome]:
    with ThreadPoolExecutor(len(payments)) as pool:
        return list(pool.map(lambda one: writer.run(pay(*one), within_s=10), payments))


class _Wrapped:
    """The real books, to be troubled."""

    def __init__(self, engine: Engine) -> None:
        self._books: Books = books_of(engine)
        self._lost: Exception = (
            sqlite3.OperationalError("disk I/O error")
            if engine.dialect.name == "sqlite"
            else psycopg.OperationalError("server closed the connection unexpectedly")
        )
        self.load: Callable[[Wanted], Loaded] = self._books.load

    def begin(self) -> None:
        self._books.begin()

    def commit(self, rows: Rows) -> None:
        self._books.commit(rows)

    def undo(self, error: Exception) -> Trouble:
        """As the real ones say of a connection that is gone."""
        self._books.undo(error)
        return Trouble.LOST

    def close(self) -> None:
        self._books.close()


class _CutAtCommit(_Wrapped):
    """Loses the answer to its first COMMIT, which was kept or was not."""

    def __init__(self, engine: Engine, *, kept: bool) -> None:
        super().__init__(engine)
        self._kept = kept
        self._cut = False

    def commit(self, rows: Rows) -> None:
        if self._cut:
            super().commit(rows)
            return
        self._cut = True
        if self._kept:
            super().commit(rows)
        raise self._lost


class _Failing(_Wrapped):
    """Fails at one step, every time."""

    def __init__(self, engine: Engine, *, at: str) -> None:
        super().__init__(engine)
        self._at = at

    def begin(self) -> None:
        if self._at == "begin":
            raise self._lost
        super().begin()

    def commit(self, rows: Rows) -> None:  # noqa: ARG002
        raise self._lost


class _Away(_Wrapped):
    """Not to be reached until it is `back`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.back = threading.Event()

    def begin(self) -> None:
        if not self.back.is_set():
            raise self._lost
        super().begin()


class _LostThenRefused(_Wrapped):
    """Keeps its second COMMIT and loses the answer; from then on the database refuses all."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._commits = 0

    def begin(self) -> None:
        if self._commits == 2:
            raise _Refused
        super().begin()

    def commit(self, rows: Rows) -> None:
        super().commit(rows)
        self._commits += 1
        if self._commits == 2:
            raise self._lost

    def undo(self, error: Exception) -> Trouble:
        self._books.undo(error)
        return Trouble.REFUSED if isinstance(error, _Refused) else Trouble.LOST


class _Refused(Exception):  # a row, as the database would say
    pass


class _FailedOver(PostgresBooks):
    """Keeps its first COMMIT and loses the answer. Connections are then to a server that only
    reads, for so long; one that was made to it stays one to it."""

    def __init__(self, engine: Engine, *, for_s: float) -> None:
        super().__init__(engine)
        self.refusals = 0
        self._for_s = for_s
        self._until_s: float | None = None

    def begin(self) -> None:
        new = self._connection is None
        super().begin()
        if new and self._until_s is not None and time.monotonic() < self._until_s:
            self._open.execute("SET default_transaction_read_only = on")
            self._open.commit()

    def commit(self, rows: Rows) -> None:
        super().commit(rows)
        if self._until_s is None:
            self._until_s = time.monotonic() + self._for_s
            self._open.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def undo(self, error: Exception) -> Trouble:
        self.refusals += isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        return super().undo(error)
