"""Time that two clocks agree has come: this process's and the database's own.

A clock that ran ahead, alone, closes no day and forgets nothing. On PostgreSQL the other one is
the server's; on SQLite it is the machine's, whatever the demo's was set to.
"""

from datetime import UTC, datetime

from sqlalchemy import Engine, text

from ussd_gateway.ports import Clock
from ussd_gateway.store.database import reading

_NOW = {
    "sqlite": text("SELECT CAST(strftime('%s', 'now') AS INTEGER)"),
    "postgresql": text("SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)"),
}


class SlowerClock:
    """The one of the two that is behind. Raises what SQLAlchemy raises where the database does
    not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def now(self) -> datetime:
        with reading(self._engine) as connection:
            seconds: int = connection.execute(_NOW[self._engine.dialect.name]).scalar_one()
        return min(self._clock.now(), datetime.fromtimestamp(seconds, UTC))
