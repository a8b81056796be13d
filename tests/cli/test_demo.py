"""`make run` without make: the whole demo, for real, and what is left of it afterwards."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import requests

from tests.embedded.processes import eventually, running

up_within_s = 60.0
gone_within_s = 3.0


class Demo(NamedTuple):
    program: subprocess.Popen[str]
    folder: Path
    port: int
    sim_port: int

    def answers(self, path: str = "/readyz") -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=2).ok
        except requests.RequestException:
            return False

    def part(self, *words: str) -> list[int]:
        """Ids of the processes of one part."""
        wanted = "\0".join(words).encode()
        found = []
        for pid in running(self.folder):
            with suppress(OSError):
                if wanted in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def said_until(self, word: str) -> str:
        assert self.program.stdout is not None
        lines = []
        for line in self.program.stdout:
            lines.append(line)
            if word in line:
                break
        return "".join(lines)


def free_ports() -> tuple[int, int]:
    anywhere = ("127.0.0.1", 0)
    with socket.create_server(anywhere) as one, socket.create_server(anywhere) as other:
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    port, sim_port = free_ports()
    environ = {"DATA_DIR": str(folder), "PORT": str(port), "SIM_PORT": str(sim_port)}
    program = subprocess.Popen(
        [sys.executable, "-m", "ussd_gateway", "demo"],
        env={"PATH": os.environ["PATH"], "COLUMNS": "120", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with program:
            yield Demo(program, folder, port, sim_port)
            program.kill()
    finally:
        for left in running(folder):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def test_the_demo_comes_up_heals_and_ends(tmp_path: Path) -> None:
    with demo(tmp_path) as it:
        banner = it.said_until("Ctrl-C ends all of it")
        assert "everything is up" in banner
        assert f"http://127.0.0.1:{it.sim_port}/" in banner
        assert f"http://127.0.0.1:{it.port}/ussd/africastalking/dev" in banner
        assert it.answers("/healthz")
        assert it.answers("/metrics")

        # The server's first process, which the others would outlive, holding its port.
        (web, *_) = it.part("ussd_gateway", "serve")
        os.kill(web, signal.SIGKILL)
        assert "web ended (killed by SIGKILL)" in it.said_until("starting it again")
        (valkey,) = it.part(str(tmp_path / "valkey.sock"))
        os.kill(valkey, signal.SIGKILL)
        assert "valkey ended (killed by SIGKILL)" in it.said_until("starting it again")
        assert eventually(it.answers)

        it.program.send_signal(signal.SIGINT)
        assert it.program.wait(10) == 0
        assert running(tmp_path) == []


def test_a_killed_demo_leaves_no_process_and_starts_again(tmp_path: Path) -> None:
    with demo(tmp_path) as it:
        it.said_until("Ctrl-C ends all of it")
        assert len(running(tmp_path)) > 6

        it.program.kill()

        assert eventually(lambda: not running(tmp_path), within_s=gone_within_s)
    with demo(tmp_path) as it:
        assert "everything is up" in it.said_until("Ctrl-C ends all of it")
