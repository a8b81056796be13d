"""The phones' inboxes, and the delivery reports still owed for them, in one small SQLite file.

It outlives the program: a restarted demo shows the same messages and sends the reports that it
had not sent. SMS only; nothing of a USSD session is ever written.
"""

import sqlite3
import threading
from collections.abc import Sequence
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
CREATE TABLE IF NOT EXISTS report (
    id INTEGER PRIMARY KEY,
    provider_id TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    status TEXT NOT NULL,
    failure_reason TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_s REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS report_due ON report (due_s, id);
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
class Report:
    """A delivery report that is owed. `failure_reason` is empty where there is none."""

    provider_id: str
    msisdn: Msisdn
    status: str
    failure_reason: str
    due_at: datetime
    tries: int = 0
    row: int = 0


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

    def take(self, messages: Sequence[Message], reports: Sequence[Report]) -> None:
        """What a request to send brings: messages for the phones, and the reports they need."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                self._db.executemany(
                    "INSERT INTO message (provider_id, msisdn, sender, text, received_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    [
                        (m.provider_id, m.msisdn, m.sender, m.text, m.received_at.isoformat())
                        for m in messages
                    ],
                )
                self._db.executemany(
                    "INSERT INTO report (provider_id, msisdn, status, failure_reason, due_s)"
                    " VALUES (?, ?, ?, ?, ?)",
                    [
                        (r.provider_id, r.msisdn, r.status, r.failure_reason, _s(r.due_at))
                        for r in reports
                    ],
                )

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

    def due(self, now: datetime, count_max: int) -> list[Report]:
        """The reports to send now, in the order in which they fell due."""
        rows = self._rows(
            "SELECT provider_id, msisdn, status, failure_reason, due_s, tries, id FROM report"
            " WHERE due_s <= ? ORDER BY due_s, id LIMIT ?",
            (_s(now), count_max),
        )
        return [
            Report(provider_id, msisdn, status, reason, _at(due_s), tries, row)
            for provider_id, msisdn, status, reason, due_s, tries, row in rows
        ]

    def postpone(self, report: Report, due_at: datetime) -> None:
        """It was tried and not taken."""
        self._rows(
            "UPDATE report SET tries = tries + 1, due_s = ? WHERE id = ?",
            (_s(due_at), report.row),
        )

    def settle(self, report: Report) -> None:
        """It was taken, or given up: it is owed no more."""
        self._rows("DELETE FROM report WHERE id = ?", (report.row,))

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
