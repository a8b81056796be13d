"""What limits count, as the writer keeps it: by the market's days, under the lock, on both
databases. Amina has KES 10.00, and may send KES 5.00 a day and 9.00 a month."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from tests.services.cast import PRICES
from tests.store import people
from tests.store.conftest import SetClock, balances, started
from tests.store.people import doing, in_one_batch
from ussd_gateway.domain.book import CapsChosen, Spent, Subscriber, Work
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.send_money import SendMoney, decide
from ussd_gateway.store.database import reading
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.rows import day_of, subscriber_of
from ussd_gateway.store.schema import account, subscriber

# Nairobi is three hours ahead: its 22nd begins here.
MIDNIGHT = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


LIMIT = Limit(transaction_max=kes(5), day_max=kes(5), month_max=kes(9), balance_max=kes(100))


@pytest.fixture
def enrolled(engine: Engine) -> Engine:
    people.enrol(engine)
    return engine


@pytest.fixture
def ledger(enrolled: Engine, clock: SetClock) -> Iterator[Writer]:
    with started(enrolled, clock) as writer:
        yield writer


def sends(engine: Engine, key: str, shillings: int) -> Work:
    """Amina sends so much to Juma, free of charge."""
    with reading(engine) as connection:
        rows = connection.execute(select(subscriber).order_by(subscriber.c.id))
        amina, juma = (subscriber_of(tuple(row)) for row in rows)
    proof = Proof(amina.id, amina.pin_tag)
    command = SendMoney(amina, juma, kes(shillings), kes(0), proof)
    return Work(
        key=key,
        content=key,
        event_at_ms=1_000,
        subscriber_ids=(amina.id, juma.id),
        account_ids=(amina.wallet_id, juma.wallet_id),
        decide=lambda book: decide(command, PRICES, LIMIT, book),
    )


def used(engine: Engine) -> tuple[str, int, int]:
    columns = select(account.c.used_on, account.c.used_day, account.c.used_month)
    with reading(engine) as connection:
        on, day, month = connection.execute(columns.where(account.c.id == 1)).one()
    return day_of(on).isoformat(), day, month


def test_a_day_ends_at_midnight_of_the_market(
    ledger: Writer, enrolled: Engine, clock: SetClock
) -> None:
    def sent(key: str, shillings: int) -> str:
        return ledger.run(sends(enrolled, key, shillings), within_s=5).name

    clock.at = MIDNIGHT - timedelta(seconds=1)
    assert sent("k1", 4) == "ok"
    assert sent("k2", 2) == "over_day"
    assert sent("k3", 1) == "ok"
    assert used(enrolled) == ("2026-11-21", 5_00, 5_00)

    clock.at = MIDNIGHT
    assert sent("k4", 4) == "ok"
    assert used(enrolled) == ("2026-11-22", 4_00, 9_00)
    assert sent("k5", 1) == "over_month"
    assert balances(enrolled) == (1_00, 9_00)


def test_a_month_ends_with_its_last_day(
    ledger: Writer, enrolled: Engine, clock: SetClock
) -> None:
    clock.at = datetime(2026, 11, 30, 20, 59, 59, tzinfo=UTC)
    ledger.run(sends(enrolled, "k1", 5), within_s=5)
    clock.wait(1)
    ledger.run(sends(enrolled, "k2", 5), within_s=5)

    assert used(enrolled) == ("2026-12-01", 5_00, 5_00)


def test_a_clock_that_is_set_back_gives_no_second_day(
    ledger: Writer, enrolled: Engine, clock: SetClock
) -> None:
    clock.at = MIDNIGHT
    ledger.run(sends(enrolled, "k1", 4), within_s=5)
    clock.at = MIDNIGHT - timedelta(seconds=1)

    assert ledger.run(sends(enrolled, "k2", 2), within_s=5).name == "over_day"
    assert ledger.run(sends(enrolled, "k3", 1), within_s=5).name == "ok"
    assert used(enrolled) == ("2026-11-22", 5_00, 5_00)


def test_payments_of_one_batch_never_pass_the_day_together(
    ledger: Writer, enrolled: Engine
) -> None:
    works = [sends(enrolled, f"k{number}", 2) for number in range(5)]
    outcomes = in_one_batch(ledger, *works)

    assert [outcome.name for outcome in outcomes] == ["ok", "ok", *["over_day"] * 3]
    assert balances(enrolled) == (6_00, 4_00)


def test_payments_by_two_writers_never_pass_the_day_together(
    enrolled: Engine, clock: SetClock
) -> None:
    works = [sends(enrolled, f"k{number}", 1) for number in range(20)]
    with (
        started(enrolled, clock) as one,
        started(enrolled, clock) as two,
        ThreadPoolExecutor(len(works)) as pool,
    ):
        ran = [
            pool.submit((one, two)[number % 2].run, work, within_s=20)
            for number, work in enumerate(works)
        ]
        names = sorted(each.result().name for each in ran)

    assert names == [*["ok"] * 5, *["over_day"] * 15]
    assert balances(enrolled) == (5_00, 5_00)
    assert used(enrolled)[1:] == (5_00, 5_00)


def test_what_was_used_outlives_its_writer(enrolled: Engine, clock: SetClock) -> None:
    with started(enrolled, clock) as writer:
        writer.run(sends(enrolled, "k1", 4), within_s=5)
    with started(enrolled, clock) as writer:
        assert writer.run(sends(enrolled, "k2", 2), within_s=5).name == "over_day"


def test_what_is_refused_or_repeated_counts_nothing(ledger: Writer, enrolled: Engine) -> None:
    for _ in range(3):
        ledger.run(sends(enrolled, "k1", 4), within_s=5)
        ledger.run(sends(enrolled, "k2", 2), within_s=5)

    assert used(enrolled)[1:] == (4_00, 4_00)


def test_what_comes_back_can_be_paid_again(ledger: Writer, enrolled: Engine) -> None:
    ledger.run(sends(enrolled, "k1", 5), within_s=5)
    back = Spent(1, 3_00, back_of=date(2026, 11, 21))
    ledger.run(doing("back", spent=back), within_s=5)

    assert used(enrolled)[1:] == (2_00, 2_00)
    assert ledger.run(sends(enrolled, "k2", 3), within_s=5).name == "ok"


def test_a_cap_of_ones_own_holds_from_the_next_payment_in_its_batch(
    ledger: Writer, enrolled: Engine
) -> None:
    cap = doing("cap", CapsChosen(1, payment=None, day=2_00))
    outcomes = in_one_batch(
        ledger,
        sends(enrolled, "k1", 1),
        cap,
        sends(enrolled, "k2", 2),
        sends(enrolled, "k3", 1),
    )
    assert [each.name for each in outcomes] == ["ok", "ok", "over_own_cap", "ok"]
    assert _amina(enrolled).cap_day == 2_00

    ledger.run(doing("free", CapsChosen(1, payment=None, day=None)), within_s=5)
    assert _amina(enrolled).cap_day is None
    assert ledger.run(sends(enrolled, "k4", 2), within_s=5).name == "ok"


def _amina(engine: Engine) -> Subscriber:
    with reading(engine) as connection:
        row = connection.execute(select(subscriber).where(subscriber.c.id == 1)).one()
    return subscriber_of(tuple(row))
