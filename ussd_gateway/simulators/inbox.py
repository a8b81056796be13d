"""The phones' inboxes, and the callbacks that are still owed, in one small SQLite file.

It outlives the program: a restarted demo shows the same messages, sends the callbacks that it
had not sent, and knows what it was asked before. Nothing of a USSD session is ever written.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ussd_gateway.domain.msisdn import Msisdn

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,
    provider_id TEXT NOT NULL UNIQUE,
    msisdn TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    received_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_msisdn ON message (msisdn, id);
CREATE TABLE IF NOT EXISTS callback (
    id INTEGER PRIMARY KEY,
    about TEXT NOT NULL,
    form TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_s REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_s, id);
CREATE TABLE IF NOT EXISTS asked (
    name TEXT PRIMARY KEY,
    forgotten_s REAL NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Message:
    provider_id: str
    msisdn: Msisdn
    sender: str
    text: str
    received_at: datetime
    row: int = 0  # 0 until it is kept; later messages have higher ones


@dataclass(frozen=True, slots=True)
class Callback:
    """A form that is owed to the gateway; `about` says to which of its URLs: `sms` or
    `airtime`."""

    about: str
    form: Mapping[str, str]
    due_at: datetime
    tries: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Once:
    """The names under which a request may come once only, until it is forgotten."""

    names: Sequence[str]
    now: datetime
    forgotten_at: datetime


class Inbox:
    """One connection, shared by the threads of one process. Several processes may read.

    `openings` counts how often the file was opened, so that two runs on it differ."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        (opened,) = self._db.execute("PRAGMA user_version").fetchone()
        self.openings = int(opened) + 1
        self._db.execute(f"PRAGMA user_version = {self.openings}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def take(
        self,
        messages: Sequence[Message],
        callbacks: Sequence[Callback],
        once: Once | None = None,
    ) -> bool:
        """What a request brings: messages for the phones, and the callbacks owed for it. False,
        and nothing is taken, where it is a repeat of what is `once` only."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                if once is not None and self._is_repeat(once):
                    return False
                self._db.executemany(
                    "INSERT INTO message (provider_id, msisdn, sender, text, received_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    [
                        (m.provider_id, m.msisdn, m.sender, m.text, m.received_at.isoformat())
                        for m in messages
                    ],
                )
                self._db.executemany(
                    "INSERT INTO callback (about, form, due_s) VALUES (?, ?, ?)",
                    [(c.about, json.dumps(dict(c.form)), _s(c.due_at)) for c in callbacks],
                )
                return True

    def messages(self, msisdn: Msisdn) -> list[Message]:
        """Of one phone, oldest first."""
        rows = self._rows(
            "SELECT provider_id, msisdn, sender, text, received_at, id FROM message"
            " WHERE msisdn = ? ORDER BY id",
            (msisdn,),
        )
        return [_message(row) for row in rows]

    def newest(self, msisdn: Msisdn, count_max: int) -> list[Message]:
        """Of one phone, newest first."""
        rows = self._rows(
            "SELECT provider_id, msisdn, sender, text, received_at, id FROM message"
            " WHERE msisdn = ? ORDER BY id DESC LIMIT ?",
            (msisdn, count_max),
        )
        return [_message(row) for row in rows]

    def due(self, now: datetime, count_max: int) -> list[Callback]:
        """The callbacks to send now, in the order in which they fell due."""
        rows = self._rows(
            "SELECT about, form, due_s, tries, id FROM callback"
            " WHERE due_s <= ? ORDER BY due_s, id LIMIT ?",
            (_s(now), count_max),
        )
        return [
            Callback(about, json.loads(form), _at(due_s), tries, row)
            for about, form, due_s, tries, row in rows
        ]

    def postpone(self, callback: Callback, due_at: datetime) -> None:
        """It was tried and not taken."""
        self._rows(
            "UPDATE callback SET tries = tries + 1, due_s = ? WHERE id = ?",
            (_s(due_at), callback.row),
        )

    def settle(self, callback: Callback) -> None:
        """It was taken, or given up: it is owed no more."""
        self._rows("DELETE FROM callback WHERE id = ?", (callback.row,))

    def _is_repeat(self, once: Once) -> bool:
        """Whether one of its names is known; where none is, they are from now on."""
        self._db.execute("DELETE FROM asked WHERE forgotten_s <= ?", (_s(once.now),))
        names = json.dumps(list(once.names))
        (known,) = self._db.execute(
            "SELECT count(*) FROM asked WHERE name IN (SELECT value FROM json_each(?))",
            (names,),
        ).fetchone()
        if known:
            return True
        self._db.execute(
            "INSERT OR IGNORE INTO asked SELECT value, ? FROM json_each(?)",
            (_s(once.forgotten_at), names),
        )
        return False

    def _rows(self, sql: str, values: tuple[str | int | float, ...]) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


def _message(row: sqlite3.Row) -> Message:
    provider_id, msisdn, sender, text, received_at, number = row
    return Message(
        provider_id, msisdn, sender, text, datetime.fromisoformat(received_at), row=number
    )


def _s(moment: datetime) -> float:
    return moment.timestamp()


def _at(due_s: float) -> datetime:
    return datetime.fromtimestamp(due_s, UTC)
