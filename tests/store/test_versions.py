"""What was published stays as it was, and the last move of a pack says what is live."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock
from tests.world import at_once
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.versions import Move, Overtaken, SqlVersions, Why

ONE, TWO = "1" * 16, "2" * 16
SIX_O_CLOCK_MS = 1_795_240_800_000


@pytest.fixture
def versions(engine: Engine, clock: SetClock) -> SqlVersions:
    return SqlVersions(engine, clock)


def publish(versions: SqlVersions, digest: str, *, after: int, pack: str = "customer") -> None:
    source = f"the octets of {digest}".encode()
    versions.publish(pack, digest, source, after=after, author="njeri")


def test_before_the_first_publish_nothing_is_live(versions: SqlVersions) -> None:
    assert versions.live() == {}
    assert versions.history("customer") == []
    assert versions.source("customer", ONE) is None


def test_what_is_published_is_live_octet_for_octet(versions: SqlVersions) -> None:
    octets = bytes(range(256))
    versions.publish("customer", ONE, octets, after=0, author="njeri", note="the first")

    first = Move("customer", 1, ONE, Why.PUBLISH, SIX_O_CLOCK_MS, "njeri", "the first")
    assert versions.live() == {"customer": first}
    assert versions.source("customer", ONE) == octets
    assert versions.source("agents", ONE) is None


def test_each_pack_has_its_own_live_version(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    publish(versions, ONE, after=0, pack="agents")
    publish(versions, TWO, after=1)

    assert {pack: move.digest for pack, move in versions.live().items()} == {
        "customer": TWO,
        "agents": ONE,
    }


def test_a_rollback_is_one_more_move(versions: SqlVersions, clock: SetClock) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    clock.wait(60)
    versions.roll_back("customer", ONE, after=2, author="odhiambo", note="typo")

    last, *before = versions.history("customer")
    assert last == versions.live()["customer"]
    assert last == Move(
        "customer", 3, ONE, Why.ROLLBACK, SIX_O_CLOCK_MS + 60_000, "odhiambo", "typo"
    )
    assert [move.digest for move in before] == [TWO, ONE]


def test_the_same_octets_are_one_version_however_often_published(
    versions: SqlVersions, engine: Engine
) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    publish(versions, ONE, after=2)

    assert versions.live()["customer"].seq == 3
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM menu_version")).scalar() == 2


def test_of_two_who_saw_the_same_move_the_second_is_told(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    with pytest.raises(Overtaken):
        versions.roll_back("customer", ONE, after=1, author="odhiambo")
    with pytest.raises(Overtaken):
        publish(versions, "3" * 16, after=1)

    assert versions.live()["customer"].digest == TWO
    assert versions.source("customer", "3" * 16) is None


def test_of_many_at_the_same_moment_one_publishes(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)

    def one() -> bool:
        try:
            publish(versions, TWO, after=1)
        except Overtaken:
            return False
        return True

    assert sorted(at_once(*[one] * 4)) == [False, False, False, True]
    assert [move.seq for move in versions.history("customer")] == [2, 1]


@pytest.mark.parametrize("table", ["menu_version", "menu_live"])
@pytest.mark.parametrize("change", ["UPDATE {} SET author = 'nobody'", "DELETE FROM {}"])
def test_what_was_published_never_changes(
    versions: SqlVersions, engine: Engine, table: str, change: str
) -> None:
    publish(versions, ONE, after=0)

    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(engine) as connection:
        connection.execute(text(change.format(table)))


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "sqlite:////none/none"])
def test_a_database_that_is_away_loses_the_books(url: str, clock: SetClock) -> None:
    versions = SqlVersions(connect(url), clock)
    for look in (versions.live, lambda: versions.source("customer", ONE)):
        with pytest.raises(BooksLost):
            look()
