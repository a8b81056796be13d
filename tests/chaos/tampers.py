"""Hands in the books: everything that the tests know how to change, remove, add and forge, on
both databases, and each of it is to be told by row or range."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.chaos.report import Report
from tests.store.deeds import write_deeds
from tests.store.true_books import write_books
from tests.store.verify.crowbar import Tamper, tamper
from tests.store.verify.sweep import every_end, sweep
from tests.store.verify.tampers import CUNNING, TAMPERS
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.seals.heads import FOLDER
from ussd_gateway.store.verify import verify

_HAND_MADE: tuple[tuple[str, Callable[[Settings], None], Sequence[Tamper]], ...] = (
    ("plain", write_books, TAMPERS),
    ("cunning", write_deeds, CUNNING),
)


def of_every_kind(report: Report, folder: Path) -> None:
    with Postgres() as server:
        for database in ("SQLite", "PostgreSQL"):
            for name, write, tampers in _HAND_MADE:
                here = folder / f"{database}-{name}"
                url = _written(database, here, server, write)
                told = [
                    _told(_copy(url, here / f"{number}.sqlite", server), here / FOLDER, one)
                    for number, one in enumerate(tampers)
                ]
                report.broken += [
                    f"{database}: not told as it should: {one.told}"
                    for one, well in zip(tampers, told, strict=True)
                    if not well
                ]
                report.add({f"{name}, {database}": _counted(told)})
            _sweep(report, database, folder / f"{database}-swept", server)


def _sweep(report: Report, database: str, folder: Path, server: Postgres) -> None:
    engine = connect(_written(database, folder, server, write_deeds))
    swept = list(sweep(engine, folder / FOLDER, every_end))
    engine.dispose()
    unseen = [one for one in swept if not one.seen]
    report.broken += [f"{database}: unseen: {one.what}; {one.told}" for one in unseen]
    report.add({f"one by one, {database}": _counted([one.seen for one in swept])})


def _counted(told: Sequence[bool]) -> str:
    return f"{len(told)} tampers, {sum(told)} told by row or range"


def _told(url: str, heads: Path, one: Tamper) -> bool:
    """As it should be: by the rules that it breaks and no others, and in its words."""
    engine = connect(url)
    tamper(engine, one.statements, forged=one.forged)
    wrong = [finding for finding in verify(engine, heads) if not finding.ok]
    engine.dispose()
    told = any(one.told in words for finding in wrong for words in finding.shown)
    return told and {finding.number for finding in wrong} == one.broken


def _written(
    database: str, folder: Path, server: Postgres, write: Callable[[Settings], None]
) -> str:
    folder.mkdir()
    on_sqlite = database == "SQLite"
    url = f"sqlite:///{folder / 'books.sqlite'}" if on_sqlite else server.create_database()
    write(Settings(data_dir=folder, database_url=url))
    return url


def _copy(url: str, path: Path, server: Postgres) -> str:
    if url.startswith("sqlite"):
        true = Path(url.removeprefix("sqlite:///"))
        path.write_bytes(true.read_bytes())
        return f"sqlite:///{path}"
    return server.create_database(template=url.partition("@/")[2].partition("?")[0])
