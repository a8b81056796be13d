"""Entries stand in a table for each month on PostgreSQL, and nothing else is different."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock, balances, count, pay, started
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.days.entry_months import keep_ahead

TODAY = date(2026, 11, 21)

on_postgres = pytest.mark.parametrize("engine", ["postgres"], indirect=True)


@on_postgres
def test_the_coming_months_are_made_once(engine: Engine) -> None:
    # The migration made tables up to the end of the month that it ran in.
    later = date(2100, 11, 21)
    assert keep_ahead(engine, later) == 3
    assert keep_ahead(engine, later) == 0
    assert keep_ahead(engine, date(2100, 12, 1)) == 1
    assert tables(engine) >= {
        "entry_2100_12",
        "entry_2101_01",
        "entry_2101_02",
        "entry_2101_03",
    }


@on_postgres
def test_a_payment_finds_the_table_of_its_month_or_the_one_for_all_others(
    wallets: Engine, clock: SetClock
) -> None:
    keep_ahead(wallets, date(2100, 11, 21))
    with started(wallets, clock) as writer:
        for number, month in enumerate((11, 12)):
            clock.at = datetime(2100, month, 5, 6, tzinfo=UTC)
            assert writer.run(pay(f"k{number}"), within_s=5).name == "ok"

    assert [rows_of(wallets, table) for table in ("entry_other", "entry_2100_12")] == [2, 2]
    assert count(wallets, "entry") == 4
    assert balances(wallets) == (800, 200)
    # What a month's table would now have to take from the other one is left where it is.
    assert keep_ahead(wallets, date(2100, 10, 1)) == 0


@on_postgres
def test_an_entry_of_a_clock_that_ran_ahead_keeps_no_month_but_its_own_from_being_made(
    wallets: Engine, clock: SetClock
) -> None:
    with started(wallets, clock) as writer:
        clock.at = datetime(2101, 1, 5, 6, tzinfo=UTC)
        assert writer.run(pay("k1"), within_s=5).name == "ok"

    assert keep_ahead(wallets, date(2100, 11, 21)) == 2
    assert {"entry_2100_12", "entry_2101_02"} <= tables(wallets)


@on_postgres
@pytest.mark.parametrize("verb", ["UPDATE {} SET minor = 5", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["entry", "entry_other", "entry_2100_12"])
def test_no_table_of_entries_lets_go_of_a_row(
    wallets: Engine, clock: SetClock, verb: str, table: str
) -> None:
    keep_ahead(wallets, date(2100, 11, 21))
    with started(wallets, clock) as writer:
        for month in (11, 12):
            clock.at = datetime(2100, month, 5, 6, tzinfo=UTC)
            writer.run(pay(f"k{month}"), within_s=5)

    refused = pytest.raises(DBAPIError, match=r"never change|permission denied")
    with refused, writing(wallets) as connection:
        connection.execute(text(verb.format(table)))


@on_postgres
def test_an_entry_of_an_account_has_its_number_alone(wallets: Engine, clock: SetClock) -> None:
    keep_ahead(wallets, date(2100, 11, 21))
    clock.at = datetime(2100, 12, 5, 6, tzinfo=UTC)
    with started(wallets, clock) as writer:
        writer.run(pay("k1"), within_s=5)

    twice = text(
        "INSERT INTO entry SELECT journal_id + 1, leg, account_id, minor, balance_after, "
        "account_seq FROM entry LIMIT 1"
    )
    with pytest.raises(DBAPIError, match="uq_entry_2100_12"), writing(wallets) as connection:
        connection.execute(twice)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sqlite_has_one_table(engine: Engine) -> None:
    assert keep_ahead(engine, TODAY) == 0


def tables(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        found = text(
            "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
            "WHERE inhparent = 'entry'::regclass"
        )
        return set(connection.execute(found).scalars())


def rows_of(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
