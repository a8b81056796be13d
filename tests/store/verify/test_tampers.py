"""Books in which everything has happened pass the checker, and nothing done to them goes
unseen: not by one who changes a row, nor by one who mends all that would tell."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.store.deeds import write_deeds
from tests.store.verify.crowbar import Tamper, loosen, tamper
from tests.store.verify.sweep import one_each, sweep
from tests.store.verify.tampers import CUNNING
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.seals.heads import FOLDER
from ussd_gateway.store.verify import Finding, verify


@dataclass(frozen=True, slots=True)
class Books:
    """A copy of its own for each test, and the heads that were exported of the true ones."""

    engine: Engine
    heads: Path

    def wrong(self) -> list[Finding]:
        return [finding for finding in verify(self.engine, self.heads) if not finding.ok]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Callable[[Path], str], Path]:
    """Copies of one set of books: give a folder, get a URL; and where its heads are."""
    folder = tmp_path_factory.mktemp("deeds")
    heads = folder / FOLDER
    if request.param == "sqlite":
        true = folder / "books.sqlite"
        _write(folder, f"sqlite:///{true}")
        return lambda copy: f"sqlite:///{shutil.copy(true, copy / 'copy.sqlite')}", heads

    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database()
    _write(folder, url)
    name = url.partition("@/")[2].partition("?")[0]
    return lambda _: server.create_database(template=name), heads


def _write(folder: Path, url: str) -> None:
    """Without keys and CHECKs: on PostgreSQL that takes a while, and here it is done once."""
    write_deeds(Settings(data_dir=folder, database_url=url))
    engine = connect(url)
    loosen(engine)
    engine.dispose()


@pytest.fixture
def books(made: tuple[Callable[[Path], str], Path], tmp_path: Path) -> Iterator[Books]:
    copied, heads = made
    engine = connect(copied(tmp_path))
    yield Books(engine, heads)
    engine.dispose()


def test_books_in_which_everything_has_happened_pass(books: Books) -> None:
    findings = verify(books.engine, books.heads)

    assert [finding for finding in findings if not finding.ok] == []
    checked = {finding.number: finding.checked for finding in findings}
    assert (checked[7], checked[9]) == (7, 2)
    assert checked[14] == 33 + 32 + 1  # commits, seals and a head


@pytest.mark.parametrize("done", CUNNING, ids=[done.told for done in CUNNING])
def test_whoever_mends_what_would_tell_is_told_of(books: Books, done: Tamper) -> None:
    tamper(books.engine, done.statements, forged=done.forged)

    wrong = books.wrong()
    assert {finding.number for finding in wrong} == done.broken
    assert any(done.told in words for finding in wrong for words in finding.shown), wrong


@pytest.mark.parametrize("made", ["sqlite"], indirect=True)
def test_no_column_changes_and_no_row_goes_or_comes_unseen(books: Books) -> None:
    """A row of each table; `make chaos` takes more of them, on both databases."""
    swept = list(sweep(books.engine, books.heads, one_each))

    assert [one for one in swept if not one.seen] == []
    assert len(swept) > 80
    assert books.wrong() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "head 2026-11-24.json cannot be read"),
        ('{"seq": 3}', "head 2026-11-24.json cannot be read"),
        (
            '{"seq": 3, "batch": 3, "chain": "00", "journals": 1, "market_date": "2026-11-24"}',
            "head 2026-11-24.json: seal 3 was another on 2026-11-24",
        ),
    ],
    ids=["empty", "not whole", "another chain's"],
)
def test_a_head_that_does_not_fit_is_told(
    books: Books, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "2026-11-24.json").write_text(text)

    (finding,) = [one for one in verify(books.engine, tmp_path) if not one.ok]
    assert finding.number == 14
    assert finding.shown[0].startswith(told)
