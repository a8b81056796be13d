"""What was published stays as it was, and the last move of a pack says what is live."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock
from tests.world import at_once
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.menus.rollout import Share
from ussd_gateway.store.menus.stops import SqlStops
from ussd_gateway.store.menus.versions import (
    Heads,
    IsRetired,
    Move,
    Overtaken,
    SqlVersions,
    Why,
    hold,
    insert_move,
)
from ussd_gateway.store.schema import menu_retired

ONE, TWO = "1" * 16, "2" * 16
SIX_O_CLOCK_MS = 1_795_240_800_000
# For whoever does not wait to be done.
long_enough_s = 0.3


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


def test_a_version_is_rolled_out_to_some_and_then_to_more(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    versions.roll_out("customer", TWO, Share(50), after=2, author="odhiambo", note="half")
    versions.roll_out("customer", TWO, None, after=3, author="odhiambo")

    assert [(move.why, move.rollout) for move in versions.history("customer")] == [
        (Why.ROLLOUT, None),
        (Why.ROLLOUT, Share(50)),
        (Why.PUBLISH, None),
        (Why.PUBLISH, None),
    ]


def test_a_version_is_retired_once(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    assert versions.retired() == frozenset()
    versions.retire("customer", ONE, after=1, author="odhiambo", note="has a hole")

    assert versions.retired() == {("customer", ONE)}
    with pytest.raises(Overtaken):
        versions.retire("customer", ONE, after=1, author="njeri")


def test_who_retires_has_seen_the_last_move(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    versions.roll_back("customer", ONE, after=2, author="njeri")

    with pytest.raises(Overtaken):
        versions.retire("customer", ONE, after=2, author="odhiambo")
    assert versions.retired() == frozenset()


def test_a_retired_version_becomes_live_in_no_way(versions: SqlVersions) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    versions.retire("customer", ONE, after=2, author="odhiambo")

    with pytest.raises(IsRetired):
        versions.roll_back("customer", ONE, after=2, author="njeri")
    with pytest.raises(IsRetired):
        versions.roll_out("customer", ONE, Share(50), after=2, author="odhiambo")
    with pytest.raises(IsRetired):
        publish(versions, ONE, after=2)
    assert versions.live()["customer"].digest == TWO
    # In another pack the same octets are another version.
    publish(versions, ONE, after=0, pack="agents")


def test_who_moves_waits_for_who_retires(versions: SqlVersions, engine: Engine) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    with ThreadPoolExecutor() as pool:
        with writing(engine) as retiring:
            hold(retiring, "customer")
            row = {"pack": "customer", "digest": ONE, "at_ms": 0, "author": "odhiambo"}
            retiring.execute(insert(menu_retired).values(row))
            back = pool.submit(versions.roll_back, "customer", ONE, after=2, author="njeri")
            time.sleep(long_enough_s)
        with pytest.raises(IsRetired):
            back.result()
    assert versions.live()["customer"].digest == TWO


def test_who_retires_waits_for_who_moves(versions: SqlVersions, engine: Engine) -> None:
    publish(versions, ONE, after=0)
    publish(versions, TWO, after=1)
    back = Move("customer", 3, ONE, Why.ROLLBACK, SIX_O_CLOCK_MS, "njeri", None)
    with ThreadPoolExecutor() as pool:
        with writing(engine) as moving:
            insert_move(moving, back)
            retired = pool.submit(versions.retire, "customer", ONE, after=2, author="odhiambo")
            time.sleep(long_enough_s)
        with pytest.raises(Overtaken):
            retired.result()
    assert versions.retired() == frozenset()


def test_the_heads_tell_of_every_change(versions: SqlVersions, engine: Engine) -> None:
    stops = SqlStops(engine, SetClock())
    assert versions.heads() == Heads({}, retired=0, stopped=0)
    publish(versions, ONE, after=0)
    publish(versions, ONE, after=0, pack="agents")
    publish(versions, TWO, after=1)
    versions.retire("customer", ONE, after=2, author="odhiambo")
    stops.stop("send_money", author="njeri")
    stops.start("send_money", author="njeri")

    assert versions.heads() == Heads({"customer": 2, "agents": 1}, retired=1, stopped=2)


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


@pytest.mark.parametrize("table", ["menu_version", "menu_live", "menu_retired"])
@pytest.mark.parametrize("change", ["UPDATE {} SET author = 'nobody'", "DELETE FROM {}"])
def test_what_was_published_never_changes(
    versions: SqlVersions, engine: Engine, table: str, change: str
) -> None:
    publish(versions, ONE, after=0)
    versions.retire("customer", ONE, after=1, author="odhiambo")

    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(engine) as connection:
        connection.execute(text(change.format(table)))


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "sqlite:////none/none"])
def test_a_database_that_is_away_loses_the_books(url: str, clock: SetClock) -> None:
    versions = SqlVersions(connect(url), clock)
    for look in (versions.live, versions.heads, lambda: versions.source("customer", ONE)):
        with pytest.raises(BooksLost):
            look()
