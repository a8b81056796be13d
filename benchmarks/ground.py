"""What the benchmarks stand on: real servers and the two floors, on one disk.

Each server starts when it is first asked for, and all end with the ground, by id. Should the
benchmarks be killed, the kernel ends the servers.
"""

import http.client
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from benchmarks import machine
from benchmarks.load import Answered, Load, drive
from ussd_gateway.embedded import Part, Valkey
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.embedded.processes import kill_group, spawn, stop, wait_until
from ussd_gateway.settings import Settings, load

pgbench_s = 20
pgbench_scale = 50
pgbench_init_s_max = 120
server_start_s = 30.0
noop_requests = 6_000

PATH = "/ussd/africastalking/dev"


@dataclass(frozen=True, slots=True)
class Server:
    """A program that answers on `port`; `pid` is the root of its processes."""

    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load, and the CPU that each program spent on it, by the program's name."""

    answered: Answered
    cpu_s: Mapping[str, float]


class Ground(AbstractContextManager["Ground"]):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    @cached_property
    def valkey(self) -> Valkey:
        folder = self.folder / "valkey"
        folder.mkdir()
        return self._stack.enter_context(Valkey(folder))

    @cached_property
    def postgres(self) -> Postgres:
        return self._stack.enter_context(Postgres())

    @cached_property
    def noop(self) -> Server:
        port = free_port()
        return self.server("noop", ("benchmarks.noop", str(port)), port, {})

    # --- the floors

    def pgbench_tps(self) -> float:
        """One run of pgbench's tpcb-like, on the server that serves the gateway."""
        argv = ("-c", "8", "-j", "2", "-T", str(pgbench_s), self._pgbench_url)
        found = re.search(r"tps = ([0-9.]+)", self._pgbench(argv, pgbench_s + server_start_s))
        assert found is not None, "pgbench has printed something new"
        return float(found[1])

    @cached_property
    def _pgbench_url(self) -> str:
        url = self.postgres.create_database()
        with psycopg.connect(url, autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                row = connection.execute(f"SHOW {name}").fetchone()
                assert row == ("on",), f"{name} is {row}: the floor would be another"
            self._pgbench(("-i", "-q", "-s", str(pgbench_scale), url), pgbench_init_s_max)
            connection.execute("CHECKPOINT")
        return url

    def _pgbench(self, argv: tuple[str, ...], within_s: float) -> str:
        program = subprocess.Popen(
            [str(self.postgres.binaries / "pgbench"), *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            said, _ = program.communicate(timeout=within_s)
        finally:
            kill_group(program)
        assert program.returncode == 0, said
        return said.decode()

    def noop_load(self) -> Loaded:
        """One run of the no-op hop, with the octets of a read hop."""
        body = "sessionId=ATUid_0&phoneNumber=%2B254711100000&networkCode=63902&text=1"
        body += "&serviceCode=%2A384%23"
        journeys = [[body]] * noop_requests
        return self.load(self.noop, Load(self.noop.port, PATH, journeys, ["CON "]), {})

    # --- the gateway

    def gateway_settings(self, name: str, **given: str) -> Mapping[str, str]:
        """The environment of a gateway in its own folder; all that is not given is unset."""
        folder = self.folder / name
        folder.mkdir()
        port = {"PORT": str(free_port()), "SIM_PORT": str(free_port())}
        unset = {each.upper(): "" for each in Settings.model_fields}
        return {**unset, "DATA_DIR": str(folder), **port, **given}

    def gateway(self, name: str, environ: Mapping[str, str]) -> Server:
        """`ussd-gateway serve`, on a database that is ready."""
        port = load(environ).port
        return self.server(name, ("ussd_gateway", "serve"), port, environ)

    def server(
        self, name: str, command: tuple[str, ...], port: int, environ: Mapping[str, str]
    ) -> Server:
        log = self.folder / f"{name}.log"
        process = spawn(Part(name, (sys.executable, "-m", *command), env=environ), log)
        self._stack.callback(stop, [process])
        wait_until(lambda: _ready(port), process, log, within_s=server_start_s)
        return Server(process.pid, port)

    def load(self, server: Server, asked: Load, beside: Mapping[str, int]) -> Loaded:
        """Drives the server; `beside`: the ids of the programs that work for it."""
        pids = {"server": server.pid, **beside}
        before = {name: machine.cpu_s(pid) for name, pid in pids.items()}
        answered = drive(asked)
        spent = {name: machine.cpu_s(pid) - before[name] for name, pid in pids.items()}
        return Loaded(answered, spent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
