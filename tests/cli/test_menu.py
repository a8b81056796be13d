"""Operators edit, lint, publish and roll back: what each says, and what is live."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.test_cli import run
from tests.ussd.stand_in import WallClock
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.versions import SqlVersions

SHIPPED = Path("menus/customer.yaml").read_text("utf-8")
TITLE = "text: {en: Pesa,"


@dataclass(frozen=True, slots=True)
class Office:
    """A folder of menus, and books of its own."""

    folder: Path

    def menu(self, *words: str) -> CompletedProcess[str]:
        return self.does("menu", *words)

    def does(self, *words: str) -> CompletedProcess[str]:
        return run(*words, **self.environ)

    @property
    def environ(self) -> dict[str, str]:
        return {"DATA_DIR": str(self.folder), "MENUS_DIR": str(self.folder / "menus")}

    def edits(self, old: str, new: str) -> None:
        file = self.folder / "menus" / "customer.yaml"
        source = file.read_text("utf-8")
        assert source.count(old) == 1, old
        file.write_text(source.replace(old, new), "utf-8")

    def live(self) -> str:
        shown = self.menu("versions", "customer").stdout
        found = re.search(r"^  live ([0-9a-f]{16})  ", shown, re.MULTILINE)
        assert found is not None, shown
        return found[1]


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty books, and the shipped menus, published."""
    folder = tmp_path_factory.mktemp("office")
    office = Office(folder)
    shutil.copytree("menus", folder / "menus")
    assert office.does("db", "upgrade").returncode == 0
    first = office.menu("publish", "--author", "njeri", "--note", "the first")
    assert first.returncode == 0, first.stderr
    assert re.match(r"\w+: [0-9a-f]{16} is live, the first of its pack\n", first.stdout)
    return folder


@pytest.fixture
def office(upgraded: Path, tmp_path: Path) -> Office:
    folder = tmp_path / "office"
    shutil.copytree(upgraded, folder)
    return Office(folder)


def test_publishing_says_what_has_changed(office: Office) -> None:
    before = office.live()
    office.edits(TITLE, "text: {en: Pesa two,")
    office.edits("idle: 180s", "idle: 170s")
    done = office.menu("publish", "--author", "njeri")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"customer: {office.live()} is live, in the place of {before}",
        "  states changed: home",
        "  changed beside: session",
    ]
    again = office.menu("publish", "customer")
    assert (again.returncode, again.stdout) == (
        0,
        "Nothing has changed: what is in menus/ is live already.\n",
    )


def test_a_comment_is_a_version_too(office: Office) -> None:
    office.edits("schema: 1\n", "schema: 1\n# Read by njeri.\n")
    done = office.menu("publish")
    assert done.stdout.splitlines()[1:] == ["  no more than comments and layout changed"]


def test_what_does_not_load_is_refused_with_file_and_line(office: Office) -> None:
    before = office.live()
    office.edits(TITLE, "tekst: {en: Pesa,")
    line = 1 + SHIPPED[: SHIPPED.index(TITLE)].count("\n")
    done = office.menu("publish")

    assert done.returncode == 1
    assert any(
        fault.startswith(f"menus/customer.yaml:{line}: E") for fault in done.stdout.splitlines()
    ), done.stdout
    assert office.live() == before
    linted = office.menu("lint")
    assert (linted.returncode, linted.stdout) == (1, done.stdout)


def test_rolling_back_goes_to_the_one_before_and_again_further(office: Office) -> None:
    live = [office.live()]
    for number in (2, 3):
        office.edits("schema: 1\n", f"schema: 1\n# {number}\n")
        assert office.menu("publish").returncode == 0
        live.append(office.live())

    back = office.menu("rollback", "customer", "--author", "odhiambo", "--note", "typo")
    assert back.returncode == 0, back.stderr
    first, *_, last = back.stdout.splitlines()
    assert first == f"customer: {live[1]} is live, in the place of {live[2]}"
    assert last == "The file menus/customer.yaml is left as it is."

    assert office.menu("rollback", "customer").returncode == 0
    assert office.live() == live[0]
    refused = office.menu("rollback", "customer")
    assert refused.returncode == 1
    assert "there is none before it" in refused.stderr

    forward = office.menu("rollback", "customer", "--to", live[2][:6])
    assert forward.returncode == 0, forward.stderr
    assert office.live() == live[2]
    shown = office.menu("versions", "customer").stdout.splitlines()
    assert [line[7:34].split() for line in shown[1:]] == [
        [live[2], "rollback"],
        [live[0], "rollback"],
        [live[1], "rollback"],
        [live[2], "publish"],
        [live[1], "publish"],
        [live[0], "publish"],
    ]
    assert shown[3].split()[-3:] == ["UTC", "odhiambo", "typo"]
    assert shown[6].split()[-4:] == ["UTC", "njeri", "the", "first"]


