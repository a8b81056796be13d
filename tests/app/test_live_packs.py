"""What a process serves while versions come and go: on real tables, with small programs."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.ussd.small_pack import RIGHT, load
from tests.ussd.stand_in import WallClock
from ussd_gateway.app import live_packs as bounds
from ussd_gateway.app.live_packs import LivePacks
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.menus.rollout import Numbers, Rollout, Share, Through
from ussd_gateway.store.menus.stops import SqlStops
from ussd_gateway.store.menus.versions import SqlVersions, freeze
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.versions import digest_of

PROGRAM = load(RIGHT)
AMINA, JUMA = "+254711000001", "+254711000002"
taken_up_within_s = 2.0


class Loader:
    """Loads octets that begin with `good`, and counts."""

    def __init__(self) -> None:
        self.loaded = 0

    def __call__(self, source: bytes, file: str) -> Program | list[Fault]:
        self.loaded += 1
        assert isinstance(PROGRAM, Program)
        if source.startswith(b"good"):
            return replace(PROGRAM, digest=digest_of(source))
        if source.startswith(b"fatal"):
            raise KeyError(file)
        return [Fault("E00", file, 1, "poison", "publish another")]


class Table:
    """A database whose pack `small` is moved, and that can go away."""

    def __init__(self, path: Path) -> None:
        self.engine = connect(f"sqlite:///{path}")
        upgrade(self.engine)
        self.versions = SqlVersions(self.engine, WallClock())
        self.stops = SqlStops(self.engine, WallClock())
        self.moves = 0

    def publish(self, source: bytes, *, digest: str | None = None) -> str:
        name = digest or digest_of(source)
        self.versions.publish("small", name, source, after=self.moves, author="njeri")
        self.moves += 1
        return name

    def rolls_out(self, digest: str, rollout: Rollout | None) -> None:
        """As its publishing does it too, for some: the first of these moves."""
        self.versions.roll_out("small", digest, rollout, after=self.moves, author="odhiambo")
        self.moves += 1

    def proposes(self, source: bytes, rollout: Rollout) -> str:
        """A version that was never live for everybody."""
        digest = digest_of(source)
        with writing(self.engine) as connection:
            freeze(connection, "small", digest, source, at_ms=0, author="njeri")
        self.rolls_out(digest, rollout)
        return digest

    def rolls_back(self, digest: str) -> None:
        self.versions.roll_back("small", digest, after=self.moves, author="njeri")
        self.moves += 1

    def retires(self, digest: str) -> None:
        self.versions.retire("small", digest, after=self.moves, author="odhiambo")

    def goes_away(self) -> None:
        with writing(self.engine) as connection:
            connection.execute(text("ALTER TABLE menu_live RENAME TO gone"))


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    table = Table(tmp_path / "books.sqlite")
    yield table
    table.engine.dispose()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def packs(table: Table, loader: Loader) -> LivePacks:
    return LivePacks(table.versions, loader)


def begun(packs: LivePacks, msisdn: str = AMINA, route: str = "africastalking") -> str:
    """The version that a new session of this phone begins in."""
    return packs.live("small", msisdn=msisdn, route=route).digest


def test_a_version_is_loaded_once_however_often_it_is_live(
    table: Table, packs: LivePacks, loader: Loader
) -> None:
    one = table.publish(b"good 1")
    packs.look()
    table.publish(b"good 2")
    packs.look()
    table.rolls_back(one)
    packs.look()

    assert packs.known("small").digest == one
    assert packs.pinned("small", one) is packs.known("small")
    assert loader.loaded == 2


def test_one_that_was_never_published_is_not_found(table: Table, packs: LivePacks) -> None:
    one = table.publish(b"good 1")
    assert packs.pinned("small", "0" * 16) is None
    assert packs.pinned("other", one) is None


@pytest.mark.parametrize("poison", [b"bad", b"fatal"])
def test_the_last_good_one_goes_on_and_the_poison_is_told_of_once(
    table: Table, packs: LivePacks, loader: Loader, poison: bytes
) -> None:
    good = table.publish(b"good 1")
    packs.look()
    bad = table.publish(poison)
    with capture_logs() as logged:
        for _ in range(3):
            packs.look()

    assert packs.known("small").digest == begun(packs) == good
    assert packs.pinned("small", bad) is None
    told = [line["version"] for line in logged if line["event"] == "menus.do_not_load"]
    assert told == [bad]
    assert loader.loaded == 2
    assert list(packs.why_not("small")) == [bad]


def test_octets_under_another_name_are_poison(table: Table, packs: LivePacks) -> None:
    table.publish(b"good 1", digest="0" * 16)
    packs.look()

    assert list(packs.names) == []
    ((reason,),) = packs.why_not("small").values()
    assert "these are the octets of" in reason


def test_a_process_that_starts_beside_a_poison_serves_the_last_good_one(
    table: Table, packs: LivePacks
) -> None:
    table.publish(b"good 1")
    good = table.publish(b"good 2")
    table.publish(b"bad 3")
    table.publish(b"bad 4")
    packs.look()

    assert packs.known("small").digest == good
    after = table.publish(b"good 5")
    packs.look()
    assert packs.known("small").digest == after


def test_while_the_database_is_away_what_is_known_goes_on(
    table: Table, packs: LivePacks
) -> None:
    good = table.publish(b"good 1")
    packs.look()
    table.goes_away()

    with pytest.raises(BooksLost):
        packs.look()
    assert begun(packs) == good
    assert packs.pinned("small", good) is packs.known("small")


def test_it_looks_no_more_than_once_a_while(table: Table, packs: LivePacks) -> None:
    one = table.publish(b"good 1")
    packs.look()
    table.publish(b"good 2")

    assert begun(packs) == one


def test_a_version_for_some_is_for_them_and_the_one_before_for_all_others(
    table: Table, packs: LivePacks
) -> None:
    before = table.publish(b"good 1")
    after = table.proposes(b"good 2", Numbers(frozenset({AMINA})))
    packs.look()

    assert (begun(packs), begun(packs, JUMA)) == (after, before)
    assert packs.known("small").digest == before


def test_the_newest_that_includes_a_phone_is_its_own(table: Table, packs: LivePacks) -> None:
    one = table.publish(b"good 1")
    two = table.proposes(b"good 2", Numbers(frozenset({AMINA, JUMA})))
    three = table.proposes(b"good 3", Through(frozenset({"hubtel"})))
    packs.look()

    assert begun(packs, AMINA, "hubtel") == three
    assert begun(packs, AMINA) == two
    assert begun(packs, "+254711000003") == one


def test_who_has_a_version_keeps_it_when_it_is_widened(table: Table, packs: LivePacks) -> None:
    table.publish(b"good 1")
    after = table.proposes(b"good 2", Share(10))
    packs.look()
    phones = [f"+2547110{number:05}" for number in range(300)]
    first = {phone for phone in phones if begun(packs, phone) == after}
    table.rolls_out(after, Share(50))
    packs.look()
    second = {phone for phone in phones if begun(packs, phone) == after}
    table.rolls_out(after, None)
    packs.look()

    assert 0 < len(first) < len(second) < len(phones)
    assert first < second
    assert {begun(packs, phone) for phone in phones} == {after}


def test_of_a_version_its_last_word_counts(table: Table, packs: LivePacks) -> None:
    before = table.publish(b"good 1")
    after = table.proposes(b"good 2", Numbers(frozenset({AMINA})))
    table.rolls_out(after, Numbers(frozenset({JUMA})))
    packs.look()

    assert (begun(packs), begun(packs, JUMA)) == (before, after)


def test_a_rollback_ends_what_was_for_some(table: Table, packs: LivePacks) -> None:
    before = table.publish(b"good 1")
    table.proposes(b"good 2", Numbers(frozenset({AMINA})))
    table.rolls_back(before)
    packs.look()

    assert begun(packs) == before
    assert len(packs.standing("small")) == 1


def test_a_rollback_to_a_poison_brings_no_trial_back(table: Table, packs: LivePacks) -> None:
    poison = table.publish(b"bad 1")
    good = table.publish(b"good 2")
    trial = table.proposes(b"good 3", Numbers(frozenset({AMINA})))
    packs.look()
    assert begun(packs) == trial
    table.rolls_back(poison)
    packs.look()

    assert begun(packs) == good
    assert [one.move.digest for one in packs.standing("small")] == [poison, good]


def test_a_trial_after_a_poison_goes_on(table: Table, packs: LivePacks) -> None:
    good = table.publish(b"good 1")
    table.publish(b"bad 2")
    trial = table.proposes(b"good 3", Numbers(frozenset({AMINA})))
    packs.look()

    assert (begun(packs), begun(packs, JUMA)) == (trial, good)


def test_no_session_begins_in_a_retired_version(table: Table, packs: LivePacks) -> None:
    good = table.publish(b"good 1")
    trial = table.proposes(b"good 2", Numbers(frozenset({AMINA})))
    hole = table.publish(b"good 3")
    table.publish(b"bad 4")
    packs.look()
    assert begun(packs) == hole
    table.retires(hole)
    packs.look()

    # Nor does what it had ended come back.
    assert begun(packs) == good
    table.retires(trial)
    packs.look()
    assert begun(packs) == good


def test_a_poison_for_some_leaves_them_what_all_have(table: Table, packs: LivePacks) -> None:
    before = table.publish(b"good 1")
    poison = table.proposes(b"bad 2", Numbers(frozenset({AMINA})))
    packs.look()

    assert begun(packs) == before
    assert list(packs.why_not("small")) == [poison]


def test_no_session_goes_on_in_a_retired_version_and_what_it_was_is_known(
    table: Table, packs: LivePacks
) -> None:
    old = table.publish(b"good 1")
    table.publish(b"good 2")
    packs.look()
    assert packs.pinned("small", old) is not None
    table.retires(old)
    packs.look()

    assert packs.pinned("small", old) is None
    retired = packs.retired("small", old)
    assert retired is not None
    assert retired.digest == old
    assert packs.retired("small", "0" * 16) is None


def test_what_is_stopped_is_told_until_it_is_started(table: Table, packs: LivePacks) -> None:
    table.stops.stop("send_money", author="njeri")
    packs.look()
    assert packs.stopped() == {"send_money"}
    table.stops.start("send_money", author="njeri")
    packs.look()
    assert packs.stopped() == frozenset()


def test_two_processes_follow_every_table_within_two_seconds(
    table: Table, loader: Loader
) -> None:
    both = (LivePacks(table.versions, loader), LivePacks(table.versions, loader))
    one = table.publish(b"good 1")
    for packs in both:
        packs.look()

    two = table.publish(b"good 2")
    table.stops.stop("send_money", author="njeri")
    table.retires(one)
    time.sleep(taken_up_within_s)

    for packs in both:
        # Whatever is asked for first looks for all.
        assert packs.stopped() == {"send_money"}
        assert packs.pinned("small", one) is None
        assert begun(packs) == two


def test_no_more_programs_are_kept_than_bound_and_any_is_found_again(
    table: Table, packs: LivePacks, loader: Loader
) -> None:
    names = [table.publish(f"good {n}".encode()) for n in range(bounds.programs_max + 1)]
    for name in names:
        assert packs.pinned("small", name) is not None
    loaded = loader.loaded

    assert packs.pinned("small", names[-1]) is not None
    assert loader.loaded == loaded
    assert packs.pinned("small", names[0]) is not None
    assert loader.loaded == loaded + 1
