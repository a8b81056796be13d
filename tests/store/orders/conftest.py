"""An office whose books are true when a test leaves it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.store.conftest import SetClock
from tests.store.orders.staffed import Office, staffed, wrong


@pytest.fixture
def office(engine: Engine, clock: SetClock) -> Iterator[Office]:
    with staffed(engine, clock) as office:
        yield office
    assert wrong(engine) == []
