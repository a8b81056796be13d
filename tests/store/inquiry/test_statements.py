"""A statement begins with what the one before it left, and is read by key."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from tests.store.conftest import AMINA, JUMA, MARKET, SetClock, is_ok, pay, started, wallet
from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.domain.book import Book, Decision, HoldPlaced, Work
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posting
from ussd_gateway.domain.statement import Line, Statement
from ussd_gateway.store import inquiry
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.inquiry import TooLong
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account, business, end_of_day, subscriber

DAY = date(2026, 11, 21)
ONE_DAY = timedelta(days=1)
FEES = HOUSE_ID_MIN + 7


@pytest.fixture
def holders(wallets: Engine) -> Engine:
    """The wallets are Amina's and Juma's; Otieno Hardware has a till, the house an account."""
    with writing(wallets) as connection:
        connection.execute(insert(account), [wallet(3, 0), wallet(FEES, 0)])
        connection.execute(
            insert(subscriber),
            [_person(AMINA, "Amina Wafula"), _person(JUMA, "Juma Otieno")],
        )
        connection.execute(
            insert(business).values(
                number="500500",
                trade="merchant",
                name="Otieno Hardware",
                msisdn="+254733000001",
                language="en",
                account_id=3,
                account_digits=0,
            )
        )
    return wallets


def _person(number: int, name: str) -> dict[str, object]:
    return {
        "id": number,
        "msisdn": f"+25471100000{number}",
        "name": name,
        "language": "en",
        "tier": "standard",
        "active": True,
        "wallet_id": number,
        "pin_kid": "k1",
        "pin_salt": b"salt",
        "pin_tag": b"tag",
        "wrong_tries": 0,
    }


def moved(key: str, *legs: Leg) -> Work:
    return Work(
        key=key,
        content=key,
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=tuple(leg.account_id for leg in legs),
        decide=lambda _book: Decision("ok", {}, Posting("buy_goods", legs)),
    )


def of(engine: Engine, ref: str, first: date = DAY, last: date = DAY) -> Statement:
    found = inquiry.statement(engine, [ref], first=first, last=last)
    assert isinstance(found, Statement)
    return found


def amounts(statement: Statement) -> list[int]:
    return [line.minor for line in statement.lines]


def test_what_went_is_negative_for_one_and_positive_for_the_other(
    writer: Writer, holders: Engine
) -> None:
    writer.run(pay("k1", 100), within_s=5)
    writer.run(pay("k2", 50), within_s=5)
    amina, juma = of(holders, "w1"), of(holders, "w2")

    assert (amina.opening_minor, amounts(amina), amina.closing.minor) == (
        *(1_000, [-100, -50]),
        850,
    )
    assert (juma.opening_minor, amounts(juma), juma.closing.minor) == (0, [100, 50], 150)
    assert (amina.paid_in.minor, amina.paid_out.minor) == (0, 150)
    assert amina.adds_up
    assert juma.adds_up


def test_a_line_tells_when_what_with_whom_and_what_was_left(
    writer: Writer, holders: Engine
) -> None:
    outcome = writer.run(pay("k1", 100), within_s=5)
    found = of(holders, "w1")

    assert found.holder == "Amina Wafula"
    assert found.lines == (
        Line(
            at_ms=1_000,
            receipt=str(outcome.values["receipt"]),
            kind="pay",
            other="Juma Otieno 0711***002",
            minor=-100,
            balance_minor=900,
        ),
    )


def test_the_other_party_is_whoever_is_not_the_house(writer: Writer, holders: Engine) -> None:
    legs = (Leg(AMINA, 107), Leg(FEES, -7), Leg(3, -100))
    assert is_ok(writer.run(moved("k1", *legs), within_s=5))

    assert of(holders, "w1").lines[0].other == "Otieno Hardware 500500"
    assert of(holders, "w3").lines[0].other == "Amina Wafula 0711***001"
    assert of(holders, "w3").holder == "Otieno Hardware"
    fees = of(holders, f"w{FEES}")
    assert fees.holder == ""
    assert fees.lines[0].other == "Amina Wafula 0711***001"


def test_where_only_the_house_stood_on_the_other_side_there_is_no_other_party(
    writer: Writer, holders: Engine
) -> None:
    writer.run(moved("k1", Leg(AMINA, 7), Leg(FEES, -7)), within_s=5)

    assert of(holders, "w1").lines[0].other == ""


def test_each_statement_begins_with_what_the_one_before_it_left(
    writer: Writer, holders: Engine, clock: SetClock
) -> None:
    for number in range(9):
        writer.run(pay(f"k{number}", 10 + number), within_s=5)
        clock.at += ONE_DAY / 2
    days = [of(holders, "w1", DAY + n * ONE_DAY, DAY + n * ONE_DAY) for n in range(-1, 6)]

    assert [amounts(day) for day in days] == [
        *([], [-10, -11], [-12, -13], [-14, -15], [-16, -17], [-18], []),
    ]
    for before, after in itertools.pairwise(days):
        assert before.closing == after.opening
    assert all(day.adds_up for day in days)
    whole = of(holders, "w1", DAY - ONE_DAY, DAY + 5 * ONE_DAY)
    assert amounts(whole) == [minor for day in days for minor in amounts(day)]


def test_a_day_is_the_markets(writer: Writer, holders: Engine, clock: SetClock) -> None:
    clock.at = datetime(2026, 11, 21, 20, 59, 59, tzinfo=UTC)
    writer.run(pay("k1", 1), within_s=5)
    clock.at += timedelta(seconds=1)
    writer.run(pay("k2", 2), within_s=5)

    assert amounts(of(holders, "w1")) == [-1]
    assert amounts(of(holders, "w1", DAY + ONE_DAY, DAY + ONE_DAY)) == [-2]


def test_a_period_in_which_nothing_moved_holds_what_was_there(
    writer: Writer, holders: Engine
) -> None:
    writer.run(pay("k1", 100), within_s=5)
    after = of(holders, "w1", DAY + ONE_DAY, DAY + ONE_DAY)
    before = of(holders, "w1", DAY - ONE_DAY, DAY - ONE_DAY)
    never = of(holders, "w3")

    assert (after.opening_minor, after.lines, after.closing.minor) == (900, (), 900)
    assert (before.opening_minor, before.closing.minor) == (1_000, 1_000)
    assert (never.opening_minor, never.closing.minor) == (0, 0)


def test_an_entry_stands_in_the_statement_of_its_business_date(
    writer: Writer, holders: Engine, clock: SetClock
) -> None:
    """A process whose clock was ahead wrote one of the next day among those of this one."""
    with started(holders, clock_ahead := SetClock()) as ahead:
        clock_ahead.at = clock.at + ONE_DAY
        writer.run(pay("k1", 1), within_s=5)
        ahead.run(pay("k2", 100), within_s=5)
        for number in (2, 3):
            writer.run(pay(f"this{number}", number), within_s=5)
        ahead.run(pay("k3", 200), within_s=5)
    first, second = of(holders, "w2"), of(holders, "w2", DAY + ONE_DAY, DAY + ONE_DAY)

    assert amounts(first) == [1, 2, 3]
    assert [line.balance_minor for line in first.lines] == [1, 3, 6]
    assert amounts(second) == [100, 200]
    assert (first.closing.minor, second.opening_minor, second.closing.minor) == (6, 6, 306)
    assert amounts(of(holders, "w2", DAY, DAY + ONE_DAY)) == [1, 2, 3, 100, 200]


@pytest.mark.parametrize("days_ahead", [1, 3, 400])
def test_a_statement_comes_to_what_the_end_of_day_says(
    writer: Writer, holders: Engine, clock: SetClock, days_ahead: int
) -> None:
    days = EndOfDay(holders, clock, MARKET)
    with started(holders, ahead := SetClock()) as fast:
        ahead.at = clock.at + days_ahead * ONE_DAY
        fast.run(pay("ahead", 500), within_s=5)
    for number in range(4):
        writer.run(pay(f"a{number}", 10 + number), within_s=5)
        writer.run(pay(f"b{number}", 20 + number), within_s=5)
        clock.at += ONE_DAY
    before = [of(holders, "w2", DAY + n * ONE_DAY, DAY + n * ONE_DAY) for n in range(4)]
    while days.close_next():
        pass
    after = [of(holders, "w2", DAY + n * ONE_DAY, DAY + n * ONE_DAY) for n in range(4)]

    assert before == after
    assert all(each.adds_up for each in after)
    with reading(holders) as connection:
        ends = connection.execute(
            select(end_of_day.c.business_date, end_of_day.c.credits - end_of_day.c.debits)
            .where(end_of_day.c.account_id == JUMA)
            .order_by(end_of_day.c.business_date)
        )
        assert [(each.last, each.closing.minor) for each in after] == list(map(tuple, ends))


def test_a_statement_finds_what_stands_far_from_its_place(
    writer: Writer, holders: Engine, clock: SetClock
) -> None:
    """More entries than a page lie between where it stands and where its day does."""
    with started(holders, ahead := SetClock()) as fast:
        ahead.at = clock.at + 2 * ONE_DAY
        fast.run(pay("ahead", 300), within_s=5)
    ticks: list[object] = []
    for number in range(600):
        writer.submit(pay(f"k{number}", 1), ticks.append)
    writer.run(pay("last", 1), within_s=30)
    clock.at += 3 * ONE_DAY
    while EndOfDay(holders, clock, MARKET).close_next():
        pass
    late = of(holders, "w2", DAY + 2 * ONE_DAY, DAY + 2 * ONE_DAY)

    assert (late.opening_minor, amounts(late), late.closing.minor) == (601, [300], 901)
    assert amounts(of(holders, "w2")) == [1] * 601


def test_a_statement_does_not_add_up_where_the_account_holds_something_else(
    writer: Writer, holders: Engine
) -> None:
    for number in range(3):
        writer.run(pay(f"k{number}", 100), within_s=5)
    with writing(holders) as connection:
        connection.execute(account.update().where(account.c.id == JUMA).values(credits=301))

    assert not of(holders, "w2").adds_up
    assert not of(holders, "w2", DAY - ONE_DAY, DAY).adds_up


def test_more_entries_than_one_page_are_read_whole(writer: Writer, holders: Engine) -> None:
    ticks: list[object] = []
    for number in range(600):
        writer.submit(pay(f"k{number}", 1), ticks.append)
    writer.run(pay("last", 1), within_s=30)
    found = of(holders, "w1")

    assert amounts(found) == [-1] * 601
    assert [line.balance_minor for line in found.lines] == list(range(999, 398, -1))


def test_a_period_with_too_many_entries_is_not_begun(writer: Writer, holders: Engine) -> None:
    for number in range(3):
        writer.run(pay(f"k{number}", 1), within_s=5)

    found = inquiry.statement(holders, ["w1"], first=DAY, last=DAY, lines_max=2)
    assert found == TooLong(3)


def test_money_that_waits_stands_apart(writer: Writer, holders: Engine) -> None:
    held = Hold(77, "reversal", AMINA, JUMA, 40, 0, HoldState.PENDING, 9_000_000_000_000)

    def place(_book: Book) -> Decision:
        return Decision("ok", {}, changes=(HoldPlaced(held),))

    work = Work(
        key="hold",
        content="hold",
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=(AMINA, JUMA),
        decide=place,
    )
    assert is_ok(writer.run(work, within_s=5))
    amina, juma = of(holders, "w1"), of(holders, "w2")

    assert [(one.kind, one.minor) for one in amina.pending] == [("reversal", -40)]
    assert [one.minor for one in juma.pending] == [40]
    assert (amina.opening_minor, amina.lines, amina.closing.minor) == (1_000, (), 1_000)


def test_the_first_reference_that_is_there_is_the_account(holders: Engine) -> None:
    found = inquiry.statement(holders, ["nobody", "w2", "w1"], first=DAY, last=DAY)

    assert isinstance(found, Statement)
    assert found.ref == "w2"
    assert inquiry.statement(holders, ["nobody"], first=DAY, last=DAY) is None
