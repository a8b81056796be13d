"""Actions that menus may not ask for now: stopped at once, without a version.

Each row stops an action or starts it again, and the last one of an action holds. Rows only
grow.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, func, insert, select

from ussd_gateway.ports import Clock
from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import menu_stopped


@dataclass(frozen=True, slots=True)
class Stop:
    action: str
    at_ms: int
    author: str
    note: str | None


_last = select(func.max(menu_stopped.c.seq)).group_by(menu_stopped.c.action)
# The last rows of the actions that are stopped.
STOPPED = (
    select(menu_stopped)
    .where(menu_stopped.c.seq.in_(_last), menu_stopped.c.stopped)
    .order_by(menu_stopped.c.action)
)


class SqlStops:
    """What only reads raises BooksLost where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def stopped(self) -> list[Stop]:
        with asking(self._engine) as connection:
            rows = connection.execute(STOPPED).all()
        return [Stop(row.action, row.at_ms, row.author, row.note) for row in rows]

    def stop(self, action: str, *, author: str, note: str | None = None) -> None:
        self._add(action, author, note, stopped=True)

    def start(self, action: str, *, author: str, note: str | None = None) -> None:
        self._add(action, author, note, stopped=False)

    def _add(self, action: str, author: str, note: str | None, *, stopped: bool) -> None:
        row = insert(menu_stopped).values(
            action=action,
            stopped=stopped,
            at_ms=int(self._clock.now().timestamp() * 1000),
            author=author,
            note=note,
        )
        with writing(self._engine) as connection:
            connection.execute(row)
