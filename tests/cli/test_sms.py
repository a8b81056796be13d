"""SMS that failed or that nobody knows of, sent again by an operator."""

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.typed import run


@pytest.fixture
def books(written: Path, tmp_path: Path) -> Mapping[str, str]:
    """An outbox in which all have arrived, as of now."""
    shutil.copy(written / "gateway.sqlite", tmp_path)
    change(
        tmp_path,
        "UPDATE outbox SET state = 'delivered', provider = 'africastalking', unknowns = 0,"
        " event_at_ms = unixepoch() * 1000 - 60000, sent_at_ms = unixepoch() * 1000 - 59000,"
        " delivered_at_ms = unixepoch() * 1000 - 50000",
    )
    return {"DATA_DIR": str(tmp_path)}


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "gateway.sqlite")) as db, db:
        for statement in statements:
            db.execute(statement)


def one(folder: Path, sql: str) -> str:
    with closing(sqlite3.connect(folder / "gateway.sqlite")) as db:
        return str(db.execute(sql).fetchone()[0])


SENT = "FROM outbox WHERE template = 'sent' ORDER BY id LIMIT 1"
RECEIPT = f"SELECT params ->> 'receipt' {SENT}"


def test_of_a_payment_only_what_failed_is_sent_again(
    tmp_path: Path, books: Mapping[str, str]
) -> None:
    change(
        tmp_path,
        f"UPDATE outbox SET state = 'failed', detail = 'blocked' WHERE id = (SELECT id {SENT})",
    )
    done = run("sms", "resend", one(tmp_path, RECEIPT).lower(), **books)

    assert done.returncode == 0, done.stderr
    *told, last = done.stdout.splitlines()
    assert "was failed (blocked), is sent again" in told[0]
    assert [line for line in told[1:] if "was delivered, is left as it is" in line] == told[1:]
    assert last == f"1 of {len(told)} are sent again."
    assert one(tmp_path, f"SELECT state {SENT}") == "due"
    assert "+254711" not in done.stdout


def test_all_of_a_kind_are_sent_again(tmp_path: Path, books: Mapping[str, str]) -> None:
    change(
        tmp_path,
        "UPDATE outbox SET state = 'failed' WHERE id <= 3",
        "UPDATE outbox SET state = 'unknown', unknowns = 2, next_at_ms = 0 WHERE id = 4",
        "UPDATE outbox SET state = 'unknown', unknowns = 1, next_at_ms = 9 WHERE id = 5",
    )
    assert run("sms", "resend", "--unknown", **books).stdout == "1 of 1 are sent again.\n"
    assert run("sms", "resend", "--failed", **books).stdout == "3 of 3 are sent again.\n"
    assert run("sms", "resend", "--failed", **books).stdout == "0 of 0 are sent again.\n"


@pytest.mark.parametrize(
    "words", [(), ("UDP2KW5VQP", "--failed"), ("UDP2KW5VQP", "--template", "sent")]
)
def test_what_to_send_again_is_said_in_one_way(
    books: Mapping[str, str], words: tuple[str, ...]
) -> None:
    done = run("sms", "resend", *words, **books)

    assert (done.returncode, done.stderr) == (
        2,
        "Give receipts; or --failed, --unknown or both\n",
    )


@pytest.mark.parametrize(
    ("receipt", "why"),
    [
        ("UDP2KW5VQQ", "not a receipt: read it again"),
        ("UDPX4YWUVW", "no SMS of such a payment"),
    ],
)
def test_a_receipt_that_leads_nowhere_is_told(
    books: Mapping[str, str], receipt: str, why: str
) -> None:
    done = run("sms", "resend", receipt, **books)

    assert (done.returncode, done.stderr) == (1, f"{receipt}: {why}\n")


def test_the_backlog_tells_what_cannot_be_written(
    tmp_path: Path, books: Mapping[str, str]
) -> None:
    change(
        tmp_path,
        "UPDATE outbox SET state = 'due', next_at_ms = 9, detail = 'it could not be written'"
        f" WHERE id = (SELECT id {SENT})",
    )
    assert "\nsent: 1 cannot be written.\n" in run("sms", "backlog", **books).stdout
    told = json.loads(run("sms", "backlog", "--json", **books).stdout)
    assert told["unwritten"] == {"sent": 1}


def test_the_backlog_tells_how_late_sms_were(books: Mapping[str, str]) -> None:
    lags = json.loads(run("sms", "backlog", "--json", **books).stdout)["lags"]
    sent = [lag["seconds"] for lag in lags if lag["template"] == "sent"]

    assert sent == [
        {"0.5": 10.0, "0.95": 10.0, "0.99": 10.0},
        {"0.5": 1.0, "0.95": 1.0, "0.99": 1.0},
    ]
    shown = run("sms", "backlog", **books).stdout.splitlines()
    assert shown[-1].startswith("provider  africastalking")
    assert shown[-1].split()[-3:] == ["1.0", "1.0", "1.0"]
