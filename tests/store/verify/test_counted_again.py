"""What limits count is counted again by the checker, to the last cent: over midnights and ends
of months, with clocks that are set back, whatever comes back and whenever."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select

from tests.store.conftest import MARKET, SetClock
from tests.store.orders.staffed import AMINAS, Office, by, house, staffed, wrong
from ussd_gateway.domain.accounts import AIRTIME_ON_ORDER
from ussd_gateway.domain.book import (
    Book,
    Decision,
    Purchase,
    PurchaseSettled,
    PurchaseState,
    Spent,
    Work,
)
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.rows import day_of
from ussd_gateway.store.schema import account
from ussd_gateway.store.snapshot import snapshot
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.usage import RULE, check_usage

# Nairobi is three hours ahead: its December begins here.
DECEMBER = datetime(2026, 11, 30, 21, 0, tzinfo=UTC)
DAY, MONTH = timedelta(days=1), timedelta(days=31)
AMINA = Msisdn("+254711000001")


@pytest.fixture
def office(engine: Engine, clock: SetClock) -> Iterator[Office]:
    with staffed(engine, clock) as office:
        yield office


def counted_wrong(engine: Engine) -> list[str]:
    counted = Tally(None, RULE, "accounts")
    with snapshot(engine) as books:
        check_usage(books, counted)
    assert counted.checked > 0
    return counted.shown


def used(engine: Engine) -> tuple[str, int, int]:
    columns = select(account.c.used_on, account.c.used_day, account.c.used_month)
    with reading(engine) as connection:
        on, day, month = connection.execute(columns.where(account.c.id == AMINAS)).one()
    return day_of(on).isoformat(), day, month


def taken_back(office: Office, receipt: str, minor: int | None, *, whole: bool = False) -> str:
    amount = None if minor is None else Money(minor, "KES")
    asked = office.reversals.ask(receipt, amount, by(), whole=whole)
    if asked.name != "ok":
        return asked.name
    hold = asked.values["hold"]
    assert isinstance(hold, int)
    return office.reversals.approve(hold, None, by("baraka", "")).name


def buys(office: Office, key: str, minor: int, clock: SetClock) -> None:
    """Airtime, on order from now on."""
    at_ms = int(clock.now().timestamp() * 1000)
    bought = Purchase(key, "airtime", 1, AMINA, Money(minor, "KES"), "", "", at_ms)
    legs = (Leg(AMINAS, minor), Leg(house(AIRTIME_ON_ORDER), -minor))
    decision = Decision(
        "ok",
        {"amount": bought.amount},
        Posting("airtime", legs),
        changes=(bought,),
        spent=Spent(AMINAS, minor),
    )
    _run(office, key, decision)


def gets_back(office: Office, key: str, minor: int, *, of: datetime) -> None:
    legs = (Leg(house(AIRTIME_ON_ORDER), minor), Leg(AMINAS, -minor))
    back_of = MARKET.business_date(int(of.timestamp() * 1000))
    decision = Decision(
        "carrier_refused",
        {"amount": Money(minor, "KES")},
        Posting("airtime_returned", legs),
        changes=(PurchaseSettled(key, PurchaseState.REFUSED, None, ""),),
        spent=Spent(AMINAS, minor, back_of=back_of),
    )
    _run(office, f"{key}:settled", decision)


def _run(office: Office, key: str, decision: Decision) -> None:
    def decide(_book: Book) -> Decision:
        return decision

    work = Work(key, key, 1_000, (), (AMINAS, house(AIRTIME_ON_ORDER)), decide)
    assert office.writer.run(work, within_s=10).name in ("ok", "carrier_refused")


def test_over_midnight_and_the_end_of_a_month(office: Office, clock: SetClock) -> None:
    clock.at = DECEMBER - timedelta(seconds=1)
    first = office.sends(100_00)
    office.withdraws(50_00)
    clock.at = DECEMBER
    second = office.sends(30_00)
    assert used(office.engine) == ("2026-12-01", 30_00, 30_00)

    assert taken_back(office, first, 40_00) == "ok", "of a month that counts no more"
    assert used(office.engine) == ("2026-12-01", 30_00, 30_00)
    assert taken_back(office, second, 10_00) == "ok"
    assert used(office.engine) == ("2026-12-01", 20_00, 20_00)
    clock.at += DAY
    assert taken_back(office, second, 5_00) == "ok", "of a day that counts no more"
    assert used(office.engine) == ("2026-12-01", 15_00, 15_00)
    assert wrong(office.engine) == []


def test_what_a_clock_that_was_set_back_counts_on_the_later_date(
    office: Office, clock: SetClock
) -> None:
    clock.at = DECEMBER
    office.sends(30_00)
    clock.at = DECEMBER - timedelta(seconds=1)
    late = office.sends(20_00)
    assert used(office.engine) == ("2026-12-01", 50_00, 50_00)

    assert taken_back(office, late, None) == "ok"
    assert used(office.engine) == ("2026-12-01", 50_00, 50_00), "it is of November"
    assert wrong(office.engine) == []


def test_airtime_that_comes_back_on_another_day(office: Office, clock: SetClock) -> None:
    clock.at = DECEMBER
    buys(office, "a", 10_00, clock)
    buys(office, "b", 20_00, clock)
    gets_back(office, "a", 10_00, of=DECEMBER)
    clock.at += DAY
    office.sends(5_00)
    gets_back(office, "b", 20_00, of=DECEMBER)

    assert used(office.engine) == ("2026-12-02", 5_00, 5_00)
    assert counted_wrong(office.engine) == []


def test_a_whole_reversal_gives_back_what_was_counted_and_not_the_fee(
    office: Office, clock: SetClock
) -> None:
    clock.at = DECEMBER
    office.sends(30_00)
    assert taken_back(office, office.withdraws(50_00), None, whole=True) == "ok"

    assert used(office.engine) == ("2026-12-01", 30_00, 30_00)
    assert wrong(office.engine) == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order(office: Office, clock: SetClock, seed: int) -> None:
    chance, receipts, orders = Random(seed), list[str](), list[tuple[str, int, datetime]]()
    clock.at = DECEMBER - 2 * DAY
    jumps = (DAY, DAY, timedelta(hours=1), -timedelta(hours=1), -DAY, MONTH, -MONTH)
    for turn in range(60):
        minor = chance.randint(1, 20_00)
        match chance.randrange(8):
            case 0 | 1:
                receipts.append(office.sends(minor))
            case 2:
                receipts.append(office.withdraws(minor))
            case 3:
                buys(office, f"airtime{turn}", minor, clock)
                orders.append((f"airtime{turn}", minor, clock.at))
            case 4 if orders:
                key, ordered, at = orders.pop(chance.randrange(len(orders)))
                gets_back(office, key, ordered, of=at)
            case 5 if receipts:
                taken_back(office, chance.choice(receipts), minor)
            case 6 if receipts:
                taken_back(office, chance.choice(receipts), None, whole=True)
            case _:
                clock.at += chance.choice(jumps)
        if turn % 20 == 0:
            assert counted_wrong(office.engine) == []

    assert counted_wrong(office.engine) == []
    assert len(receipts) > 5


def test_what_is_counted_while_they_pay_fits_at_every_moment(office: Office) -> None:
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            taken_back(office, office.sends(2), 1)

    payer = threading.Thread(target=go_on)
    payer.start()
    found = [each for _ in range(10) for each in counted_wrong(office.engine)]
    stop.set()
    payer.join()

    assert found == []
    assert used(office.engine)[1] > 0


def test_what_counts_on_an_account_that_is_no_wallet_is_told(office: Office) -> None:
    with writing(office.engine) as connection:
        connection.exec_driver_sql(
            "UPDATE account SET used_on = '2026-12-01', used_month = 1 WHERE id = 3"
        )

    (told,) = counted_wrong(office.engine)
    assert told.startswith("account 3 (100200): limits count 0 of 2026-12-01 and 1 of its")
