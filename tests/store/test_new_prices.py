"""A tariff that begins at midnight: the price that was shown is charged, or nothing is."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.store.conftest import SetClock
from tests.store.true_books import AMINA
from ussd_gateway.app import database, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import Services, services
from ussd_gateway.app.wiring import writer
from ussd_gateway.domain.money import Money
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import Answer, Call, Origin, Secret, SessionId, Value
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import reading
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.schema import journal
from ussd_gateway.store.verify import verify

# In Nairobi it is a quarter of a minute before the 22nd.
BEFORE_MIDNIGHT = datetime(2026, 11, 21, 20, 59, 45, tzinfo=UTC)
SENT: dict[str, Value] = {"to": "+254711000002", "payee": "2", "amount": Money(500_00, "KES")}


@dataclass
class Counter:
    """Amina at the gateway."""

    served_by: Services
    clock: SetClock
    keys: Iterator[int] = field(default_factory=count)

    def fee(self) -> Value:
        return self._run("send_money.quote", {"to": SENT["to"], "amount": SENT["amount"]}, None)

    def pay(self, fee: Value) -> str:
        return str(self._run("send_money", SENT | {"fee": fee}, Secret("4826")))

    def _run(self, name: str, args: dict[str, Value], pin: Secret | None) -> Value:
        key = f"k{next(self.keys)}:pin:4"
        origin = Origin("africastalking", SessionId(key), AMINA)
        call = Call(key, origin, args, pin, within_s=5.0)
        answer: Answer = self.served_by.actions[name].run(call)
        return answer.values["fee"] if name.endswith("quote") else answer.outcome


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Sending KES 100.01 to 500.00 costs KES 9 instead of KES 7 from the 22nd on."""
    menus = tmp_path / "menus"
    shutil.copytree("menus", menus)
    old = (menus / "tariffs" / "KE-2023-07.csv").read_text("utf-8").splitlines()
    new = [row.replace("KE-2023-07", "KE-2026-11") for row in old if ",send," in row]
    new = [row.replace("2023-07-01", "2026-11-22").replace(",7.00,", ",9.00,") for row in new]
    text = "\n".join((old[0], *new)) + "\n"
    (menus / "tariffs" / "KE-2026-11.csv").write_text(text, "utf-8")
    if request.param == "sqlite":
        return Settings(data_dir=tmp_path, menus_dir=menus)
    server: Postgres = request.getfixturevalue("postgres")
    return Settings(data_dir=tmp_path, menus_dir=menus, database_url=server.create_database())


def test_over_midnight_nobody_pays_what_they_did_not_see(settings: Settings) -> None:
    clock = SetClock(BEFORE_MIDNIGHT)
    upgrade(settings)
    seed_demo(settings, clock=clock, random=SystemRandom(clock))
    engine = database(settings)
    ledger = writer(settings, engine, clock)
    with closing(SqlReads(settings.database_url)) as reads:
        served_by = services(
            settings,
            engine=engine,
            reads=reads,
            ledger=ledger,
            clock=clock,
            random=SystemRandom(clock),
        )
        SqlPriceBooks(engine, clock).keep(served_by.prices)
        ledger.start()
        amina = Counter(served_by, clock)

        assert (old := amina.fee()) == Money(7_00, "KES")
        assert amina.pay(old) == "ok"
        clock.at += timedelta(seconds=15)
        assert amina.pay(old) == "fee_changed"
        assert (new := amina.fee()) == Money(9_00, "KES")
        assert amina.pay(new) == "ok"
        ledger.stop()

    with reading(engine) as connection:
        priced = select(journal.c.tariff).where(journal.c.tariff.is_not(None))
        assert set(connection.execute(priced).scalars()) == {served_by.prices.id}
    by_number = {finding.number: finding for finding in verify(engine)}
    engine.dispose()
    assert (by_number[12].checked, by_number[12].shown) == (2, ())
