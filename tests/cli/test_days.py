"""Statements, closed days and trial balances at the command line."""

import csv
import io
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.office import Office
from tests.cli.typed import run
from tests.store.conftest import SetClock
from tests.store.true_books import write_books
from ussd_gateway.settings import Settings

Environ = dict[str, str]

_NOT_OVER = (
    "2025-11-23 is not over: it can be closed ten minutes after it ends, by this machine's "
    "clock and the database's"
)
DAY = "2025-11-21"  # on which all of the true books happened


@pytest.fixture(scope="module")
def the_23rd(tmp_path_factory: pytest.TempPathFactory) -> Environ:
    """Noon of the day after the next, in Nairobi; no day is closed yet. njeri is signed in."""
    office = Office(tmp_path_factory.mktemp("books"))
    write_books(
        Settings(data_dir=office.folder), SetClock(datetime(2025, 11, 21, 6, 0, tzinfo=UTC))
    )
    office.signs_in("njeri")
    return office.environ | _at(datetime(2025, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="module")
def closed(the_23rd: Environ, tmp_path_factory: pytest.TempPathFactory) -> Environ:
    environ = _copy(the_23rd, tmp_path_factory.mktemp("closed"))
    assert run("ledger", "eod", **environ).returncode == 0
    return environ


def _copy(environ: Environ, folder: Path) -> Environ:
    """To be changed."""
    copied = shutil.copytree(environ["DATA_DIR"], folder / "office")
    return environ | {"DATA_DIR": str(copied)}


def _at(time_of_clock: datetime) -> Environ:
    return {"CLOCK_OFFSET_S": str(int(time_of_clock.timestamp() - time.time()))}


def test_a_statement_is_of_this_month_unless_it_is_told_otherwise(the_23rd: Environ) -> None:
    done = run("ledger", "statement", "0711000001", **the_23rd)

    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:2] == [
        "Amina Wafula +254711000001 2010 customer wallet",
        "2025-11-01 to 2025-11-23, Africa/Nairobi, amounts in KES",
    ]
    assert [line.split(" ", 3)[3] for line in lines[5:9]] == [
        "Opening 5,000.00 5,000.00",
        "Send money Juma Otieno 0711***002 507.00 4,493.00",
        "Send money Juma Otieno 0711***002 150.00 4,643.00",
        "Send money Grace Njoki 0711***003 200.00 4,843.00",
    ]
    assert lines[-1] == "Closing balance 5,350.00 507.00 4,843.00"


def test_a_statement_of_a_period(the_23rd: Environ) -> None:
    period = ("--from", "2025-11-22", "--to", "2025-11-23")
    done = run("ledger", "statement", "0711000001", *period, "--json", **the_23rd)

    found = json.loads(done.stdout)
    assert (found["from"], found["to"], found["entries"]) == ("2025-11-22", "2025-11-23", [])
    assert (found["opening"], found["closing"]) == ("4843.00", "4843.00")


def test_a_statement_as_files(the_23rd: Environ, tmp_path: Path) -> None:
    table, paper = tmp_path / "amina.csv", tmp_path / "amina.pdf"
    files = ("--csv", str(table), "--pdf", str(paper))
    done = run("ledger", "statement", "0711000001", *files, **the_23rd)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
    assert [row["balance"] for row in rows] == [
        *("0.00", "5000.00", "4493.00", "4643.00", "4843.00", "4843.00"),
    ]
    assert paper.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("0711000009",), 1, "No account 0711000009"),
        (("0711000001", "--from", "2026-12-01"), 2, "2026-12-01 is after 2025-11-23"),
        (("0711000001", "--from", "yesterday"), 2, "yesterday"),
    ],
)
def test_a_statement_that_cannot_be_made_says_why(
    the_23rd: Environ, words: tuple[str, ...], code: int, told: str
) -> None:
    done = run("ledger", "statement", *words, **the_23rd)

    assert done.returncode == code
    assert told in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2025-11-23", _NOT_OVER),
        ("2025-11-20", "Nothing was posted on 2025-11-20 or before"),
    ],
)
def test_a_day_that_cannot_be_closed_is_told(the_23rd: Environ, day: str, told: str) -> None:
    done = run("ledger", "eod", "--date", day, **the_23rd)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{told}\n")


def test_days_are_closed_by_the_staff_alone(the_23rd: Environ, tmp_path: Path) -> None:
    environ = _copy(the_23rd, tmp_path)
    assert run("staff", "sign-out", **environ).returncode == 0
    done = run("ledger", "eod", **environ)

    assert (done.returncode, done.stdout) == (1, "")
    assert "sign-in" in done.stderr


