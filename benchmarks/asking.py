"""A process with a ledger's writer of its own, and those who ask it for whole payments.

    callbacks   each answer asks for the next payment, on the writer's own thread
    threads     each waits for its answer, as those of a web server do

A payment is what the services make of it: the PIN, limits, tariff and tax, its key, two SMS.
Only who is who was looked up before; what a payment costs with its look-ups, over HTTP, is
another part's question.
"""

import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks import people
from ussd_gateway import app
from ussd_gateway.app.services import Services, services
from ussd_gateway.domain.book import Business, Outcome, Subscriber, Work
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import TIMEOUT, Ledger
from ussd_gateway.settings import load
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads

answer_s_max = 20.0
start_s_max = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """`kind` of payment; `waiting`: callbacks or threads."""

    kind: str
    waiting: str
    callers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """How long each payment took, and how long all of them did."""

    took_s: list[float]
    seconds: float


class Asking:
    """The process, until it is closed. It ends with its parent, too."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        spawning = get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=_serve, args=(theirs, name, dict(environ)), daemon=True
        )
        self._process.start()
        theirs.close()

    def begin(self, asked: Asked) -> None:
        self._pipe.send(asked)

    def end(self) -> Answered:
        """Of what was begun."""
        assert self._pipe.poll(start_s_max + answer_s_max), "its answers never came"
        answered = self._pipe.recv()
        assert isinstance(answered, Answered)
        return answered

    def close(self) -> None:
        self._pipe.close()
        self._process.join(answer_s_max)
        assert self._process.exitcode == 0, "it did not end well"


class Known(SqlReads):
    """Customers, and the biller whom they pay, as they stood when it began."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        look = super().subscribers
        numbers = map(people.msisdn, range(people.count))
        self._people = {number: look(number)[number] for number in numbers}
        self._biller = super().business(people.BILLER)

    def subscribers(self, *msisdns: Msisdn) -> dict[Msisdn, Subscriber]:
        return {msisdn: self._people[msisdn] for msisdn in msisdns}

    def business(self, number: str) -> Business | None:
        return self._biller if number == people.BILLER else None


class Taker:
    """A ledger that keeps what it is asked for, and does nothing. For one thread at a time."""

    taken: Work

    def run(self, work: Work, *, within_s: float) -> Outcome:  # noqa: ARG002
        self.taken = work
        return Outcome(TIMEOUT, {})


class _Asker:
    """What runs in the process."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        settings = load(environ)
        self._engine, clock = app.database(settings), app.clock(settings)
        self._writer, self._taker = app.writer(settings, self._engine, clock), Taker()
        self._reads = Known(settings.database_url)

        def bound(ledger: Ledger) -> Services:
            return services(
                settings,
                engine=self._engine,
                reads=self._reads,
                ledger=ledger,
                clock=clock,
                random=app.random(settings),
            )

        served = bound(self._writer)
        SqlPriceBooks(self._engine, clock).keep(served.prices)
        self._asking, self._taking = served.actions, bound(self._taker).actions
        self._calls = {
            kind: map(people.caller(kind, name, self._asking[f"{kind}.quote"]), count())
            for kind in people.KINDS
        }
        app.freeze_heap()
        self._writer.start()

    def close(self) -> None:
        self._writer.stop()
        self._reads.close()
        self._engine.dispose()

    def run(self, asked: Asked) -> Answered:
        began = time.perf_counter()
        until = began + asked.seconds
        ask = {"callbacks": self._callbacks, "threads": self._threads}[asked.waiting]
        took_s = ask(asked, until)
        return Answered(took_s, time.perf_counter() - began)

    def _callbacks(self, asked: Asked, until: float) -> list[float]:
        calls, action = self._calls[asked.kind], self._taking[asked.kind]
        took_s: list[float] = []
        left = threading.Semaphore(0)

        def taken() -> Work:
            action.run(next(calls))
            return self._taker.taken

        def ask(work: Work) -> None:
            began = time.perf_counter()

            def answered(outcome: Outcome) -> None:
                assert outcome.name == "ok", outcome
                now = time.perf_counter()
                took_s.append(now - began)
                if now < until:
                    ask(taken())
                else:
                    left.release()

            assert self._writer.submit(work, answered) is not None, "the queue is full"

        for each in [taken() for _ in range(asked.callers)]:
            ask(each)
        for _ in range(asked.callers):
            assert left.acquire(timeout=asked.seconds + answer_s_max), "an answer never came"
        return took_s

    def _threads(self, asked: Asked, until: float) -> list[float]:
        calls, action = self._calls[asked.kind], self._asking[asked.kind]
        took_s: list[float] = []

        def ask() -> None:
            while (began := time.perf_counter()) < until:
                answer = action.run(next(calls))
                assert answer.outcome == "ok", answer
                took_s.append(time.perf_counter() - began)

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(asked.callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(asked.seconds + answer_s_max)
        return took_s


def _serve(pipe: Connection, name: str, environ: Mapping[str, str]) -> None:
    # Ctrl-C is the parent's to hear; it closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asker = _Asker(name, environ)
    try:
        while True:
            pipe.send(asker.run(pipe.recv()))
    except EOFError:
        asker.close()
