"""The same menus by every route: fixtures/transcripts/routes sends money on each; here is what
must not happen to it on the way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.golden import ROOT
from tests.world import AMINA, NewDatabase, SqliteCast, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.simulators.handset import Handset, Screen
from ussd_gateway.simulators.vendors import VENDORS

TRANSCRIPTS = ROOT / "fixtures" / "transcripts" / "routes"
PIN = "4826"
NOT_SERVED = "This code is not in service. Nothing was charged."
DIAL_AGAIN = "Please dial again. Nothing was charged."
PIN_DIALLED = (
    "Dial again, unless an SMS says that it was done. Never put your PIN in the code you dial."
)


@pytest.fixture
def new_database(sqlite_cast: SqliteCast, tmp_path: Path) -> Iterator[NewDatabase]:
    """On one database: what is tested here does not lean on it."""
    with sqlite_cast.databases(tmp_path) as new:
        yield new


@pytest.fixture(params=VENDORS)
def route(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def phone(world: GatewayWorld, route: str) -> Handset:
    phone = world.phone(AMINA)
    phone.dial("*384#", by=route)
    return phone


def pays(phone: Handset) -> Screen:
    for typed in ("1", "0711000002", "500"):
        assert not phone.enter(typed).ends
    return phone.enter(PIN)


def paid(world: GatewayWorld) -> int:
    [(count,)] = rows(world, "SELECT count(*) FROM journal WHERE kind = 'send_money'")
    return int(count)


def test_money_is_sent_in_a_conversation_by_each_route() -> None:
    assert sorted(path.stem for path in TRANSCRIPTS.iterdir()) == sorted(VENDORS)


def test_every_route_shows_the_same_screens() -> None:
    """But where what is dialled behind the code does not come."""
    told = {
        path.read_text("utf-8").split("\n", 2)[2]
        for path in TRANSCRIPTS.iterdir()
        if path.stem != "beem"
    }
    assert len(told) == 1


def test_a_payment_that_comes_again_late_is_paid_once(
    world: GatewayWorld, phone: Handset
) -> None:
    answer = pays(phone)
    world.wait(timedelta(seconds=20))
    again = phone.repeat()

    assert answer.ends
    assert again.identical
    assert paid(world) == 1
    assert len(world.sms()) == 2


def test_a_session_that_is_lost_after_its_payment_still_answers_with_it(
    world: GatewayWorld, phone: Handset
) -> None:
    answer = pays(phone)
    world.client.flushdb()
    again = phone.repeat()

    assert again.screen == answer
    assert paid(world) == 1


def test_a_session_that_is_lost_before_its_payment_pays_nothing(
    world: GatewayWorld, phone: Handset, route: str
) -> None:
    for typed in ("1", "0711000002", "500"):
        phone.enter(typed)
    world.client.flushdb()
    answer = phone.enter(PIN)

    # Where every input comes again, it looks as if all of it had been dialled, the PIN too.
    told = PIN_DIALLED if route == "africastalking" else DIAL_AGAIN
    assert answer == Screen(told, ends=True)
    assert paid(world) == 0


def test_a_phone_that_leaves_and_comes_back_pays_once(
    world: GatewayWorld, phone: Handset, route: str
) -> None:
    for typed in ("1", "0711000002", "500"):
        phone.enter(typed)
    phone.hang_up()
    world.wait(timedelta(hours=1))
    phone.dial("*384#", by=route)

    assert pays(phone).ends
    assert paid(world) == 1


@pytest.mark.parametrize("route", [route for route in VENDORS if route != "beem"])
def test_a_code_that_is_not_ours_is_an_end_by_every_route(
    world: GatewayWorld, route: str
) -> None:
    screen = world.phone(AMINA).dial("*999#", by=route)
    assert screen == Screen(NOT_SERVED, ends=True)


def test_what_is_typed_is_in_no_log(world: GatewayWorld, phone: Handset) -> None:
    phone.enter("90817263")
    phone.hang_up()

    assert world.logs
    assert "90817263" not in "".join(world.logs)
