"""A large batch is decided and written part by part, and yet is one commit."""

import time

import pytest
from sqlalchemy import Engine, text

from tests.store.conftest import balances, count, pay
from tests.store.people import in_one_batch
from ussd_gateway.domain.book import Message
from ussd_gateway.store.database import reading
from ussd_gateway.store.ledger.batch import PART_MAX
from ussd_gateway.store.ledger.writer import Writer

MANY = PART_MAX + 1
WRITTEN_S = 5.0

WRITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
    "JOIN pg_database ON pg_database.oid = database "
    "WHERE relname = 'journal' AND mode = 'RowExclusiveLock' AND datname = current_database()"
)


def test_a_batch_of_several_parts_is_one_commit(writer: Writer, wallets: Engine) -> None:
    outcomes = in_one_batch(writer, *(pay(f"k{number}", 1) for number in range(MANY)))

    assert len({each.values["receipt"] for each in outcomes}) == MANY
    assert balances(wallets) == (1_000 - MANY, MANY)
    assert count(wallets, "batch") == 2  # what held the writer back, and these


def test_a_row_that_is_refused_undoes_every_part(writer: Writer, wallets: Engine) -> None:
    """Then each command runs for itself."""
    nobody = Message(None, "sent", "en", {})  # type: ignore[arg-type]
    good = (pay(f"k{number}", 1) for number in range(PART_MAX))
    outcomes = in_one_batch(writer, *good, pay("bad", 1, messages=(nobody,)))

    assert [each.name for each in outcomes] == ["ok"] * PART_MAX + ["timeout"]
    assert balances(wallets) == (1_000 - PART_MAX, PART_MAX)
    assert count(wallets, "journal") == PART_MAX


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_one_part_is_written_while_the_next_is_decided(writer: Writer, wallets: Engine) -> None:
    seen: list[bool] = []
    first = [pay(f"k{number}", 1) for number in range(PART_MAX)]
    in_one_batch(writer, *first, pay("next", 1, before=lambda: seen.append(_writing(wallets))))
    assert seen == [True]


def _writing(engine: Engine) -> bool:
    until = time.monotonic() + WRITTEN_S
    while time.monotonic() < until:
        with reading(engine) as connection:
            if connection.execute(WRITING).scalar_one():
                return True
        time.sleep(0.01)
    return False
