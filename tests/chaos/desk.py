"""Clerks from the outside: asked by any number of callers' threads, killed, and replaced.

What was answered is known here, whatever becomes of the process that answered it.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple
from itertools import count
from pathlib import Path
from random import Random
from typing import IO, NamedTuple

from tests.chaos.clerk import Order

up_within_s = 30.0
# Longer than the writer tries, so that no answer at all is a clerk's death.
answered_within_s = 60.0
ends_within_s = 30.0


class Told(NamedTuple):
    """A clerk's answer."""

    outcome: str
    receipt: str | None

    @property
    def in_doubt(self) -> bool:
        return self.outcome == "unknown"

    @property
    def nothing_moved(self) -> bool:
        return self.outcome == "timeout"


class Clerk:
    """One process. `ask` gives None where it died before it answered."""

    def __init__(self, url: str, said: Path) -> None:
        with said.open("ab") as errors:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.clerk", url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._numbers = count(1)
        self._open: dict[int, Future[Told | None]] = {}
        self._lock = threading.Lock()
        self._dead = False
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self) -> None:
        assert self._ready.wait(up_within_s), "the clerk did not start"

    def ask(self, order: Order) -> Told | None:
        return self.send(order).result(answered_within_s)

    def send(self, order: Order) -> Future[Told | None]:
        answer: Future[Told | None] = Future()
        number = next(self._numbers)
        with self._lock:
            if self._dead:
                answer.set_result(None)
                return answer
            self._open[number] = answer
            # Where it dies just now, the reader finds out and says so.
            with suppress(BrokenPipeError):
                self._in.write(f"{json.dumps((number, *astuple(order)))}\n".encode())
                self._in.flush()
        return answer

    def kill(self) -> None:
        """`kill -9`; what it had said by then is read to the end."""
        self._program.send_signal(signal.SIGKILL)
        self._program.wait()
        self._reader.join()
        with suppress(BrokenPipeError):
            self._in.close()

    def close(self) -> None:
        """Ends after what it was asked."""
        with self._lock, suppress(BrokenPipeError):
            self._in.close()
        try:
            self._program.wait(ends_within_s)
        finally:
            self._program.kill()
            self._program.wait()
            self._reader.join()

    def _read(self) -> None:
        assert self._program.stdout is not None
        with self._program.stdout as said:
            for line in said:
                number, *told = json.loads(line)
                if number == "ready":
                    self._ready.set()
                    continue
                with self._lock:
                    waiting = self._open.pop(number)
                waiting.set_result(Told(*told))
        with self._lock:
            self._dead = True
            unanswered = list(self._open.values())
        for each in unanswered:
            each.set_result(None)

    @property
    def _in(self) -> IO[bytes]:
        assert self._program.stdin is not None
        return self._program.stdin


class Desk:
    """Clerks of one database. A caller gets any of them."""

    def __init__(self, clerks: Sequence[Clerk], url: str, said: Path) -> None:
        self._clerks = list(clerks)
        self._url = url
        self._said = said

    def any(self, random: Random) -> Clerk:
        return random.choice(self._clerks)

    def wait_ready(self) -> None:
        for clerk in self._clerks:
            clerk.wait_ready()

    def replace(self, index: int) -> None:
        """Kills one, and puts a new one in its place."""
        self._clerks[index].kill()
        self._clerks[index] = new = Clerk(self._url, self._said)
        new.wait_ready()

    def close(self) -> None:
        with ExitStack() as stack:
            for clerk in self._clerks:
                stack.callback(clerk.close)


@contextmanager
def desk(url: str, folder: Path, *, clerks: int) -> Iterator[Desk]:
    said = folder / "clerks.said"
    it = Desk([Clerk(url, said) for _ in range(clerks)], url, said)
    try:
        it.wait_ready()
        yield it
    finally:
        it.close()
