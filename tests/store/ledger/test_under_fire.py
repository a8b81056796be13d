"""The ledger's writers in processes of their own, killed and crowded: in small what tests/chaos
does for longer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.chaos import drained, fivefold, raced, shot
from tests.chaos.report import Report
from tests.world import DATABASES

# Each gets a report, a folder and an empty database.
FIRE: dict[str, Callable[[Report, Path, str], object]] = {
    "writers are killed": partial(shot.shoot, shots=[shot.WRITER] * 3),
    "a wallet is drained": partial(drained.drain, clients=8, for_s=1.0),
    "keys are asked for five times": partial(fivefold.ask, keys=120),
    "holds are raced for": partial(raced.race, holds=60),
}


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'books.sqlite'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.mark.parametrize("burn", FIRE.values(), ids=FIRE.keys())
def test_every_promise_is_kept_under_fire(
    burn: Callable[[Report, Path, str], object], url: str, tmp_path: Path
) -> None:
    report = Report("fire", seed=384)
    burn(report, tmp_path, url)

    assert report.broken == []