def test_what_cannot_be_rolled_back_to_is_told(office: Office) -> None:
    refused = {
        ("customer",): "there is none before it; name another with --to",
        ("customer", "--to", office.live()[:5]): "is live already",
        ("customer", "--to", "x"): "no version begins with x; see `menu versions customer`",
        ("pesa",): "pesa: never published; packs that were: ",
    }
    for words, reason in refused.items():
        done = office.menu("rollback", *words)
        assert done.returncode == 1
        assert done.stdout == ""
        assert reason in done.stderr


def test_a_version_that_this_program_cannot_load_is_not_rolled_back_to(office: Office) -> None:
    before = office.live()
    office.edits("schema: 1\n", "schema: 1\n# Another.\n")
    assert office.menu("publish").returncode == 0
    # As if an action had gone since: the first version names one that no program has.
    changed = office.folder / "menus" / "customer.yaml"
    changed.write_text(SHIPPED.replace("do: send_money\n", "do: send_more\n"), "utf-8")
    _poison(office, changed.read_bytes())

    done = office.menu("rollback", "customer", "--to", "0" * 16)
    assert done.returncode == 1
    assert re.search(r"^customer@0{16}:\d+: E\d+ .*send_more", done.stdout, re.MULTILINE)
    assert office.menu("rollback", "customer", "--to", before).returncode == 0


def test_packs_that_are_not_there_are_told_with_those_that_are(office: Office) -> None:
    assert "pesa: not there; packs that are: " in office.menu("publish", "pesa").stderr
    assert office.menu("versions", "pesa").returncode == 1
    assert office.menu("publish", "--author", "").returncode == 2


def test_a_file_that_was_edited_and_not_published_is_told_of(office: Office) -> None:
    told = "menus/customer.yaml is not what is live: `ussd-gateway menu publish` makes it so"
    assert told not in office.menu("versions").stdout
    office.edits("schema: 1\n", "schema: 1\n# Another.\n")

    assert told in office.menu("versions").stdout
    doctor = office.does("doctor")
    assert doctor.returncode == 1
    assert "not live: customer.yaml\n              Run `ussd-gateway menu publish`." in (
        doctor.stdout
    )


def test_seeding_publishes_what_never_was_and_leaves_the_rest(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path)
    shutil.copytree("menus", tmp_path / "menus")
    seeded = office.does("db", "seed")
    assert "is live, the first of its pack" in seeded.stdout, seeded.stderr
    before = office.live()
    office.edits("schema: 1\n", "schema: 1\n# Another.\n")

    assert office.does("db", "seed").stdout == ""
    assert office.live() == before


def test_the_server_does_not_start_without_a_published_pack(tmp_path: Path) -> None:
    office = Office(tmp_path)
    shutil.copytree("menus", tmp_path / "menus")
    assert office.does("db", "upgrade").returncode == 0
    done = office.does("serve")

    assert done.returncode == 2
    assert "customer: no version is published that this program can load" in done.stderr
    assert "`ussd-gateway menu publish`" in done.stderr


def test_books_of_before_there_were_versions_are_told_with_what_to_do(tmp_path: Path) -> None:
    done = Office(tmp_path).menu("versions")
    assert done.returncode == 2
    assert "db upgrade" in done.stderr


def _poison(office: Office, source: bytes) -> None:
    """Two versions that no program loads; the second is live."""
    engine = connect(Settings(data_dir=office.folder).database_url)
    versions = SqlVersions(engine, WallClock())
    seq = versions.live()["customer"].seq
    versions.publish("customer", "0" * 16, source, after=seq, author="nobody")
    versions.publish("customer", "1" * 16, b"none", after=seq + 1, author="nobody")
    engine.dispose()
