"""Migrations on books that have somebody in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.store.conftest import SetClock, wallet
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store import migrate
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.ledger.sealing import batch_digest, command_digest
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import account, batch, idempotency, subscriber, unsealed
from ussd_gateway.store.versions import Move, SqlVersions, Why

SCRIPTS = Path(migrate.__file__).parent / "migrations"
AMINA = {
    "id": 1,
    "msisdn": "+254711000001",
    "name": "Amina Wafula",
    "language": "en",
    "active": True,
    "wallet_id": 1,
    "pin_kid": "k1",
    "pin_salt": b"salt",
    "pin_tag": b"tag",
    "wrong_tries": 2,
}


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Books of the first schema, with Amina and her wallet in them."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    engine = connect(url)
    _upgrade_to(engine, "0001")
    columns = ", ".join(AMINA)
    values = ", ".join(f":{name}" for name in AMINA)
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(1, 1_000), wallet(2, 0)])
        connection.execute(text(f"INSERT INTO subscriber ({columns}) VALUES ({values})"), AMINA)
    yield engine
    engine.dispose()


def test_whoever_is_there_already_is_of_the_standard_tier_and_loses_nothing(
    old: Engine,
) -> None:
    upgrade(old)
    with reading(old) as connection:
        (row,) = connection.execute(select(subscriber)).mappings()

    assert dict(row) == {**AMINA, "tier": "standard", "cap_payment": None, "cap_day": None}


def test_whoever_comes_later_must_be_given_a_tier(old: Engine) -> None:
    upgrade(old)
    nameless = {**AMINA, "id": 2, "msisdn": "+254711000002", "wallet_id": 2}
    with pytest.raises(IntegrityError), writing(old) as connection:
        connection.execute(insert(subscriber).values(nameless))


@pytest.mark.parametrize(
    ("changed", "held_by"),
    [
        ({"wrong_tries": -1}, "wrong_tries"),
        ({"msisdn": "+254711000001"}, "msisdn"),
        ({"wallet_id": 1}, "wallet_id"),
        ({"wallet_id": 99}, "wallet_id|FOREIGN KEY"),
    ],
    ids=["check", "unique number", "unique wallet", "foreign key"],
)
def test_the_rules_of_a_table_outlive_its_migration(
    old: Engine, changed: dict[str, object], held_by: str
) -> None:
    upgrade(old)
    good = {**AMINA, "id": 2, "msisdn": "+254711000002", "wallet_id": 2, "tier": "standard"}
    with pytest.raises(DBAPIError, match=held_by), writing(old) as connection:
        connection.execute(insert(subscriber).values({**good, **changed}))


def test_constraints_keep_the_names_that_errors_tell(old: Engine) -> None:
    before = _names(old)
    upgrade(old)
    assert before <= _names(old)


@pytest.fixture
def published(old: Engine) -> Engine:
    """The same, with a version that was published before there were approvers."""
    _upgrade_to(old, "0003")
    with writing(old) as connection:
        connection.execute(
            text(
                "INSERT INTO menu_version (pack, digest, source, published_at_ms, author) "
                "VALUES ('customer', 'a1', :source, 1, 'njeri')"
            ),
            {"source": b"octets"},
        )
        connection.execute(
            text(
                "INSERT INTO menu_live (pack, seq, digest, why, at_ms, author, note) "
                "VALUES ('customer', 1, 'a1', 'publish', 2, 'njeri', 'the first')"
            )
        )
    return old


def test_what_is_live_stays_live_for_everybody(published: Engine) -> None:
    upgrade(published)
    versions = SqlVersions(published, SetClock())

    first = Move("customer", 1, "a1", Why.PUBLISH, 2, "njeri", "the first")
    assert versions.live() == {"customer": first}
    assert versions.source("customer", "a1") == b"octets"


@pytest.mark.parametrize(
    "change", ["UPDATE menu_live SET author = 'x'", "DELETE FROM menu_live"]
)
def test_moves_of_before_never_change_after(published: Engine, change: str) -> None:
    upgrade(published)
    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(published) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    ("row", "held_by"),
    [
        ("'fancy', 2, 'njeri', NULL", "ck_menu_live_why"),
        ("'publish', 2, 'njeri', 'njeri'", "ck_menu_live_approver"),
    ],
    ids=["why", "approver"],
)
def test_a_move_is_of_a_known_kind_and_approved_by_another(
    published: Engine, row: str, held_by: str
) -> None:
    upgrade(published)
    wrong = text(
        "INSERT INTO menu_live (pack, digest, why, seq, author, approver, at_ms) "
        f"SELECT 'customer', 'a1', {row}, 3"
    )
    with pytest.raises(DBAPIError, match=held_by), writing(published) as connection:
        connection.execute(wrong)


def _upgrade_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _names(engine: Engine) -> set[str]:
    """Of the constraints on people."""
    found = inspect(engine)
    every = [
        *found.get_unique_constraints("subscriber"),
        *found.get_foreign_keys("subscriber"),
        *found.get_check_constraints("subscriber"),
    ]
    return {str(one["name"]) for one in every}


def test_what_was_committed_before_there_were_seals_is_the_first_batch(old: Engine) -> None:
    _upgrade_to(old, "0006")
    with writing(old) as connection:
        connection.execute(
            text(
                "INSERT INTO journal VALUES "
                "(7, 'send_money', 'SBNABCDEFG', NULL, '2026-11-20', 1000, 2000)"
            )
        )
        for leg, minor in ((1, 500), (2, -500)):
            connection.execute(
                text("INSERT INTO entry VALUES (7, :leg, :leg, :minor, 500, 1)"),
                {"leg": leg, "minor": minor},
            )
        for key, outcome, journal_id in (("b", '["ok",{}]', 7), ("a", '["ó",{}]', None)):
            connection.execute(
                text(
                    "INSERT INTO idempotency VALUES "
                    "(:key, 'c', :outcome, :journal_id, 'web', NULL, '+254711000001', 1000)"
                ),
                {"key": key, "outcome": outcome, "journal_id": journal_id},
            )
    upgrade(old)

    origin = ("web", None, "+254711000001", 1000)
    told = (7, "send_money", "SBNABCDEFG", None, "2026-11-20", 1000, 2000, None, None)
    entries = [(1, 1, 500, 500, 1), (2, 2, -500, 500, 1)]
    digests = [
        ("a", command_digest(("a", "c", '["ó",{}]', *origin), None, [])),
        ("b", command_digest(("b", "c", '["ok",{}]', *origin), told, entries)),
    ]
    with reading(old) as connection:
        keys = select(idempotency.c.key, idempotency.c.digest).order_by(idempotency.c.key)
        assert [tuple(row) for row in connection.execute(keys)] == digests
        (first,) = connection.execute(select(batch)).all()
        assert (first.id, first.digest) == (1, batch_digest(digests))
        assert connection.scalar(select(unsealed.c.batch_id)) == 1
    with pytest.raises(DBAPIError), writing(old) as connection:
        connection.execute(text("UPDATE idempotency SET digest = NULL"))
    with writing(old) as connection:
        # The next batch does not take its number.
        new = connection.execute(
            text("INSERT INTO batch (digest, at_ms) VALUES (:digest, 1) RETURNING id"),
            {"digest": b"d"},
        )
        assert new.scalar_one() == 2
