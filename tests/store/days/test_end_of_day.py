"""Days are closed in order, whole or not at all, and nobody waits for it."""

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import AMINA, JUMA, MARKET, SetClock, count, pay, started
from tests.store.days.closing import FIRST, ONE_DAY, broken, close_all, ends
from ussd_gateway.domain.book import Outcome
from ussd_gateway.domain.money import Money
from ussd_gateway.store import inquiry
from ussd_gateway.store.database import writing
from ussd_gateway.store.days.clocks import SlowerClock
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.inquiry import Turnover
from ussd_gateway.store.ledger.postgres import PostgresBooks
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import end_of_day


@pytest.mark.usefixtures("two_days")
def test_every_day_that_is_over_is_closed_in_order(days: EndOfDay, wallets: Engine) -> None:
    assert close_all(days) == [FIRST, FIRST + ONE_DAY, FIRST + 2 * ONE_DAY]
    assert ends(wallets) == [
        (AMINA, FIRST, 150, 0, 2),
        (JUMA, FIRST, 0, 150, 2),
        (AMINA, FIRST + 2 * ONE_DAY, 180, 0, 3),
        (JUMA, FIRST + 2 * ONE_DAY, 0, 180, 3),
    ]
    assert broken(wallets) == set()


@pytest.mark.usefixtures("two_days")
def test_a_closed_day_says_what_it_came_to(days: EndOfDay, clock: SetClock) -> None:
    days.close_next()
    found = days.closed(FIRST)

    assert found is not None
    assert (found.journals, found.entries, found.accounts, found.debits) == (2, 4, 2, 150)
    assert found.closed_at_ms == int(clock.at.timestamp() * 1000)


@pytest.mark.usefixtures("two_days")
def test_a_day_on_which_nothing_moved_is_closed_too(days: EndOfDay) -> None:
    close_all(days)
    found = days.closed(FIRST + ONE_DAY)

    assert found is not None
    assert (found.journals, found.entries, found.accounts, found.debits) == (0, 0, 0, 0)


@pytest.mark.usefixtures("two_days")
def test_closing_again_changes_nothing(days: EndOfDay, wallets: Engine) -> None:
    close_all(days)
    before = ends(wallets), days.closed(FIRST)

    assert close_all(days) == []
    assert (ends(wallets), days.closed(FIRST)) == before


@pytest.mark.parametrize(
    ("local", "over"),
    [("2026-11-21 23:59", False), ("2026-11-22 00:09", False), ("2026-11-22 00:10", True)],
)
def test_a_day_is_closed_ten_minutes_after_the_markets_midnight(
    days: EndOfDay, writer: Writer, clock: SetClock, local: str, *, over: bool
) -> None:
    writer.run(pay("k1"), within_s=5)
    clock.at = datetime.fromisoformat(local).replace(tzinfo=MARKET.zone)

    assert days.is_over(FIRST) is over
    assert (days.close_next() is not None) is over


def test_books_without_journals_have_no_day_to_close(days: EndOfDay, clock: SetClock) -> None:
    clock.at += ONE_DAY

    assert days.next_open() is None
    assert days.close_next() is None


@pytest.mark.usefixtures("two_days")
def test_one_who_is_killed_while_closing_is_followed_by_one_who_ends_it(
    days: EndOfDay, wallets: Engine
) -> None:
    """Numbers were stopped, and the first accounts written: the day was not closed."""
    with writing(wallets) as connection:
        connection.execute(text("UPDATE day_counter SET closed = issued WHERE issued = 2"))
        connection.execute(insert(end_of_day).values((AMINA, FIRST, 150, 0, 2)))
    assert days.closed(FIRST) is None
    assert not inquiry.is_closed(wallets, FIRST)
    assert broken(wallets) == set()

    close_all(days)
    assert len(ends(wallets)) == 4
    assert broken(wallets) == set()


def test_two_who_close_the_same_days_write_them_once(
    days: EndOfDay, two_days: Writer, wallets: Engine
) -> None:
    both = [threading.Thread(target=close_all, args=(days,)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()

    assert two_days.alive
    assert len(ends(wallets)) == 4
    assert count(wallets, "closed_day") == 3
    assert broken(wallets) == set()


def test_no_money_moves_on_a_closed_day_even_where_the_clock_is_set_back(
    days: EndOfDay, two_days: Writer, clock: SetClock, wallets: Engine
) -> None:
    close_all(days)
    clock.at -= ONE_DAY

    assert two_days.run(pay("k4"), within_s=5).name == "timeout"
    assert count(wallets, "journal") == 3
    clock.at += ONE_DAY
    assert two_days.run(pay("k4"), within_s=5).name == "ok"
    assert broken(wallets) == set()


def test_a_commit_that_is_still_on_its_way_is_waited_for(
    days: EndOfDay, writer: Writer, clock: SetClock, wallets: Engine
) -> None:
    """It was begun before midnight, and got its date then."""
    writer.run(pay("k1"), within_s=5)
    begun, goes_on = threading.Event(), threading.Event()

    def linger() -> None:
        begun.set()
        goes_on.wait(timeout=5)

    outcomes: list[Outcome] = []
    writer.submit(pay("k2", before=linger), outcomes.append)
    assert begun.wait(timeout=5)
    clock.at += ONE_DAY
    closer = threading.Thread(target=close_all, args=(days,))
    closer.start()
    closer.join(timeout=0.5)
    assert days.closed(FIRST) is None

    goes_on.set()
    closer.join()
    found = days.closed(FIRST)
    assert found is not None
    assert found.journals == 2
    assert [outcome.name for outcome in outcomes] == ["ok"]
    assert broken(wallets) == set()


@pytest.mark.usefixtures("two_days")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE end_of_day SET debits = debits + 1",
        "DELETE FROM end_of_day",
        "UPDATE closed_day SET journals = journals + 1",
        "DELETE FROM closed_day",
        "UPDATE day_counter SET closed = NULL",
        "UPDATE day_counter SET issued = issued + 1",
    ],
)
def test_what_is_closed_stays_closed(days: EndOfDay, wallets: Engine, change: str) -> None:
    close_all(days)
    said = "never change|permission denied|stays closed|ck_day_counter_closed"
    with pytest.raises(DBAPIError, match=said), writing(wallets) as connection:
        connection.execute(text(change))


