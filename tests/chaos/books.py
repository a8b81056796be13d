"""Small books for clerks: a trust bank and wallets filled from it; and whether, in the end,
they are in order and say what callers were told."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.chaos.clerk import MARKET, NUMBERING, Order, SystemClock, books_of
from tests.chaos.report import Report
from ussd_gateway.domain.accounts import TRUST_BANK, WALLET, house_id, house_ref
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import account
from ussd_gateway.store.seals.heads import export
from ussd_gateway.store.seals.sealer import head, seal_all
from ussd_gateway.store.verify import verify

BANK = house_id(TRUST_BANK, MARKET.currency)
HEADS = "heads"
opened_within_s = 30.0

_ROW = {
    "currency": MARKET.currency,
    "debits": 0,
    "credits": 0,
    "debits_pending": 0,
    "credits_pending": 0,
    "cap": None,
    "seq": 0,
}

_COUNTS = "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM seal)"


@contextmanager
def on_sqlite(folder: Path) -> Iterator[str]:
    """The URL of a database."""
    yield f"sqlite:///{folder / 'books.sqlite'}"


@contextmanager
def on_postgres(_folder: Path) -> Iterator[str]:
    with Postgres() as server:
        yield server.create_database()


DATABASES = {"SQLite": on_sqlite, "PostgreSQL": on_postgres}


def on_both(
    run: Callable[[Report, Path, str], Mapping[str, str]],
) -> Callable[[Report, Path], None]:
    """A part of `make chaos` that is the same on each database. `run` gets the URL of an empty
    one, and gives figures."""

    def run_both(report: Report, folder: Path) -> None:
        for name, made in DATABASES.items():
            own = folder / name
            own.mkdir()
            with made(own) as url:
                figures = run(report, own, url)
            report.add({f"{name}: {what}": figure for what, figure in figures.items()})

    return run_both


def open_books(url: str, wallets: Mapping[int, int]) -> Engine:
    """Wallets by number, with what is in each at first, in minor units."""
    engine = connect(url)
    upgrade(engine)
    rows = [
        _ROW
        | {
            "id": number,
            "public_ref": f"w{number}",
            "code": WALLET.number,
            "side": WALLET.side.value,
            "floor": 0,
        }
        for number in wallets
    ]
    bank = {
        "id": BANK,
        "public_ref": house_ref(TRUST_BANK, MARKET.currency),
        "code": TRUST_BANK.number,
        "side": TRUST_BANK.side.value,
        "floor": None,
    }
    with writing(engine) as connection:
        connection.execute(insert(account), [*rows, _ROW | bank])
    writer = Writer(lambda: books_of(engine), NUMBERING, SystemClock())
    writer.start()
    for number, minor in wallets.items():
        if minor:
            work = Order("pay", f"opening-{number}", BANK, number, minor).work()
            assert writer.run(work, within_s=opened_within_s).name == "ok"
    writer.stop()
    return engine


def rows(engine: Engine, sql: str, **values: object) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def balance(engine: Engine, number: int) -> int:
    ((minor,),) = rows(engine, "SELECT credits - debits FROM account WHERE id = :id", id=number)
    return int(minor)


def export_head(engine: Engine, folder: Path) -> None:
    """As an auditor takes one away. Where the database is away, there is none to take."""
    now = SystemClock().now()
    with suppress(DBAPIError):
        newest = head(engine)
        if newest is not None:
            today = MARKET.business_date(int(now.timestamp() * 1000))
            export(newest, folder / HEADS, at=now, market_date=today)


def verified(engine: Engine, report: Report, folder: Path) -> dict[str, str]:
    """Every invariant, the seals among them, against the heads that were taken away before."""
    seal_all(engine)
    findings = verify(engine, folder / HEADS)
    report.broken += [
        f"verify, {one.name}: {one.faults} faults: {'; '.join(one.shown)}"
        for one in findings
        if not one.ok
    ]
    ((journals, seals),) = rows(engine, _COUNTS)
    heads = len(list((folder / HEADS).glob("*.json")))
    found = f", {heads} heads of before found in it" if heads else ""
    return {
        "verify": f"{len(findings)} rules over {journals:,} journals",
        "seals": f"{seals:,} in one chain{found}",
    }
