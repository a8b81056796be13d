"""Numbers of new accounts: each once, whoever asks, and past all that is there."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, insert

from tests.store.conftest import wallet
from tests.world import at_once
from ussd_gateway.domain.accounts import DUE_TO_OPERATING, house_id
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.numbers import AccountNumbers, next_account
from ussd_gateway.store.schema import account


def test_the_first_of_all_is_one(engine: Engine) -> None:
    numbers = AccountNumbers(engine)
    assert [numbers.next() for _ in range(3)] == [1, 2, 3]


def test_the_first_number_is_past_every_account_but_the_houses(engine: Engine) -> None:
    house = wallet(house_id(DUE_TO_OPERATING, "KES"), 0)
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(1, 0), wallet(41, 0), house])

    assert AccountNumbers(engine).next() == 42


def test_numbers_asked_for_at_the_same_moment_are_all_different(engine: Engine) -> None:
    numbers = AccountNumbers(engine)
    numbers.next()
    given = at_once(*[numbers.next] * 16)

    assert sorted(given) == list(range(2, 18))


def test_who_asks_while_the_very_first_is_being_given_waits_and_gets_the_next(
    engine: Engine,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            first = next_account(connection)
            waiting = pool.submit(AccountNumbers(engine).next)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)

        assert (first, waiting.result(timeout=5)) == (1, 2)


def test_what_was_taken_in_a_transaction_that_is_undone_is_free_again(engine: Engine) -> None:
    numbers = AccountNumbers(engine)
    numbers.next()
    with pytest.raises(RuntimeError):
        _take_and_break(engine)

    assert numbers.next() == 2


def test_a_database_that_is_away_gives_none() -> None:
    away = AccountNumbers(connect("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(BooksLost):
        away.next()


def _take_and_break(engine: Engine) -> None:
    with writing(engine) as connection:
        assert next_account(connection) == 2
        raise RuntimeError("undone")
