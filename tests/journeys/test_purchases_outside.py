"""Purchases whose other half is outside: whatever the carrier says, and whenever, the money is
at one place, and ends where it belongs."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from tests.world import AMINA, JUMA, Line, rows
from ussd_gateway import app
from ussd_gateway.cli.stage.world import GatewayWorld, StillClock, opened
from ussd_gateway.domain.book import Purchase
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Standing, Supplied
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.schema import subscriber
from ussd_gateway.store.sessions.client import lease_ms
from ussd_gateway.store.verify import verify

AIRTIME, CONTENT = ("4", "50"), ("3", "3")
PIN = "4826"
# Of the vendor's test range: it takes an order, and fails it later.
GHOST = "+254700000077"
ELSEWHERE = "+254711000044"


def test_airtime_that_failed_late_cannot_be_bought_again_while_its_vendor_remembers(
    world: GatewayWorld,
) -> None:
    """The vendor would take it for a repeat, and never say what became of it."""
    move(world, AMINA, GHOST)
    assert "Paid KES 50.00" in Line(world, "first", GHOST).walks(*AIRTIME, PIN)
    world.sms()
    assert on_order(world) == "KES 0.00"

    assert Line(world, "soon", GHOST).walks(*AIRTIME).startswith("END ")
    world.wait(timedelta(minutes=6))
    assert "Paid KES 50.00" in Line(world, "later", GHOST).walks(*AIRTIME, PIN)
    long_after(world)
    assert on_order(world) == "KES 0.00"
    assert states(world) == ["airtime refused", "airtime refused"]


def test_airtime_from_two_sessions_at_the_pin_is_bought_once(world: GatewayWorld) -> None:
    lines = [Line(world, "first"), Line(world, "second")]
    for line in lines:
        line.walks(*AIRTIME)

    assert "Paid KES 50.00" in lines[0].sends(*AIRTIME, PIN)
    assert "Paid KES 50.00" not in lines[1].sends(*AIRTIME, PIN)
    assert str(world.balances()["Amina"]) == "KES 4,950.00"
    long_after(world)
    assert on_order(world) == "KES 0.00"
    assert states(world) == ["airtime done", "airtime refused"]


def test_money_that_a_full_wallet_cannot_take_back_is_given_once_there_is_room(
    world: GatewayWorld,
) -> None:
    buy(world, AIRTIME, mood="silent")
    world.give("Amina", Money(500_000_00, "KES"))
    assert world.reports(status("ATQid_9", "Failed")).status_code == 503
    assert on_order(world) == "KES 50.00"

    world.give("Amina", Money(100_00, "KES"))
    long_after(world)
    assert on_order(world) == "KES 0.00"
    assert str(world.balances()["Amina"]) == "KES 150.00"


def test_a_refusal_in_the_hop_that_could_not_be_booked_is_booked_later(
    settings: Settings,
) -> None:
    """Somebody fills the wallet just then. The vendor is not asked again: it said its last
    word."""

    def fill(_within_s: float) -> None:
        world.give("Amina", Money(500_000_00, "KES"))

    carrier = LastWord(Supplied(Standing.REFUSED, None, "Failed"), fill)
    with opened(settings, carriers=app.Carriers(carrier, carrier)) as world:
        assert "Paid KES 50.00" in buy(world, AIRTIME)
        assert on_order(world) == "KES 50.00"

        world.give("Amina", Money(100_00, "KES"))
        long_after(world)
        assert on_order(world) == "KES 0.00"
        assert states(world) == ["airtime refused"]


@pytest.mark.parametrize(
    ("bought", "mood", "barred", "settled"),
    [
        (CONTENT, "silent after charging", "700700", "content done"),
        (AIRTIME, "silent", AMINA, "airtime refused"),
    ],
)
def test_what_a_barred_account_is_to_get_waits_until_it_takes_it(
    world: GatewayWorld, bought: tuple[str, ...], mood: str, barred: str, settled: str
) -> None:
    """The buyer is told then, and nothing is charged or asked for a second time."""
    freeze = "UPDATE account SET status = '{}' WHERE public_ref = '" + barred + "'"
    buy(world, bought, mood=mood)
    world.sms()
    run(world, freeze.format("frozen_both"))
    if bought is AIRTIME:
        assert world.reports(status("ATQid_9", "Failed")).status_code == 503
    before = world.balances()
    world.wait(timedelta(hours=1))
    assert [one.endswith(" asked") for one in states(world)] == [True]
    assert (world.balances(), world.sms()) == (before, [])

    run(world, freeze.format("active"))
    world.wait(timedelta(hours=1))
    assert states(world) == [settled]
    assert world.sms()
    assert all(finding.ok for finding in verify(world.gateway.engine))


def test_a_purchase_that_breaks_harms_none_beside_it(world: GatewayWorld) -> None:
    buy(world, CONTENT, mood="silent after charging")
    Line(world, "airtime").walks(*AIRTIME, PIN)
    run(world, "UPDATE purchase SET merchant = 'nobody' WHERE kind = 'content'")
    run(world, "UPDATE purchase SET heard = 'done' WHERE kind = 'airtime'")

    world.wait(timedelta(minutes=1))
    assert states(world) == ["airtime done", "content asked"]
    run(world, "UPDATE purchase SET merchant = '700700' WHERE kind = 'content'")
    world.wait(timedelta(minutes=1))
    assert states(world) == ["airtime done", "content done"]


def test_a_number_that_changed_hands_brings_its_new_owner_no_money(
    world: GatewayWorld,
) -> None:
    buy(world, AIRTIME, mood="silent")
    move(world, AMINA, ELSEWHERE)
    move(world, JUMA, AMINA)
    assert world.reports(status("ATQid_9", "Failed")).status_code == 503
    long_after(world)
    assert str(world.balances()["Juma"]) == "KES 250.00"
    assert states(world) == ["airtime asked"]

    move(world, AMINA, JUMA)
    move(world, ELSEWHERE, AMINA)
    long_after(world)
    assert str(world.balances()["Amina"]) == "KES 5,000.00"
    assert states(world) == ["airtime refused"]


def test_a_number_that_changed_hands_is_told_of_no_charge_of_another(
    world: GatewayWorld,
) -> None:
    buy(world, CONTENT, mood="silent after charging")
    move(world, AMINA, ELSEWHERE)
    move(world, JUMA, AMINA)
    world.wait(timedelta(hours=1))
    assert states(world) == ["content asked"]
    assert world.sms() == []

    move(world, AMINA, JUMA)
    move(world, ELSEWHERE, AMINA)
    world.wait(timedelta(hours=1))
    assert states(world) == ["content done"]


def test_a_charge_that_was_asked_for_late_is_not_taken_for_absent_at_once(
    world: GatewayWorld,
) -> None:
    """The program died between the PIN and the carrier, and was back ten minutes later. What
    it sent then may be on its way for two minutes more."""
    buy(world, CONTENT, mood="silent")
    run(world, "UPDATE purchase SET state = 'due', tries = 0, first_asked_ms = NULL")
    world.carrier("silent")
    world.wait(timedelta(minutes=10))
    for _ in range(11):
        world.wait(timedelta(seconds=10))
        assert states(world) == ["content asked"]

    world.wait(timedelta(minutes=5))
    assert states(world) == ["content refused"]


@pytest.mark.parametrize(
    ("mood", "bought"),
    [
        ("answers", AIRTIME),
        ("refuses", AIRTIME),
        ("silent", AIRTIME),
        ("answers", CONTENT),
        ("refuses", CONTENT),
        ("silent", CONTENT),
    ],
)
def test_whatever_a_purchase_came_to_is_told_again_when_the_session_is_lost(
    settings: Settings, mood: str, bought: tuple[str, ...]
) -> None:
    with opened(settings, clock=Ticking()) as world:
        answer = buy(world, bought, mood=mood)
        for _ in range(2):
            world.client.flushdb()
            assert Line(world, "buys").sends(*bought, PIN) == answer


def test_a_report_that_contradicts_the_first_is_taken_and_moves_nothing(
    world: GatewayWorld,
) -> None:
    buy(world, AIRTIME)
    world.sms()
    before = world.balances()

    assert world.reports(status(name(world), "Failed")).status_code == 200
    assert world.balances() == before
    assert states(world) == ["airtime done"]
    assert world.sms() == []
    assert all(finding.ok for finding in verify(world.gateway.engine))


@pytest.mark.parametrize(
    "foreign",
    [{"phoneNumber": JUMA}, {"value": "KES 5.0000"}, {"requestId": "ATQid_another"}],
    ids=lambda one: next(iter(one)),
)
def test_a_report_of_something_else_settles_nothing(
    world: GatewayWorld, foreign: dict[str, str]
) -> None:
    buy(world, AIRTIME)
    world.reports({**status(name(world), "Success"), **foreign})

    assert states(world) == ["airtime asked"]


# Only there: it takes seconds, and a row that is held there holds every commit.
@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("commit_s", [0.0, 2.5], ids=["quick", "slow"])
def test_a_hop_with_a_slow_carrier_and_slow_books_ends_before_its_lease(
    settings: Settings, commit_s: float
) -> None:
    books = Holding(settings.database_url)

    def lag(within_s: float) -> None:
        time.sleep(within_s)
        books.begin(3.3)

    carrier = LastWord(Supplied(Standing.DONE, "late", "succeeded"), lag)
    with opened(settings, clock=RealClock(), carriers=app.Carriers(carrier, carrier)) as world:
        line = Line(world, "slow")
        line.walks(*CONTENT)
        if commit_s:
            books.begin(commit_s)
        began_s = time.monotonic()
        answer = line.sends(*CONTENT, PIN)
        took_s = time.monotonic() - began_s
        books.end()

    assert answer.startswith("END ")
    assert took_s < lease_ms / 1000 - 1


class Ticking(StillClock):
    """Goes on by a millisecond each time it is read, as no two things happen at once."""

    def now(self) -> datetime:
        self.wait(timedelta(milliseconds=1))
        return super().now()


class RealClock(StillClock):
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class LastWord:
    """`ports.Carrier`. Says the same to all who ask, once something happened `meanwhile`."""

    says: Supplied
    meanwhile: Callable[[float], None]

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:  # noqa: ARG002
        self.meanwhile(within_s)
        return self.says

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:  # noqa: ARG002
        return Supplied(Standing.UNKNOWN, None, "nothing is told twice")


class Holding:
    """Transactions of somebody else, on rows that a commit needs."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._threads: list[threading.Thread] = []

    def begin(self, span_s: float) -> None:
        """Returns once the rows are held."""
        held = threading.Event()

        def hold() -> None:
            with writing(self._engine) as connection:
                connection.execute(select(subscriber.c.id).with_for_update())
                held.set()
                time.sleep(span_s)

        self._threads.append(threading.Thread(target=hold))
        self._threads[-1].start()
        held.wait()

    def end(self) -> None:
        for thread in self._threads:
            thread.join()
        self._engine.dispose()


