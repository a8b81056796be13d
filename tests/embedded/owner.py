"""A program that owns processes: tests start it, kill it, and look what is left.

    python -m tests.embedded.owner valkey|postgres FOLDER
    python -m tests.embedded.owner supervisor|shell FOLDER FIRST [PART ...]

FIRST and each PART are Python that runs in a process of its own, with `folder` at hand.
"""

import subprocess
import sys
import time
from pathlib import Path

from ussd_gateway.embedded import Part, Supervisor, Valkey, owned
from ussd_gateway.embedded.postgres import Postgres

UNREADY = "unready"  # while the folder holds this file, the parts are not ready

# What a part's program begins with. It asks for the same signals as a real one.
PRELUDE = """
import multiprocessing, os, pathlib, signal, sys, time
from ussd_gateway.embedded import die_with_parent
folder = pathlib.Path(sys.argv[1])
def sleep():
    time.sleep(120)
def orphan_free():
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleep()
def family():
    context = multiprocessing.get_context("fork")
    [context.Process(target=orphan_free).start() for _ in range(2)]
    sleep()
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "stubborn").touch()
    sleep()
def chatter():
    for _ in range(100):
        print("x" * 100_000, flush=True)
    sleep()
"""


def main() -> None:
    what, folder, *sources = sys.argv[1:]
    match what:
        case "valkey":
            with Valkey(Path(folder)):
                print("up", flush=True)
                time.sleep(120)
        case "postgres":
            with Postgres() as server:
                print(server.folder, flush=True)
                time.sleep(120)
        case "supervisor":
            sys.exit(_supervise(Path(folder), sources))
        case "shell":
            # As make does: it waits for a supervisor, and says who it is.
            command = [sys.executable, "-m", __spec__.name, "supervisor", folder, *sources]
            subprocess.run(command, check=False)


def _supervise(folder: Path, sources: list[str]) -> int:
    def part(name: str, source: str) -> Part:
        return Part(name, (sys.executable, "-c", f"{PRELUDE}\n{source}", str(folder)))

    with owned(folder):
        supervisor = Supervisor(
            folder / "logs",
            say=lambda line: print(line, flush=True),
            ready=lambda: not (folder / UNREADY).exists(),
            announce=lambda: print("ready", flush=True),
        )
        first, *others = sources
        return supervisor.run(
            [part(f"part{number}", source) for number, source in enumerate(others, start=1)],
            first=part("first", first),
        )


if __name__ == "__main__":
    main()