@pytest.mark.usefixtures("two_days")
def test_the_trial_balance_of_a_day_is_what_the_day_left(
    days: EndOfDay, wallets: Engine
) -> None:
    close_all(days)

    def of(day: date) -> list[Turnover]:
        return inquiry.trial_balance_of(wallets, day)

    assert of(FIRST) == of(FIRST + ONE_DAY) == [_wallets(150, 150)]
    assert of(FIRST + 2 * ONE_DAY) == [_wallets(180, 180)]
    assert inquiry.turnover_of(wallets, FIRST + 2 * ONE_DAY) == [_wallets(30, 30)]
    assert inquiry.turnover_of(wallets, FIRST + ONE_DAY) == []


def _wallets(debits: int, credited: int) -> Turnover:
    moved = (Money(debits, "KES"), Money(credited, "KES"), Money(credited - debits, "KES"))
    return Turnover(2010, *moved)


def test_payments_go_on_while_days_are_closed_and_statements_read(
    wallets: Engine, clock: SetClock
) -> None:
    """The writer never waits for a reader, and every look is of whole commits."""
    with writing(wallets) as connection:
        connection.execute(text("UPDATE account SET credits = 1000000 WHERE id = 1"))
    days = EndOfDay(wallets, clock, MARKET)
    stop = threading.Event()
    outcomes: list[Outcome] = []
    with started(wallets, clock) as writer:
        for number in range(400):
            writer.submit(pay(f"old{number}", 1), outcomes.append)
        writer.run(pay("last of the day", 1), within_s=30)
        clock.at += ONE_DAY

        def pay_on() -> None:
            while not stop.is_set():
                outcomes.append(writer.run(pay(f"new{len(outcomes)}", 1), within_s=5))

        payer = threading.Thread(target=pay_on)
        payer.start()
        try:
            closed = close_all(days)
            seen = [_statement_adds_up(wallets) for _ in range(5)]
            even = [_is_even(wallets, days) for _ in range(5)]
        finally:
            stop.set()
            payer.join()

    assert closed == [FIRST]
    assert all(seen)
    assert all(even)
    assert {outcome.name for outcome in outcomes} == {"ok"}
    assert len(outcomes) > 400
    assert broken(wallets) == set()


def _statement_adds_up(engine: Engine) -> bool:
    found = inquiry.statement(engine, ["w1"], first=FIRST, last=FIRST + ONE_DAY)
    return not isinstance(found, inquiry.TooLong) and found is not None and found.adds_up


def _is_even(engine: Engine, days: EndOfDay) -> bool:
    (wallets,) = inquiry.trial_balance_of(engine, FIRST)
    assert days.closed(FIRST) is not None
    return wallets.debits == wallets.credits == Money(401, "KES")


def test_a_clock_that_ran_ahead_alone_closes_no_day(
    wallets: Engine, writer: Writer, clock: SetClock
) -> None:
    """The database's clock is right."""
    clock.at = datetime.now(UTC)
    writer.run(pay("k1"), within_s=5)
    ahead = SetClock(clock.at + 3 * ONE_DAY)
    days = EndOfDay(wallets, SlowerClock(wallets, ahead), MARKET)

    assert close_all(days) == []
    clock.at += ONE_DAY
    assert writer.run(pay("k2"), within_s=5).name == "ok"


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_nothing_is_dated_on_a_day_that_has_not_begun_by_the_servers_clock(
    wallets: Engine,
) -> None:
    ahead, right = SetClock(datetime.now(UTC) + 2 * ONE_DAY), SetClock(datetime.now(UTC))

    def books(engine: Engine) -> PostgresBooks:
        return PostgresBooks(engine, MARKET.zone)

    with started(wallets, ahead, books) as ran_ahead:
        assert ran_ahead.run(pay("k1"), within_s=5).name == "timeout"
        assert (count(wallets, "journal"), count(wallets, "day_counter")) == (0, 0)
        with started(wallets, right, books) as writer:
            assert writer.run(pay("k2"), within_s=5).name == "ok"
        ahead.at = right.at
        assert ran_ahead.run(pay("k1"), within_s=5).name == "ok"


def test_a_clock_that_is_behind_closes_no_day_either(wallets: Engine) -> None:
    behind = SetClock(datetime(2020, 1, 1, tzinfo=UTC))

    assert SlowerClock(wallets, behind).now() == behind.at


def test_no_money_moves_before_the_first_closed_day(
    days: EndOfDay, two_days: Writer, clock: SetClock, wallets: Engine
) -> None:
    close_all(days)
    clock.at -= 10 * ONE_DAY

    assert two_days.run(pay("k4"), within_s=5).name == "timeout"
    assert count(wallets, "journal") == 3
    clock.at += 10 * ONE_DAY
    assert two_days.run(pay("k4"), within_s=5).name == "ok"
    assert broken(wallets) == set()
