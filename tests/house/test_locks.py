"""The locks pin everything, by hash, and say nothing of where it was fetched."""

import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
LOCKS = sorted((HOUSE / "requirements").glob("*.txt"))


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def name(requirement: str) -> str:
    found = re.match(r"[a-z0-9-]+", requirement)
    assert found, requirement
    return found[0]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_with_hashes_and_no_address(lock: Path) -> None:
    for entry in re.split(r"\n(?=\S)", lock.read_text().strip()):
        pin, *hashes = entry.split("\n")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^\\/]+)? \\", pin), pin
        assert hashes
        assert all(
            re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes
        )


def test_all_that_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    runtime = {name(asked) for asked in project["dependencies"]}
    everything = runtime | {name(asked) for asked in project["optional-dependencies"]["dev"]}

    assert runtime <= pins(HOUSE / "requirements/gateway.txt").keys()
    assert everything <= pins(HOUSE / "requirements/dev.txt").keys()


def test_production_runs_what_was_tested() -> None:
    tested = pins(HOUSE / "requirements/dev.txt")
    assert pins(HOUSE / "requirements/gateway.txt").items() <= tested.items()
