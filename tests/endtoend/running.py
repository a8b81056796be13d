"""The whole gateway in real processes, as `make run` starts it, to be used and to be killed.

supervisor -- valkey, web -- two server processes, worker, relay, scheduler, simulator
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.embedded.processes import running
from ussd_gateway import settings
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.handset import local_http

up_within_s = 60.0
ask_s = 2.0
command_s = 60.0
poll_s = 0.05

# A part's command, as the supervisor starts it; None: the server of its own, Valkey.
PARTS = ("web", "worker", "relay", "scheduler", "simulator", "valkey")
_COMMANDS = {"web": "serve", "valkey": "valkey"}


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    words: str  # its command line


class Gateway:
    """The running demo of one DATA_DIR."""

    def __init__(
        self, program: subprocess.Popen[bytes], environ: Mapping[str, str], said: Path
    ) -> None:
        self.pid = program.pid
        self.settings: Settings = settings.load(environ)
        self.callback_url = (
            f"http://127.0.0.1:{self.settings.port}/ussd/africastalking/"
            f"{self.settings.callback_tokens[0]}"
        )
        self._environ = environ
        self._said = said
        self._http = local_http()

    def ready(self) -> bool:
        """Calls can be answered, and SMS be sent."""
        gateway = f"http://127.0.0.1:{self.settings.port}/readyz"
        simulator = f"http://127.0.0.1:{self.settings.sim_port}/"
        return self._answers(gateway) and self._answers(simulator)

    def wait_ready(self, within_s: float = up_within_s) -> float:
        """How long it took. The text of what the demo said is in the failure."""
        started = time.monotonic()
        if not eventually(self.ready, within_s=within_s):
            raise AssertionError(f"not ready in {within_s:g} s\n{self._said.read_text()}")
        return time.monotonic() - started

    def messages(self, msisdn: str) -> list[dict[str, str]]:
        """What the phone got, oldest first."""
        url = f"http://127.0.0.1:{self.settings.sim_port}/phones/{msisdn}/messages"
        found: list[dict[str, str]] = self._http.get(url, timeout=command_s).json()
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`ussd-gateway WORDS` in the same environment."""
        return subprocess.run(
            [sys.executable, "-m", "ussd_gateway", *words],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=command_s,
            check=False,
        )

    def balance(self, account: str) -> str:
        """`4493.00`."""
        answer = self.command("ledger", "balance", account, "--json")
        found: dict[str, Any] = json.loads(answer.stdout)
        return str(found["balance"])

    def part(self, name: str) -> int | None:
        """The first process of a part; None while it is down."""
        command = _COMMANDS.get(name, name)
        for process in children(self.pid):
            if command in process.words.rpartition("ussd_gateway")[2].split():
                return process.pid
            if name == "valkey" and "valkey-server" in process.words:
                return process.pid
        return None

    def family(self, name: str) -> list[int]:
        """A part's first process and those that it made itself; none while it is down."""
        first = self.part(name)
        if first is None:
            return []
        return [
            first,
            *(one.pid for one in children(first) if "resource_tracker" not in one.words),
        ]

    def servers(self) -> list[int]:
        """The processes that answer callbacks."""
        return self.family("web")[1:]

    def kill(self, name: str) -> bool:
        """`kill -9` of a part's first process; False where it is down already."""
        return kill(self.part(name))

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url, timeout=ask_s).ok
        except requests.RequestException:
            return False


@contextmanager
def gateway(folder: Path, **environ: str) -> Iterator[Gateway]:
    """The demo on free ports, with its files in `folder`; ready, and gone at the end. No other
    process has the folder's name in its command line."""
    with ports_held() as (port, sim_port):
        given = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "PORT": str(port),
            "SIM_PORT": str(sim_port),
            **environ,
        }
    folder.mkdir(parents=True, exist_ok=True)
    said = folder.with_name(f"{folder.name}.said")
    with said.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, "-m", "ussd_gateway", "demo"],
            env=given,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        it = Gateway(program, given, said)
        it.wait_ready()
        yield it
    finally:
        program.kill()
        program.wait()
        for left in running(folder):
            kill(left)


@contextmanager
def ports_held() -> Iterator[tuple[int, int]]:
    """Two ports that are free, for as long as nobody else takes them."""
    anywhere = ("127.0.0.1", 0)
    with socket.create_server(anywhere) as one, socket.create_server(anywhere) as other:
        yield one.getsockname()[1], other.getsockname()[1]


def children(parent: int) -> list[Process]:
    """Those of a process, zombies aside."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, ppid = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
                found.append(Process(int(folder.name), line.replace("\0", " ").strip()))
    return found


def alive(pid: int) -> bool:
    """Whether there is such a process, a zombie too."""
    return Path(f"/proc/{pid}").exists()


def kill(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def eventually(claim: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True
