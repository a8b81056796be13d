"""A ledger with two wallets, on SQLite and on PostgreSQL alike."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select, text

from ussd_gateway.domain.book import Book, Decision, Message, Outcome, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.ledger.batch import Books, Numbering
from ussd_gateway.store.ledger.postgres import PostgresBooks
from ussd_gateway.store.ledger.sqlite import SqliteBooks
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import account

MARKET = Market("KE", "KES", ZoneInfo("Africa/Nairobi"))
NUMBERING = Numbering(lambda kid: kid.encode() * 16, "k1", MARKET)

AMINA, JUMA = 1, 2
AMINA_MSISDN = Msisdn("+254711000001")


@dataclass(slots=True)
class SetClock:
    """A clock that goes on only when it is told to."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 6, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "ledger.sqlite"
    _make(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def empty_database(postgres: Postgres) -> str:
    """The name of the same on PostgreSQL."""
    url = postgres.create_database()
    _make(url)
    return urlsplit(url).path.removeprefix("/")


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the newest schema."""
    server: Postgres | None = None
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        shutil.copy(request.getfixturevalue("empty_file"), path)
        url = f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres")
        url = server.create_database(template=request.getfixturevalue("empty_database"))
    engine = connect(url)
    yield engine
    engine.dispose()
    if server is not None:
        server.drop_database(url)


def _make(url: str) -> None:
    engine = connect(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def wallets(engine: Engine) -> Engine:
    """Amina has KES 10.00, Juma nothing."""
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(AMINA, 1_000), wallet(JUMA, 0)])
    return engine


@pytest.fixture
def writer(wallets: Engine, clock: SetClock) -> Iterator[Writer]:
    with started(wallets, clock) as writer:
        yield writer


class started:  # noqa: N801  # reads as a phrase: with started(engine, clock)
    """A writer for a while, on the books of the engine or on others."""

    def __init__(
        self, engine: Engine, clock: SetClock, books: Callable[[Engine], Books] | None = None
    ) -> None:
        self._writer = Writer(lambda: (books or books_of)(engine), NUMBERING, clock)

    def __enter__(self) -> Writer:
        self._writer.start()
        return self._writer

    def __exit__(self, *_: object) -> None:
        self._writer.stop()


def books_of(engine: Engine) -> Books:
    return SqliteBooks(engine) if engine.dialect.name == "sqlite" else PostgresBooks(engine)


def wallet(number: int, minor: int) -> dict[str, object]:
    return {
        "id": number,
        "public_ref": f"w{number}",
        "code": 2010,
        "currency": "KES",
        "side": -1,
        "debits": 0,
        "credits": minor,
        "debits_pending": 0,
        "credits_pending": 0,
        "floor": 0,
        "cap": None,
        "seq": 0,
    }


def pay(
    key: str,
    minor: int = 100,
    *,
    content: str = "pay",
    messages: tuple[Message, ...] = (),
    before: Callable[[], None] = lambda: None,
) -> Work:
    """Amina pays Juma; `low` where she cannot. `before` runs first in the decision."""

    def decide(book: Book) -> Decision:
        before()
        if not book.accounts[AMINA].takes(minor):
            return Decision("low", {"balance": book.accounts[AMINA].balance})
        posting = Posting("pay", (Leg(AMINA, minor), Leg(JUMA, -minor)))
        return Decision("ok", {}, posting, messages)

    return Work(
        key=key,
        content=content,
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=(AMINA, JUMA),
        decide=decide,
    )


def told(template: str = "sent") -> Message:
    return Message(AMINA_MSISDN, template, "en", {})


def balances(engine: Engine) -> tuple[int, int]:
    """Amina's and Juma's, in minor units."""
    rows = select(account.c.credits - account.c.debits).order_by(account.c.id)
    with reading(engine) as connection:
        amina, juma = connection.execute(rows).scalars()
    return amina, juma


def count(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return found


def is_ok(outcome: Outcome) -> bool:
    return outcome.name == "ok"
