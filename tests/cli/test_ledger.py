"""`ledger` and `sms` as an operator types them, on books that the gateway wrote."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_cli import run as in_a_process
from tests.cli.typed import run

Environ = dict[str, str]


@pytest.fixture
def true_books(written: Path) -> Environ:
    """Of the demo's own kind, in the folder of DATA_DIR. Nothing here changes them."""
    return {"DATA_DIR": str(written)}


@pytest.fixture
def books(written: Path, tmp_path: Path) -> Environ:
    """A copy, to be changed."""
    shutil.copy(written / "gateway.sqlite", tmp_path)
    return {"DATA_DIR": str(tmp_path)}


@pytest.fixture
def wrong_books(books: Environ, tmp_path: Path) -> Environ:
    """Somebody raised Amina's balance, and took a guard off to change entries too."""
    _change(
        tmp_path,
        "UPDATE account SET credits = credits + 100 WHERE public_ref = '+254711000001'",
        "DROP TRIGGER entry_no_update",
        "UPDATE entry SET balance_after = 0",
    )
    return books


def test_true_books_are_told_in_a_line_for_each_rule(true_books: Environ) -> None:
    done = run("ledger", "verify", **true_books)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:23]] == [
        ["ok", number] for number in (*map(str, range(1, 17)), *"-------")
    ]
    assert lines[2].endswith("30 entries")
    assert lines[-1].startswith("The books are right")


def test_wrong_books_are_told_with_the_rows_that_are_wrong(wrong_books: Environ) -> None:
    done = run("ledger", "verify", **wrong_books)

    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    verdicts = {line.split()[1]: line.split()[0] for line in lines[:23]}
    wrong = {number for number, verdict in verdicts.items() if verdict == "WRONG"}
    assert wrong == {"2", "3", "4", "10", "14", "15"}
    assert (
        "      account 1 (+254711000001): says debits 50700, credits 535100; "
        "its entries say 50700 and 535000"
    ) in lines
    assert "      and 25 more" in lines
    assert lines[-1] == "The books are WRONG: 6 of 23 rules are broken."


@pytest.mark.parametrize(
    "typed", ["+254711000001", "254711000001", "0711000001", " 0711000001 "]
)
def test_a_wallet_is_found_by_its_number_however_it_is_written(
    true_books: Environ, typed: str
) -> None:
    done = run("ledger", "balance", typed, **true_books)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "+254711000001  2010 customer wallet  KES 4,843.00\n"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("100200", "100200  2020 agent float  KES 50,000.00"),
        ("600600", "600600  2040 biller  KES 0.00"),
        ("KES-2440", "KES-2440  2440 due to operating  KES 21.00"),
        ("KES-1010", "KES-1010  1010 trust bank  KES 2,175,250.00"),
    ],
)
def test_other_accounts_are_found_by_their_reference(
    true_books: Environ, typed: str, line: str
) -> None:
    assert run("ledger", "balance", typed, **true_books).stdout == f"{line}\n"


def test_a_balance_for_programs(true_books: Environ) -> None:
    wallet = run("ledger", "balance", "0711000002", "--json", **true_books)
    house = run("ledger", "balance", "KES-4010", "--json", **true_books)

    assert json.loads(wallet.stdout) == {
        "id": "+254711000002",
        "code": 2010,
        "name": "customer wallet",
        "status": "active",
        "currency": "KES",
        "balance": "593.00",
        "balance_minor": 59_300,
        "held_minor": 0,
        "available_minor": 59_300,
    }
    assert json.loads(house.stdout)["available_minor"] is None


def test_an_unknown_account_is_one_line(true_books: Environ) -> None:
    done = run("ledger", "balance", "0711000009", **true_books)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "No account 0711000009: give a phone number, a till, or KES-2440\n"


def test_the_trial_balance_adds_up(true_books: Environ) -> None:
    shown = run("ledger", "trial-balance", **true_books)
    values = json.loads(run("ledger", "trial-balance", "--json", **true_books).stdout)

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].split() == [
        *("all", "KES", "2,276,142.00", "2,276,142.00", "equal")
    ]
    assert [line["code"] for line in values["accounts"]] == [
        *(1010, 1020, 1120, 1130, 1140, 1210, 1310, 1320),
        *(2010, 2020, 2021, 2030, 2040, 2120, 2210, 2310, 2320, 2330),
        *(2410, 2420, 2421, 2430, 2440),
        *(3010, 3020, 4010, 4020, 4030, 4110, 4120),
        *(5010, 5020, 5030, 5040, 5050, 9010, 9020),
    ]
    assert values["accounts"][8] == {
        "code": 2010,
        "name": "customer wallet",
        "currency": "KES",
        "debits": "871.00",
        "credits": "126100.00",
        "balance": "125229.00",
    }
    assert values["totals"] == [
        {"currency": "KES", "debits": "2276142.00", "credits": "2276142.00", "equal": True}
    ]


def test_a_trial_balance_that_does_not_add_up_says_so(wrong_books: Environ) -> None:
    done = run("ledger", "trial-balance", **wrong_books)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].endswith("NOT EQUAL")


