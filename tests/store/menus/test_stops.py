"""Actions that are stopped, and who did it."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock
from ussd_gateway.store.database import writing
from ussd_gateway.store.menus.stops import SqlStops, Stop
from ussd_gateway.store.menus.versions import SqlVersions

SIX_O_CLOCK_MS = 1_795_240_800_000


@pytest.fixture
def stops(engine: Engine, clock: SetClock) -> SqlStops:
    return SqlStops(engine, clock)


def test_the_last_word_on_an_action_holds(stops: SqlStops, engine: Engine) -> None:
    stops.stop("send_money", author="njeri", note="fraud")
    stops.stop("airtime.buy", author="njeri")
    stops.start("airtime.buy", author="odhiambo")

    assert stops.stopped() == [Stop("send_money", SIX_O_CLOCK_MS, "njeri", "fraud")]
    assert SqlVersions(engine, SetClock()).stopped() == {"send_money"}


@pytest.mark.parametrize("change", ["UPDATE {} SET author = 'nobody'", "DELETE FROM {}"])
def test_what_was_stopped_stays_told(stops: SqlStops, engine: Engine, change: str) -> None:
    stops.stop("send_money", author="njeri")

    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(engine) as connection:
        connection.execute(text(change.format("menu_stopped")))
