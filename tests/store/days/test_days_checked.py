"""Whatever is done to a day that is closed, the checker tells of it."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, insert

from tests.store.conftest import AMINA, JUMA, MARKET, SetClock, pay, started, wallet
from tests.store.days.closing import FIRST, ONE_DAY, broken, check, close_all
from tests.store.verify.crowbar import tamper
from ussd_gateway.domain.money import Money
from ussd_gateway.store import inquiry
from ussd_gateway.store.database import writing
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account


@pytest.mark.parametrize(
    ("change", "number", "told"),
    [
        (
            "UPDATE end_of_day SET debits = 149 WHERE account_id = 1 AND debits = 150",
            {13},
            (
                "account 1 (w1): 2026-11-21 ended with debits 149, credits 0, 2 entries; "
                "it should be debits 150, credits 0, 2 entries"
            ),
        ),
        ("UPDATE end_of_day SET seq = 3 WHERE seq = 2", {13}, "2 entries"),
        (
            "DELETE FROM end_of_day WHERE account_id = 2 AND credits = 150",
            {13},
            "account 2 (w2): moved on 2026-11-21, and has no end of that day",
        ),
        (
            "INSERT INTO end_of_day VALUES (1, '2026-11-22', 150, 0, 2)",
            {13},
            "did not move on 2026-11-22, and has an end of that day",
        ),
        (
            "INSERT INTO end_of_day VALUES (1, '2026-12-22', 180, 0, 3)",
            {13},
            "has an end of 2026-12-22, which is not closed",
        ),
        (
            "UPDATE end_of_day SET credits = 900 WHERE account_id = 2 AND credits = 150",
            {13, 16},
            (
                "account 2 (w2): 2026-11-23 ended with debits 0, credits 180, 3 entries, "
                "after debits 0, credits 900, 2 entries"
            ),
        ),
        (
            "DELETE FROM closed_day WHERE business_date = '2026-11-22'",
            {13},
            "2026-11-22 was never closed, and 2026-11-23 was",
        ),
        (
            "DELETE FROM closed_day WHERE business_date = '2026-11-21'",
            {13},
            "2026-11-21 was never closed, and 2026-11-22 was",
        ),
        (
            "UPDATE closed_day SET debits = 151 WHERE debits = 150",
            {13},
            (
                "2026-11-21 was closed with 2 journals, 4 entries, 2 accounts, 151 debits; "
                "there are 2 journals, 4 entries, 2 accounts, 150 debits"
            ),
        ),
        (
            "UPDATE day_counter SET closed = NULL WHERE issued = 2",
            {13},
            "2026-11-21 is closed, and its counter can still issue numbers",
        ),
        (
            "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal)",
            {13},
            "2026-11-23 issued 1 numbers, and has 0 journals",
        ),
        (
            (
                "UPDATE journal SET business_date = '2026-11-20' "
                "WHERE id = (SELECT max(id) FROM journal)"
            ),
            {13},
            "is of 2026-11-23, and says 2026-11-20",
        ),
        (
            "UPDATE account SET debits = 100 WHERE id = 1",
            {16},
            (
                "account 1 (w1): has debits 100, credits 1000, 3 entries; "
                "2026-11-23 ended with debits 180, credits 0, 3 entries"
            ),
        ),
        (
            "DELETE FROM account WHERE id = 1",
            {16},
            "account 1 does not exist, and has ends of days",
        ),
    ],
)
@pytest.mark.usefixtures("two_days")
def test_a_day_that_was_changed_is_told(
    days: EndOfDay, wallets: Engine, change: str, number: set[int], told: str
) -> None:
    close_all(days)
    tamper(wallets, [change])

    found = check(wallets)
    assert {one for one, finding in found.items() if not finding.ok} == number
    assert any(told in words for one in number for words in found[one].shown), found


@pytest.mark.usefixtures("two_days")
def test_an_entry_that_came_into_a_closed_day_is_told(days: EndOfDay, wallets: Engine) -> None:
    close_all(days)
    first = f"{20778 << 30}"
    assert FIRST.toordinal() - date(1970, 1, 1).toordinal() == 20778
    tamper(wallets, [f"INSERT INTO entry VALUES ({first}, 9, 1, 5, 0, 4)"])

    assert broken(wallets) == {13}
    shown = check(wallets)[13].shown
    assert any("it should be debits 155, credits 0, 3 entries" in words for words in shown)


def test_a_clearing_account_that_is_not_at_zero_is_told_item_by_item(
    engine: Engine, clock: SetClock
) -> None:
    clearing = wallet(JUMA, 0) | {"code": 9010, "public_ref": "KES-9010"}
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(AMINA, 1_000), clearing])
    days = EndOfDay(engine, clock, MARKET)
    with started(engine, clock) as writer:
        assert writer.run(pay("k1", 100), within_s=5).name == "ok"
    clock.at += ONE_DAY
    close_all(days)

    (left,) = inquiry.uncleared(engine, FIRST)
    assert (left.ref, left.balance) == ("KES-9010", Money(100, "KES"))
    assert [(item.kind, item.amount) for item in left.items] == [("pay", Money(100, "KES"))]
    assert broken(engine) == {11}
    (words,) = check(engine)[11].shown
    assert words.startswith("account 2 (KES-9010): 2026-11-21 left -100 in it, by journals ")


def test_the_earliest_journal_may_be_of_any_day(
    days: EndOfDay, writer: Writer, clock: SetClock
) -> None:
    clock.at = datetime(2032, 2, 28, 21, 30, tzinfo=UTC)  # half past midnight in Nairobi
    writer.run(pay("k1"), within_s=5)

    assert days.next_open() == date(2032, 2, 29)
