"""What becomes of screens, by day: counted in each process, added up here.

    ussd.counting --every few seconds--> menu_count (pack, digest, state, day)

Losing a few seconds of it loses no money and no truth, so nothing waits for it: a process that
is killed takes its last counts along.
"""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import menu_count

Screen = tuple[str, str, str]  # pack, digest, state
Counted = tuple[int, int, int, int]  # entered, answered, wrong, answered_ms

_COUNTS = ("entered", "answered", "wrong", "answered_ms")


class SqlCounts:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, day: date, counts: Mapping[Screen, Counted]) -> None:
        """Raises what SQLAlchemy raises where the database does not take it."""
        rows = [
            {
                "pack": pack,
                "digest": digest,
                "state": state,
                "day": day,
                **dict(zip(_COUNTS, counts[pack, digest, state], strict=True)),
            }
            # In one order, so that two processes never wait for each other.
            for pack, digest, state in sorted(counts)
        ]
        if rows:
            with writing(self._engine) as connection:
                _add(connection, rows)

    def since(self, pack: str, digest: str, day: date) -> dict[str, Counted]:
        """By state, from that day on. Raises BooksLost."""
        sums = [func.sum(menu_count.c[name]) for name in _COUNTS]
        found = (
            select(menu_count.c.state, *sums)
            .where(
                menu_count.c.pack == pack,
                menu_count.c.digest == digest,
                menu_count.c.day >= day,
            )
            .group_by(menu_count.c.state)
        )
        with asking(self._engine) as connection:
            return {
                state: (int(entered), int(answered), int(wrong), int(answered_ms))
                for state, entered, answered, wrong, answered_ms in connection.execute(found)
            }


def _add(connection: Connection, rows: list[dict[str, object]]) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = insert(menu_count)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["pack", "digest", "state", "day"],
            set_={name: menu_count.c[name] + new.excluded[name] for name in _COUNTS},
        ),
        rows,
    )
