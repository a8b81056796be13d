"""`ledger head`, and what `ledger verify` makes of the heads that were kept."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.cli.typed import run
from tests.store.verify.crowbar import tamper
from tests.store.verify.forger import Forged

Environ = dict[str, str]


@pytest.fixture
def books(written: Path, tmp_path: Path) -> Environ:
    shutil.copy(written / "gateway.sqlite", tmp_path)
    return {"DATA_DIR": str(tmp_path)}


def test_there_is_no_head_where_nothing_is_sealed(books: Environ) -> None:
    done = run("ledger", "head", **books)

    assert done.returncode == 1
    assert done.stderr == "Nothing is sealed yet: the scheduler does that each second\n"


def test_an_export_seals_what_waits_and_says_where_the_head_is(
    books: Environ, tmp_path: Path
) -> None:
    shown = json.loads(run("ledger", "head", "--export", "--json", **books).stdout)

    assert (shown["seq"], shown["batch"], shown["journals"], shown["unsealed"]) == (
        13,
        13,
        9,
        0,
    )
    kept = Path(shown["file"])
    assert kept.parent == tmp_path / "heads"
    assert json.loads(kept.read_text())["chain"] == shown["chain"]
    told = run("ledger", "head", **books).stdout.splitlines()
    assert told == [
        "seal 13 of batch 13",
        f"chain {shown['chain']}",
        "9 journals; 0 commits wait to be sealed",
    ]


def test_books_that_were_sealed_again_do_not_fit_the_auditors_copy(
    books: Environ, tmp_path: Path
) -> None:
    run("ledger", "head", "--export", **books)
    copies = tmp_path / "copies"
    shutil.move(tmp_path / "heads", copies)
    engine = create_engine(f"sqlite:///{tmp_path}/gateway.sqlite")
    change = "UPDATE idempotency SET msisdn = '+254711000009' WHERE journal_id IS NOT NULL"
    tamper(engine, [change], forged=Forged.CHAIN)

    without = run("ledger", "verify", **books)
    assert without.returncode == 0
    assert f"\n0 heads compared, of {tmp_path / 'heads'}\n" in without.stdout
    done = run("ledger", "verify", "--heads", str(copies), **books)
    assert f"\n1 head compared, of {copies}\n" in done.stdout
    assert done.returncode == 1
    assert "something of seals 1 to 13 was changed, and sealed again" in done.stdout
    assert "What to do: change nothing" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        f'{{"seq": {10**20}, "batch": 1, "chain": "x", "journals": 1, "market_date": "x"}}',
        '{"seq": -1, "batch": 1, "chain": "x", "journals": 1, "market_date": "x"}',
        "[" * 100_000,
        "[]",
        "\x00",
    ],
)
def test_a_head_that_is_none_is_a_fault_and_ends_nothing(
    books: Environ, tmp_path: Path, text: str
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "2026-11-21.json").write_text(text)
    done = run("ledger", "verify", "--heads", str(copies), **books)

    assert (done.returncode, done.stderr) == (1, "")
    assert "head 2026-11-21.json cannot be read" in done.stdout
    assert "1 of 23 rules are broken" in done.stdout


def test_a_head_is_kept_beside_one_that_is_none(books: Environ, tmp_path: Path) -> None:
    run("ledger", "head", "--export", **books)
    (kept,) = (tmp_path / "heads").iterdir()
    kept.write_text("[" * 100_000)

    assert run("ledger", "head", "--export", **books).returncode == 0
    assert len(list((tmp_path / "heads").iterdir())) == 2


def test_a_head_that_cannot_be_kept_is_one_line(books: Environ, tmp_path: Path) -> None:
    (tmp_path / "heads").write_text("a file in the place of the folder")
    done = run("ledger", "head", "--export", **books)

    assert done.returncode == 2
    assert done.stderr.startswith(f"The head cannot be kept: {tmp_path / 'heads'}: ")
    with closing(sqlite3.connect(tmp_path / "gateway.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM seal").fetchone() == (13,)
