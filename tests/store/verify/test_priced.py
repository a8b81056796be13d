"""Invariant 12: what every journal charged is what its price book, as it is stored, says.

Books with one payment of each kind, made by the gateway's own services on its own writer.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from tests.services.stand_in import ScriptedCarrier
from tests.store.conftest import SetClock
from tests.store.true_books import AMINA, ledger
from tests.store.verify.crowbar import tamper
from ussd_gateway.app import Carriers, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import services
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import (
    Action,
    Call,
    Origin,
    Secret,
    SessionId,
    Standing,
    Supplied,
    Value,
)
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.snapshot import snapshot
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.tariffs import check_tariffs

WANJIRU = Msisdn("+254722000001")
PINS = {AMINA: "4826", WANJIRU: "6174"}


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


# Each with a fee, or a commission, that has cents in its tax or share; and Amina has enough.
PAID: tuple[tuple[str, Msisdn, Mapping[str, Value]], ...] = (
    ("send_money", AMINA, {"to": "+254711000002", "payee": "2", "fee": kes(7)}),
    ("pay_bill", AMINA, {"business": "600600", "account": "12345678", "fee": kes(5)}),
    ("buy_goods", AMINA, {"business": "500500", "fee": kes(0)}),
    ("withdraw", AMINA, {"till": "100200", "fee": kes(29)}),
    (
        "deposit",
        WANJIRU,
        {"customer_number": "+254711000001", "customer": "1", "store": "100200"},
    ),
    ("airtime", AMINA, {}),
)


def write(settings: Settings) -> None:
    clock = SetClock()
    upgrade(settings)
    seed_demo(settings, clock=clock, random=SystemRandom(clock))
    silent = ScriptedCarrier(asked=Supplied(Standing.PENDING, None, ""))
    with (
        ledger(settings) as (running, engine),
        closing(SqlReads(settings.database_url)) as reads,
    ):
        served_by = services(
            settings,
            engine=engine,
            reads=reads,
            ledger=running,
            clock=clock,
            random=SystemRandom(clock),
            outside=Carriers(silent, silent),
        )
        SqlPriceBooks(engine, clock).keep(served_by.prices)
        for name, msisdn, args in PAID:
            pay(served_by.actions[name], msisdn, {**args, "amount": kes(470)})


def pay(action: Action, msisdn: Msisdn, args: Mapping[str, Value]) -> None:
    origin = Origin("africastalking", SessionId(action.name), msisdn)
    key = f"{action.name}:pin:4"
    answer = action.run(Call(key, origin, args, Secret(PINS[msisdn]), within_s=5.0))
    assert answer.outcome == "ok", (action.name, answer)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], str]:
    """Copies of one set of books: give a folder, get a URL."""
    folder = tmp_path_factory.mktemp("priced")
    if request.param == "sqlite":
        true = folder / "books.sqlite"
        write(Settings(data_dir=folder, database_url=f"sqlite:///{true}"))
        return lambda to: f"sqlite:///{shutil.copy(true, to / 'books.sqlite')}"

    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database()
    write(Settings(data_dir=folder, database_url=url))
    name = urlsplit(url).path.removeprefix("/")
    return lambda _to: server.create_database(template=name)


@pytest.fixture
def books(made: Callable[[Path], str], tmp_path: Path) -> Iterator[Engine]:
    engine = connect(made(tmp_path))
    yield engine
    engine.dispose()


def checked(engine: Engine) -> Tally:
    tally = Tally(12, "", "")
    with snapshot(engine) as connection:
        check_tariffs(connection, tally)
    return tally


def test_every_kind_of_payment_is_as_its_price_book_says(books: Engine) -> None:
    found = checked(books)
    assert found.shown == []
    assert found.checked == len(PAID)


def journal(kind: str) -> str:
    return f"(SELECT id FROM journal WHERE kind = '{kind}')"


def entries(kind: str, ref: str) -> str:
    return (
        f"entry SET minor = minor + 1 WHERE journal_id = {journal(kind)} AND account_id = "
        f"(SELECT id FROM account WHERE public_ref = '{ref}')"
    )


UGX = '"minor":47000,"currency":"UGX"'
STORE, OFFICE = (
    f"(SELECT id FROM account WHERE public_ref = '{number}-2210')"
    for number in (100200, 100150)
)
STORE_EARNED = f"account_id = {STORE} AND journal_id = {journal('deposit')}"
OUTCOME = "UPDATE idempotency SET outcome = replace(outcome, '{}', '{}') WHERE journal_id = {}"
TAMPERS = [
    (
        "send_money: of 47000 KES, 2440 moves -699;",
        f"UPDATE {entries('send_money', 'KES-2440')}",
    ),
    ("pay_bill: of 47000 KES, 1320 moves 501;", f"UPDATE {entries('pay_bill', 'KES-1320')}"),
    ("withdraw: of 47000 KES, 2310 moves ", f"UPDATE {entries('withdraw', 'KES-2310')}"),
    ("withdraw: of 47000 KES, 4020 moves ", f"UPDATE {entries('withdraw', 'KES-4020')}"),
    ("deposit: of 47000 KES, 5010 moves 801;", f"UPDATE {entries('deposit', 'KES-5010')}"),
    ("deposit: of 47000 KES, 2210 of account", f"UPDATE {entries('deposit', '100200-2210')}"),
    ("withdraw: of 47000 KES, 2210 of account", f"UPDATE {entries('withdraw', '100150-2210')}"),
    (
        "buy_goods: of 47000 KES, payee moves -46999;",
        f"UPDATE {entries('buy_goods', '500500')}",
    ),
    (
        "airtime: of 47000 KES, payer moves 47001;",
        f"UPDATE {entries('airtime', '+254711000001')}",
    ),
    (
        "deposit: of 47000 KES, 2210 of account",
        f"UPDATE entry SET account_id = {OFFICE}, account_seq = 99 WHERE {STORE_EARNED}",
    ),
    (
        "send_money: of 47100 KES, payee moves -47000;",
        OUTCOME.format('"minor":47000', '"minor":47100', journal("send_money")),
    ),
    (
        "send_money: its outcome says fee 600 KES",
        OUTCOME.format('"minor":700,', '"minor":600,', journal("send_money")),
    ),
    (
        "has no price for withdraw of 47000 UGX",
        OUTCOME.format('"minor":47000,"currency":"KES"', UGX, journal("withdraw")),
    ),
    (
        "airtime: its outcome tells no amount",
        OUTCOME.format('"amount"', '"amounts"', journal("airtime")),
    ),
    ("it names no price book", "UPDATE journal SET tariff = NULL WHERE kind = 'airtime'"),
    (
        "price book T0 is not stored",
        "UPDATE journal SET tariff = 'T0' WHERE kind = 'send_money'",
    ),
    (
        "it names price book T0, and nothing of its kind has a price",
        "UPDATE journal SET tariff = 'T0' WHERE id = (SELECT min(id) FROM journal)",
    ),
    (
        "has no price for send of 47000 KES",
        "UPDATE journal SET business_date = '2021-01-01' WHERE kind = 'send_money'",
    ),
    (
        "does not say what it said once",
        "UPDATE price_book SET content = replace(content, '2023-07-01', '2023-07-02')",
    ),
    ("is not stored", "DELETE FROM price_book"),
    (
        "price book KE-2023-07 does not say what it said once",
        "INSERT INTO price_book SELECT 'KE-2023-07', content, at_ms FROM price_book",
    ),
]


@pytest.mark.parametrize(("told", "done"), TAMPERS)
def test_what_was_charged_otherwise_is_told(books: Engine, told: str, done: str) -> None:
    tamper(books, [done])
    found = checked(books)
    assert any(told in words for words in found.shown), found.shown


def test_a_price_book_that_cannot_be_read_is_told_and_no_traceback(books: Engine) -> None:
    tamper(books, ["UPDATE price_book SET content = '{\"tariffs\": [1]}'"])
    assert checked(books).faults == 1 + len(PAID)
