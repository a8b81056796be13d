"""The scheduler seals each second, and keeps the head once a market day."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from tests.store.conftest import MARKET, SetClock
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import batch, unsealed
from ussd_gateway.store.seals.sealer import SEALED_MAX, head
from ussd_gateway.worker.sealing import Sealing


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'gateway.sqlite'}")
    upgrade(engine)
    yield engine
    engine.dispose()


def test_a_head_is_kept_on_each_day_of_the_market(engine: Engine, tmp_path: Path) -> None:
    clock, heads = SetClock(), tmp_path / "heads"
    sealing = Sealing(engine, clock, MARKET, heads)
    assert not sealing.step()
    assert not heads.exists()  # there is none yet

    commit(engine, 1)
    sealing.step()
    commit(engine, 2)
    sealing.step()
    assert kept(heads) == ["2026-11-21.json"]
    clock.at = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)  # midnight in Nairobi
    sealing.step()
    assert kept(heads) == ["2026-11-21.json", "2026-11-22.json"]


def test_more_than_one_look_can_take_is_looked_for_at_once(
    engine: Engine, tmp_path: Path
) -> None:
    sealing = Sealing(engine, SetClock(), MARKET, tmp_path / "heads")
    commit(engine, *range(1, SEALED_MAX + 2))

    assert [sealing.step(), sealing.step()] == [SEALED_MAX, 0]


def test_sealing_goes_on_where_a_head_cannot_be_kept(engine: Engine, tmp_path: Path) -> None:
    clock, heads = SetClock(), tmp_path / "heads"
    heads.write_text("a file in the place of the folder")
    sealing = Sealing(engine, clock, MARKET, heads)
    for number in (1, 2):
        commit(engine, number)
        sealing.step()

    newest = head(engine)
    assert newest is not None
    assert newest.seq == 2
    heads.unlink()
    sealing.step()
    assert not heads.exists()
    clock.wait(60)
    sealing.step()
    assert kept(heads) == ["2026-11-21.json"]


def commit(engine: Engine, *numbers: int) -> None:
    with writing(engine) as connection:
        rows = [{"id": number, "digest": bytes(32), "at_ms": number} for number in numbers]
        connection.execute(insert(batch), rows)
        connection.execute(insert(unsealed), [{"batch_id": number} for number in numbers])


def kept(heads: Path) -> list[str]:
    return sorted(path.name for path in heads.iterdir())
