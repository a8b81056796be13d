"""What a process serves while versions come and go: on real tables, with small programs."""

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
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.versions import SqlVersions
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.versions import digest_of

PROGRAM = load(RIGHT)


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
        self.moves = 0

    def publish(self, source: bytes, *, digest: str | None = None) -> str:
        name = digest or digest_of(source)
        self.versions.publish("small", name, source, after=self.moves, author="njeri")
        self.moves += 1
        return name

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


def test_a_version_is_loaded_once_however_often_it_is_live(
    table: Table, packs: LivePacks, loader: Loader
) -> None:
    one = table.publish(b"good 1")
    packs.look()
    table.publish(b"good 2")
    packs.look()
    table.versions.roll_back("small", one, after=2, author="njeri")
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

    assert packs.known("small").digest == good
    assert packs.pinned("small", bad) is None
    told = [line["version"] for line in logged if line["event"] == "menus.do_not_load"]
    assert told == [bad]
    assert loader.loaded == 2
    assert packs.why_not("small")


def test_octets_under_another_name_are_poison(table: Table, packs: LivePacks) -> None:
    table.publish(b"good 1", digest="0" * 16)
    packs.look()

    assert list(packs.names) == []
    (reason,) = packs.why_not("small")
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
    assert packs.live("small").digest == good
    assert packs.pinned("small", good) is packs.known("small")


def test_it_looks_no_more_than_once_a_while(table: Table, packs: LivePacks) -> None:
    one = table.publish(b"good 1")
    packs.look()
    table.publish(b"good 2")

    assert packs.live("small").digest == one


def test_no_more_programs_are_kept_than_bound_and_any_is_found_again(
    table: Table, packs: LivePacks, loader: Loader
) -> None:
    names = [table.publish(f"good {n}".encode()) for n in range(bounds.programs_max + 1)]
    for name in (*names, *names[1:]):
        assert packs.pinned("small", name) is not None
    assert loader.loaded == len(names)

    assert packs.pinned("small", names[0]) is not None
    assert loader.loaded == len(names) + 1
