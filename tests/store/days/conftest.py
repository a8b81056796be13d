"""Books with two days on which somebody paid."""

import pytest
from sqlalchemy import Engine

from tests.store.conftest import MARKET, SetClock, pay
from tests.store.days.closing import ONE_DAY
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.ledger.writer import Writer


@pytest.fixture
def days(wallets: Engine, clock: SetClock) -> EndOfDay:
    return EndOfDay(wallets, clock, MARKET)


@pytest.fixture
def two_days(writer: Writer, clock: SetClock) -> Writer:
    """Amina pays Juma twice on the 21st, and once on the 23rd; now it is the 24th."""
    for key, minor in (("k1", 100), ("k2", 50)):
        assert writer.run(pay(key, minor), within_s=5).name == "ok"
    clock.at += 2 * ONE_DAY
    assert writer.run(pay("k3", 30), within_s=5).name == "ok"
    clock.at += ONE_DAY
    return writer
