"""What runs on this machine, seen from outside: by the folder in a process's command line or
environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

patience_s = 20.0


def running(folder: Path) -> list[int]:
    """Ids of the processes, zombies aside, that were started for `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if str(folder).encode() in words and state != "Z":
                found.append(int(process.name))
    return found


def eventually(claim: Callable[[], bool], *, within_s: float = patience_s) -> bool:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def owner(what: str, folder: Path, *sources: str) -> Iterator["Owner"]:
    """The program in owner.py. However the test ends, nothing of it is left."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.embedded.owner", what, str(folder), *sources],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with program:
            yield Owner(program, folder)
            program.kill()
    finally:
        for left in running(folder):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


class Owner:
    def __init__(self, program: subprocess.Popen[str], folder: Path) -> None:
        self.pid = program.pid
        self.folder = folder
        self._program = program

    def said(self) -> str:
        """Its next line."""
        assert self._program.stdout is not None
        return self._program.stdout.readline().rstrip("\n")

    def said_until(self, word: str) -> list[str]:
        """Its next lines, up to one with `word` in it, or to its end."""
        lines = []
        while line := self.said():
            lines.append(line)
            if word in line:
                break
        return lines

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> int:
        return self._program.wait(patience_s)

    def children(self) -> list[int]:
        return [pid for pid in running(self.folder) if pid != self.pid]
