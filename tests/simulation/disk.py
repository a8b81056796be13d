"""A disk that fails as a seed says: SQLite's own errors at any statement, a COMMIT whose answer
is lost, and a program that is killed there.

Errors are raised by the connection itself, so that the ledger meets them where it would.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

# Full, locked, or not to be read: nothing of the statement is kept.
_ERRORS = (
    (sqlite3.OperationalError, sqlite3.SQLITE_FULL, "database or disk is full"),
    (sqlite3.OperationalError, sqlite3.SQLITE_IOERR, "disk I/O error"),
    (sqlite3.OperationalError, sqlite3.SQLITE_BUSY, "database is locked"),
    (sqlite3.DatabaseError, sqlite3.SQLITE_NOTADB, "file is not a database"),
)
_UNANSWERED = (sqlite3.OperationalError, sqlite3.SQLITE_IOERR, "disk I/O error")


class Died(BaseException):
    """The program was killed here."""


@dataclass(frozen=True, slots=True)
class Mood:
    """How likely a statement fails, a COMMIT is kept and not answered, and all is killed.
    `then`: what comes of it when a COMMIT was not answered."""

    fails: float = 0.0
    unanswered: float = 0.0
    kills: float = 0.0
    then: "Mood | None" = None


CALM = Mood()
ROUGH = Mood(fails=0.03, unanswered=0.08, kills=0.002)
BROKEN = Mood(fails=0.7, unanswered=0.3)
DEAD = Mood(fails=1.0)
DYING = Mood(unanswered=0.4, then=DEAD)
MOODS = (CALM, CALM, ROUGH, ROUGH, BROKEN, DYING)


class Disk:
    """One program's, while it lives."""

    def __init__(self, random: Random) -> None:
        self.mood = CALM
        self._random = random

    def before(self, statement: str) -> None:
        drawn = self._random.random()
        if drawn < self.mood.kills:
            raise Died(f"before {statement[:6]}")
        if drawn < self.mood.kills + self.mood.fails:
            raise _error(*self._random.choice(_ERRORS))

    def after_commit(self) -> None:
        drawn = self._random.random()
        if drawn < 10 * self.mood.kills:
            raise Died("after COMMIT")
        if drawn < 10 * self.mood.kills + self.mood.unanswered:
            self.mood = self.mood.then or self.mood
            raise _error(*_UNANSWERED)

    def serves(self, engine: Engine) -> Engine:
        """From now on each connection of the engine is on this disk."""

        def connect(_dialect: Any, _record: Any, _words: Any, named: dict[str, Any]) -> None:
            named["factory"] = partial(_Connection, disk=self)

        event.listen(engine, "do_connect", connect)
        return engine


class _Connection(sqlite3.Connection):
    def __init__(self, *words: Any, disk: Disk, **named: Any) -> None:
        super().__init__(*words, **named)
        self._disk = disk
        self._cursors: WeakSet[_Cursor] = WeakSet()

    def cursor(self, _factory: Any = None) -> Any:
        found = super().cursor(_Cursor)
        found.disk = self._disk
        self._cursors.add(found)
        return found

    def close(self) -> None:
        """Now, and not when the last cursor that was left in the middle is collected: the next
        run begins with another file of the same name."""
        for cursor in tuple(self._cursors):
            cursor.close()
        super().close()

    def commit(self) -> None:
        if not self.in_transaction:
            return
        self._disk.before("COMMIT")
        super().commit()
        self._disk.after_commit()


class _Cursor(sqlite3.Cursor):
    disk: Disk

    def execute(self, statement: str, values: Any = ()) -> "_Cursor":
        if statement.startswith("PRAGMA"):
            super().execute(statement, values)
            return self
        self.disk.before(statement)
        super().execute(statement, values)
        if statement == "COMMIT":
            self.disk.after_commit()
        return self

    def executemany(self, statement: str, values: Iterable[Any]) -> "_Cursor":
        self.disk.before(statement)
        super().executemany(statement, values)
        return self


def _error(kind: type[sqlite3.DatabaseError], code: int, text: str) -> sqlite3.DatabaseError:
    error = kind(text)
    error.sqlite_errorcode = code
    return error
