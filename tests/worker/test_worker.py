"""The worker as a program."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.embedded.processes import eventually
from tests.store.conftest import SetClock
from tests.store.outbox.owing import Box
from ussd_gateway.app.chance import SystemClock
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.outbox import UNWRITTEN, Outbox
from ussd_gateway.store.schema import outbox as table


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    engine = connect(f"sqlite:///{tmp_path / 'gateway.sqlite'}")
    upgrade(engine)
    clock = SetClock(SystemClock().now())
    yield Box(Outbox(engine, clock), engine, clock)
    engine.dispose()


def test_one_that_starts_tries_what_could_not_be_written_at_once(
    box: Box, tmp_path: Path, valkey_url: str
) -> None:
    """Its texts may be others, and nobody is to wait for the next try by the clock."""
    box.owe("k1", "k2")
    later_ms = box.now_ms() + 900_000
    with writing(box.engine) as connection:
        waits = update(table).values(next_at_ms=later_ms)
        connection.execute(waits.where(table.c.key == "k1").values(detail=UNWRITTEN))
        connection.execute(waits.where(table.c.key == "k2").values(detail="HTTP 503"))

    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    program = subprocess.Popen(
        [sys.executable, "-m", "ussd_gateway", "worker"],
        env=environ | {"DATA_DIR": str(tmp_path), "REDIS_URL": f"{valkey_url}?db=5"},
    )
    try:
        assert eventually(lambda: box.row("k1")["next_at_ms"] == 0)
        assert box.row("k2")["next_at_ms"] == later_ms
    finally:
        program.kill()
        program.wait()