def buy(world: GatewayWorld, bought: tuple[str, ...], *, mood: str = "answers") -> str:
    """What the phone shows in the end; the carrier is of that mood just then."""
    line = Line(world, "buys")
    line.walks(*bought)
    world.carrier(mood)
    answer = line.sends(*bought, PIN)
    world.carrier("answers")
    return answer


def states(world: GatewayWorld) -> list[str]:
    """Of the purchases, in no order of their own."""
    return sorted(" ".join(each) for each in rows(world, "SELECT kind, state FROM purchase"))


def name(world: GatewayWorld) -> str:
    """The vendor's, of the only purchase."""
    [(supplier_id,)] = rows(world, "SELECT supplier_id FROM purchase")
    return str(supplier_id)


def on_order(world: GatewayWorld) -> str:
    return str(world.balances()["airtime on order"])


def test_airtime_that_is_on_its_way_still_cannot_be_bought_again_however_old_it_is(
    world: GatewayWorld,
) -> None:
    """Of two without the vendor's name nobody can tell which one it reports."""
    buy(world, AIRTIME, mood="silent")
    world.wait(timedelta(minutes=10))

    assert Line(world, "again").walks(*AIRTIME).startswith("END ")
    assert on_order(world) == "KES 50.00"


def test_airtime_that_was_asked_for_late_cannot_be_bought_again_while_its_vendor_remembers(
    world: GatewayWorld,
) -> None:
    """The vendor's five minutes begin when it was asked, and not when it was bought."""
    buy(world, AIRTIME, mood="silent")
    run(world, "UPDATE purchase SET state = 'due', tries = 0, first_asked_ms = NULL")
    world.wait(timedelta(minutes=10))
    world.sms()
    assert on_order(world) == "KES 0.00"

    assert Line(world, "again").walks(*AIRTIME).startswith("END ")
    world.wait(timedelta(minutes=6))
    assert "Paid KES 50.00" in Line(world, "later").walks(*AIRTIME, PIN)
    long_after(world)
    assert on_order(world) == "KES 0.00"


def status(request_id: str, word: str) -> dict[str, str]:
    """What the vendor posts of Amina's airtime."""
    return {
        "requestId": request_id,
        "status": word,
        "phoneNumber": AMINA,
        "description": word,
        "value": "KES 50.0000",
        "discount": "KES 2.0000",
    }


def long_after(world: GatewayWorld) -> None:
    for _ in range(16):
        world.wait(timedelta(hours=1))
    world.sms()


def move(world: GatewayWorld, number: str, to: str) -> None:
    """To another number; the wallet of who has it goes along."""
    run(
        world, "UPDATE subscriber SET msisdn = :to WHERE msisdn = :number", to=to, number=number
    )


def run(world: GatewayWorld, statement: str, **values: object) -> None:
    with writing(world.gateway.engine) as connection:
        connection.execute(text(statement), values)