def test_a_statement_may_end_on_the_last_of_all_days(the_23rd: Environ) -> None:
    period = ("--from", "2025-11-01", "--to", "9999-12-31")
    done = run("ledger", "statement", "0711000001", *period, "--json", **the_23rd)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["closing"] == "4843.00"


@pytest.mark.parametrize(
    "words",
    [
        ("trial-balance", "--csv"),
        ("statement", "0711000001", "--csv"),
        ("statement", "0711000001", "--pdf"),
    ],
)
def test_a_file_that_cannot_be_written_is_told(
    the_23rd: Environ, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = tmp_path / "none" / "table"
    done = run("ledger", *words, str(path), **the_23rd)

    told = f"{path}: no such file or directory: name a file in a folder that you can write\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


def test_every_day_that_is_over_is_closed_with_what_it_came_to(
    the_23rd: Environ, tmp_path: Path
) -> None:
    environ = _copy(the_23rd, tmp_path)
    first, second = (run("ledger", "eod", **environ) for _ in range(2))

    assert first.returncode == second.returncode == 0
    lines = [" ".join(line.split()) for line in first.stdout.splitlines()]
    assert lines[0] == f"{DAY} is closed: 9 journals, 30 entries, 12 accounts moved"
    assert "2010 customer wallet KES 871.00 126,100.00" in lines
    assert lines[-3:] == [
        "Fees: KES 18.27",
        "Clearing: zero",
        "2025-11-22 is closed: 0 journals, 0 entries, 0 accounts moved",
    ]
    assert second.stdout == "Every day that is over is closed.\n"


def test_a_closed_day_is_told_again(closed: Environ) -> None:
    done = run("ledger", "eod", "--date", DAY, **closed)

    assert done.returncode == 0
    assert done.stdout.startswith(f"{DAY} is closed: 9 journals, 30 entries, 12 accounts")


def test_the_trial_balance_of_a_closed_day(closed: Environ, tmp_path: Path) -> None:
    table = tmp_path / "balance.csv"
    now = run("ledger", "trial-balance", **closed)
    then = run("ledger", "trial-balance", "--date", DAY, **closed)
    as_table = run("ledger", "trial-balance", "--date", DAY, "--csv", str(table), **closed)

    assert then.returncode == as_table.returncode == 0
    assert then.stdout == now.stdout  # nothing moved since
    assert as_table.stdout == ""
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
    wallets = next(row for row in rows if row["code"] == "2010")
    assert wallets == {
        "code": "2010",
        "name": "customer wallet",
        "currency": "KES",
        "debits": "871.00",
        "credits": "126100.00",
        "balance": "125229.00",
    }


def test_the_trial_balance_of_an_open_day_says_how_to_close_it(the_23rd: Environ) -> None:
    done = run("ledger", "trial-balance", "--date", DAY, **the_23rd)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"{DAY} is not closed: run `ussd-gateway ledger eod --date {DAY}`\n")


def test_a_clock_that_was_set_back_behind_a_closed_day_is_told_by_the_doctor(
    closed: Environ,
) -> None:
    back = closed | _at(datetime(2025, 11, 22, 9, 0, tzinfo=UTC))
    sound, told = run("doctor", **closed), run("doctor", **back)

    assert "ok  today     2025-11-23: open for payments" in sound.stdout
    assert told.returncode == 1
    assert "--  today     2025-11-22 by this machine's clock, and closed" in told.stdout
    assert "payments go on by themselves on 2025-11-23" in told.stdout


def test_what_a_command_logs_stands_apart_from_what_it_prints(closed: Environ) -> None:
    """A later day is closed: the ledger refuses, and logs why, with no variables."""
    back = closed | _at(datetime(2025, 11, 20, 6, 0, tzinfo=UTC))
    words = ("ledger", "freeze", "0711000001", "--in", "--why", "a secret of njeri's")
    done = run(*words, **back)

    assert (done.returncode, done.stdout) == (1, "")
    *logged, told = done.stderr.splitlines()
    assert told == "0711000001: nothing was done: the books are busy, or refuse it; try again"
    assert "level=warning event=ledger.batch_undone" in logged[0]
    assert "a secret" not in done.stderr
    assert "locals" not in done.stderr


def test_books_with_closed_days_are_right(closed: Environ) -> None:
    done = run("ledger", "verify", **closed)

    assert done.returncode == 0, done.stdout
