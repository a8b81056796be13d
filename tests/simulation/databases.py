"""Books that a run may do with as it likes: copies of some that are made once, one at a time.

Of SQLite they stand in memory (a tmpfs), where the machine has one: what is tried here is what
the books say, and not what a disk keeps.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from sqlalchemy import Engine

from tests.simulation.disk import Disk
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store.database import connect
from ussd_gateway.store.migrate import upgrade

_MEMORY = Path("/dev/shm")

# Gives new books; the ones before are gone by then.
Databases = Callable[[], Engine]
Made = Callable[[str], None]


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for a while."""
    here = _MEMORY if _MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="simulated-", dir=here) as path:
        yield Path(path)


def empty_books(url: str) -> None:
    """The newest schema, and nobody in it."""
    engine = connect(url)
    upgrade(engine)
    engine.dispose()


class SqliteFile:
    """One file, which is put back to what `make` made of it. Always at the same path, as a
    program keeps the lock of every file that it ever wrote to."""

    def __init__(self, folder: Path, make: Made) -> None:
        self.path = folder / "books.sqlite"
        self.url = f"sqlite:///{self.path}"
        self._template = folder / "template.sqlite"
        make(f"sqlite:///{self._template}")

    def renew(self) -> None:
        for behind in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + behind).unlink()
        shutil.copy(self._template, self.path)

    def __call__(self) -> Engine:
        """On a disk that is calm: what is closed there is closed at once."""
        self.renew()
        return Disk(Random(0)).serves(connect(self.url))


class PostgresDatabase:
    """A copy of one database of a server, which is dropped when the next is asked for."""

    def __init__(self, server: Postgres, make: Made) -> None:
        self._server = server
        url = server.create_database()
        make(url)
        self._template = _name(url)
        self._last = ""

    def __call__(self) -> Engine:
        if self._last:
            self._server.drop_database(self._last)
        self._last = self._server.create_database(template=self._template)
        return connect(self._last)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