def test_the_backlog_of_sms(books: Environ, tmp_path: Path) -> None:
    _change(
        tmp_path,
        "UPDATE outbox SET state = 'delivered'",
        "UPDATE outbox SET state = 'due', event_at_ms = 1000 WHERE template = 'pin_locked'",
        "UPDATE outbox SET state = 'sending' WHERE id = 2",
    )
    values = json.loads(run("sms", "backlog", "--json", **books).stdout)

    states = (
        *("due", "claimed", "sending", "unknown"),
        *("sent", "delivered", "failed", "expired"),
    )
    assert list(values["states"].items()) == list(
        zip(states, (1, 0, 1, 0, 0, 5, 0, 0), strict=True)
    )
    assert values["open"] == 2
    assert abs(values["oldest_open_s"] - time.time()) < 60
    assert run("sms", "backlog", **books).stdout.splitlines()[-1].startswith("receipts: 2")


def test_nothing_is_open_where_all_was_sent(books: Environ, tmp_path: Path) -> None:
    _change(tmp_path, "UPDATE outbox SET state = 'sent'")

    assert run("sms", "backlog", **books).stdout.splitlines()[-1] == "None is open."


@pytest.mark.parametrize(
    ("command", "url", "advice"),
    [
        ("ledger verify", "sqlite:///{}/none.sqlite", "db upgrade"),
        ("ledger verify", "sqlite:///{}/empty.sqlite", "db upgrade"),
        ("ledger verify", "sqlite:///{}/broken.sqlite", "doctor"),
        ("ledger verify", "postgresql://gateway:moonlight@127.0.0.1:1/gateway", "doctor"),
        ("ledger balance 100200", "sqlite:///{}/none.sqlite", "db upgrade"),
        ("ledger trial-balance", "sqlite:///{}/none.sqlite", "db upgrade"),
        ("sms backlog", "sqlite:///{}/none.sqlite", "db upgrade"),
    ],
)
def test_books_that_cannot_be_read_are_told_with_what_to_do(
    tmp_path: Path, command: str, url: str, advice: str
) -> None:
    (tmp_path / "empty.sqlite").touch()
    (tmp_path / "broken.sqlite").write_text("These are no books at all. " * 99)

    done = run(*command.split(), DATA_DIR=str(tmp_path), DATABASE_URL=url.format(tmp_path))

    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("The books cannot be read: ")
    assert advice in second
    assert "moonlight" not in done.stderr
    assert not (tmp_path / "none.sqlite").exists()


@pytest.fixture
def kept(true_books: Environ) -> Iterator[Environ]:
    """A copy on which nobody can write, in a folder where nobody can either."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(Path(true_books["DATA_DIR"]) / "gateway.sqlite", folder)
        (folder / "gateway.sqlite").chmod(0o444)
        folder.chmod(0o555)
        yield {"DATA_DIR": name}
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("ledger balance 0711000001", "KES 4,843.00"),
        ("ledger statement 0711000001", "Closing balance"),
        ("ledger trial-balance", "equal"),
        ("ledger verify", "The books are right"),
    ],
)
def test_books_that_are_only_kept_are_read(kept: Environ, command: str, says: str) -> None:
    done = _as_anybody(*command.split(), **kept)

    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout
    assert [path.name for path in Path(kept["DATA_DIR"]).iterdir()] == ["gateway.sqlite"]


def test_books_that_are_only_kept_are_not_written(kept: Environ) -> None:
    done = _as_anybody("ledger", "head", "--export", **kept)

    assert (done.returncode, done.stdout) == (2, "")
    assert "attempt to write a readonly database" in done.stderr


# The superuser writes where nobody may: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE takes that away.
_AS_ANYBODY = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "ussd_gateway", *sys.argv[1:]])
"""


def _as_anybody(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _AS_ANYBODY, *words],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("schema", ["0010", "9999"])
@pytest.mark.parametrize(
    "command", ["ledger verify", "ledger balance 0711000001", "ledger freeze 1 --in --why x"]
)
def test_books_of_another_version_are_neither_read_nor_written(
    books: Environ, tmp_path: Path, command: str, schema: str
) -> None:
    _change(tmp_path, f"UPDATE alembic_version SET version_num = '{schema}'")
    done = run(*command.split(), **books)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"its schema is {schema}, this program's is " in done.stderr
    assert "`ussd-gateway db upgrade`" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("balance", "\udcff"),
        ("statement", "07\udce9"),
        ("reverse", "\udcff", "--why", "x"),
        ("freeze", "0711000001", "--both", "--why", "caf\udce9"),
    ],
)
def test_octets_that_are_no_text_are_told(true_books: Environ, words: tuple[str, ...]) -> None:
    done = in_a_process("ledger", *words, **true_books)

    assert (done.returncode, done.stdout) == (2, "")
    title, shown = done.stderr.splitlines()
    assert title == "Write arguments in UTF-8:"
    assert "\\udc" in shown


def _change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "gateway.sqlite")) as connection, connection:
        for statement in statements:
            connection.execute(statement)
