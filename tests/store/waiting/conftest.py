"""The shop, on both databases."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.store.conftest import SetClock
from tests.store.waiting.shop import Shop
from ussd_gateway.app import database, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import services
from ussd_gateway.app.wiring import desk, writer
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.vouchers.give_back_voucher import VouchersOverdue
from ussd_gateway.settings import Settings
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.waiting.vouchers import SqlVouchers


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'books.sqlite'}"
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    settings = Settings(data_dir=tmp_path, database_url=url)
    clock = SetClock()
    upgrade(settings)
    seed_demo(settings, clock=clock, random=SystemRandom(clock))
    with ExitStack() as ends:
        engine = database(settings)
        ends.callback(engine.dispose)
        running = [writer(settings, engine, clock) for _ in range(2)]
        processes = []
        for each in running:
            each.start()
            ends.callback(each.stop)
            reads = SqlReads(url)
            ends.callback(reads.close)
            processes.append(
                services(
                    settings,
                    engine=engine,
                    reads=reads,
                    ledger=each,
                    clock=clock,
                    random=SystemRandom(clock),
                )
            )
        SqlPriceBooks(engine, clock).keep(processes[0].prices)
        at = desk(settings, engine, running[1], clock)
        late = VouchersOverdue(at, SqlVouchers(engine))
        yield Shop(engine, clock, processes, late, ReverseService(at), StatusService(at))
