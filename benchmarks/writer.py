"""Thin payments straight through the ledger's writer: two legs, a key, a receipt; no PIN, no
SMS.

Two hundred callers wait for their commits, as callbacks or as threads. Work is done for a fixed
time, after a warm-up; who is answered asks again.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import quantiles

from sqlalchemy import insert

from benchmarks import people
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground
from ussd_gateway import app
from ussd_gateway.app.wiring import writer
from ussd_gateway.domain.book import Book, Decision, Outcome, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.settings import Settings, load
from ussd_gateway.store import database
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account

rounds = 3
callers = 200
wallets = 5_000
run_s = 3.0
warm_up_s = 1.0
answer_s_max = 20.0

# Nobody runs out of money within a run.
FLOOR_MINOR = -(10**12)
CONTENT = "0" * 64

AIMS = {"callbacks": 3.0, "threads": 1.8}


@dataclass(slots=True)
class Run:
    """What callers have seen since it began."""

    until: float
    took_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_s(self) -> float:
        return len(self.took_s) / self.seconds

    def percentile_ms(self, rank: int) -> float:
        return quantiles(self.took_s, n=100)[rank - 1] * 1000


@dataclass(slots=True)
class Counter:
    """A ledger with its wallets, and all the payments it was asked for."""

    settings: Settings
    ledger: Writer
    works: Iterator[Work]
    paid: int = 0


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    counters = {
        "PostgreSQL": _counter(
            ground, "writer-pg", DATABASE_URL=ground.postgres.create_database()
        ),
        "SQLite": _counter(ground, "writer-sqlite"),
    }
    kinds = {"callbacks": _callbacks, "threads": _threads}
    for counter in counters.values():
        for ask in kinds.values():
            _run(counter, ask, warm_up_s)

    tps: list[float] = []
    found: dict[tuple[str, str], list[Run]] = {}
    for turn in range(rounds):
        say(f"pgbench {turn + 1} of {rounds}")
        tps.append(ground.pgbench_tps())
        for name, counter in counters.items():
            for kind, ask in kinds.items():
                say(f"{name}, {kind}, round {turn + 1} of {rounds}")
                found.setdefault((name, kind), []).append(_run(counter, ask, run_s))
    return [_subject(name, counters[name], tps, found) for name in counters]


def _subject(
    name: str, counter: Counter, tps: list[float], found: dict[tuple[str, str], list[Run]]
) -> Subject:
    counter.ledger.stop()
    pgbench = Floor("pgbench", tps)
    # pgbench's own eight clients wait this long for a commit.
    waits = Floor("pgbench's wait", [8 / each * 1000 for each in tps])
    figures = [Figure("pgbench tpcb-like", tps, "/s", pgbench)]
    for kind, at_least in AIMS.items():
        runs = found[name, kind]
        per_s = [run.per_s for run in runs]
        figures.append(
            Figure(f"{callers} {kind}: payments", per_s, "/s", pgbench, at_least=at_least)
        )
        figures += [
            Figure(f"{kind}: p{rank}", [run.percentile_ms(rank) for run in runs], "ms", waits)
            for rank in (50, 99)
        ]
    books = people.check_books(counter.settings, kind="thin", journals=counter.paid)
    return Subject(f"Thin payments through the writer, on {name}", figures, [books])


def _counter(ground: Ground, name: str, **given: str) -> Counter:
    settings = load(ground.gateway_settings(name, **given))
    app.upgrade(settings)
    engine = app.database(settings)
    with database.writing(engine) as connection:
        rows = [people.wallet(number, floor=FLOOR_MINOR) for number in range(wallets)]
        connection.execute(insert(account), rows)
    ledger = writer(settings, engine, app.clock(settings))
    app.freeze_heap()
    ledger.start()
    return Counter(settings, ledger, map(_work, itertools.count()))


def _run(counter: Counter, ask: Callable[[Counter, Run], None], seconds: float) -> Run:
    began = time.perf_counter()
    run = Run(until=began + seconds)
    ask(counter, run)
    run.seconds = time.perf_counter() - began
    counter.paid += len(run.took_s)
    return run


def _callbacks(counter: Counter, run: Run) -> None:
    """Each answer asks for the next, on the writer's own thread."""
    left = threading.Semaphore(0)

    def ask() -> None:
        asked = time.perf_counter()

        def answered(outcome: Outcome) -> None:
            assert outcome.name == "ok", outcome
            now = time.perf_counter()
            run.took_s.append(now - asked)
            if now < run.until:
                ask()
            else:
                left.release()

        assert counter.ledger.submit(next(counter.works), answered) is not None

    for _ in range(callers):
        ask()
    for _ in range(callers):
        assert left.acquire(timeout=run_s + answer_s_max), "an answer never came"


def _threads(counter: Counter, run: Run) -> None:
    def ask() -> None:
        while (asked := time.perf_counter()) < run.until:
            outcome = counter.ledger.run(next(counter.works), within_s=answer_s_max)
            assert outcome.name == "ok", outcome
            run.took_s.append(time.perf_counter() - asked)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(run_s + answer_s_max)


def _work(number: int) -> Work:
    """The keys are as long, and come as nearly in order, as those of real sessions."""
    source = number * 2_654_435_761 % wallets
    target = (source + wallets // 2) % wallets
    legs = (Leg(source, 100), Leg(target, -100))

    def decide(book: Book) -> Decision:
        payer = book.accounts[source]
        if not payer.takes(100):
            return Decision("low_balance", {})
        return Decision("ok", {"balance": payer.balance}, Posting("thin", legs))

    key = f"01997000-0000-7000-8000-{number:012x}:send_pin:5"
    return Work(key, CONTENT, 1_763_700_000_000, (), (source, target), decide)
