"""Connections: one engine a process, and what each database needs to keep its word.

SQLite runs in WAL with synchronous=FULL, so that a commit is on the disk when it is answered.
Every transaction that writes takes a file lock around BEGIN IMMEDIATE ... COMMIT: SQLite's own
waiting sleeps and retries, and lets a third process starve. PostgreSQL needs no such thing; its
connections carry time-outs, so that no lost peer holds a row for ever.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

SQLITE_BUSY_S = 5
LOCK_TIMEOUT_MS = 3_000
STATEMENT_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
POOL_SIZE = 20
POOL_TIMEOUT_S = 3


def connect(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...`; it connects on first use."""
    return _engine(url, pool_pre_ping=True)


def connect_to_look(url: str) -> Engine:
    """For single statements that only read: nothing is begun before one or undone behind it,
    and nobody asks first whether the connection is still there."""
    return _engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def _engine(url: str, **pool: Any) -> Engine:
    # An error's text goes to the log; what people own and are called does not.
    pool["hide_parameters"] = True
    if url.startswith("sqlite"):
        path = Path(make_url(url).database or "")
        if _is_kept(path):
            return create_engine(url, creator=lambda: _look_at(path), **pool)
        engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_S}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine

    options = (
        f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    )
    return create_engine(
        url,
        connect_args={"options": options},
        pool_size=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT_S,
        **pool,
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back on any error."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return

        with sqlite_lock(engine), connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Single statements, each for itself: no transaction is opened or ended around them."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


class FileLock:
    """One writer at a time, among threads and processes, on one SQLite file."""

    def __init__(self, path: str) -> None:
        self._threads = threading.Lock()
        kept = _is_kept(Path(path))
        access = os.O_RDONLY if kept else os.O_RDWR | os.O_CREAT
        self._file = os.open(path, access | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        self._threads.acquire()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


_locks: dict[str, FileLock] = {}
_locks_guard = threading.Lock()


def sqlite_lock(engine: Engine) -> FileLock:
    """The lock of the engine's file; one object a process, since a flock is a process's own."""
    # Where none can be made beside it, nothing can be written either, as SQLite will say.
    path = str(engine.url.database)
    path = path if _is_kept(Path(path)) else f"{path}.lock"
    with _locks_guard:
        if path not in _locks:
            _locks[path] = FileLock(path)
        return _locks[path]


def _is_kept(path: Path) -> bool:
    """Whether a file is there and nothing can be written in its place: a copy that is kept."""
    return path.is_file() and not all(os.access(each, os.W_OK) for each in (path, path.parent))


def _look_at(path: Path) -> sqlite3.Connection:
    """SQLite would make files beside one in WAL even to read it. Where a log lies there, what
    is in it counts, and the files must be there already; else nothing but the file does."""
    logged = path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if logged else '&immutable=1'}"
    return sqlite3.connect(
        uri, uri=True, timeout=SQLITE_BUSY_S, check_same_thread=False, isolation_level=None
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by us, explicitly: the driver's own BEGIN is deferred.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # Or REPLACE would delete rows that never change, and no trigger be asked.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
