"""Versions of menus: the octets of each file as they were published, and which are live.

    menu_live (pack, seq) --digest--> menu_version (pack, digest)
    1  publish   a1...                a1...  source, author
    2  publish   b2...                b2...
    3  rollback  a1...   <- live

Both only grow: triggers forbid the rest. A session goes on in the version that it began in,
however long ago another took its place; and a rollback, one more row, leaves a trace as a
publish does. Who moves a pack says which of its moves they saw last: of two people who saw the
same one, the second is told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from ussd_gateway.ports import BooksLost, Clock
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import menu_live, menu_version

# Further back than this, moves are kept and not read.
history_max = 200


class Why(Enum):
    PUBLISH = "publish"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Move:
    """A version that became live, the `seq`th move of its pack, counted from 1."""

    pack: str
    seq: int
    digest: str
    why: Why
    at_ms: int
    author: str
    note: str | None


class Overtaken(Exception):
    """Somebody else has moved the pack since the move that was seen last."""


_last = (
    select(menu_live.c.pack, func.max(menu_live.c.seq).label("seq"))
    .group_by(menu_live.c.pack)
    .subquery()
)
_LIVE = select(menu_live).join(
    _last, (menu_live.c.pack == _last.c.pack) & (menu_live.c.seq == _last.c.seq)
)


class SqlVersions:
    """What only reads raises BooksLost where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def live(self) -> dict[str, Move]:
        """The last move of each pack, by its name."""
        with _look(), reading(self._engine) as connection:
            return {row.pack: _move(row) for row in connection.execute(_LIVE)}

    def history(self, pack: str) -> list[Move]:
        """Its moves, the last first."""
        moves = (
            select(menu_live)
            .where(menu_live.c.pack == pack)
            .order_by(menu_live.c.seq.desc())
            .limit(history_max)
        )
        with _look(), reading(self._engine) as connection:
            return [_move(row) for row in connection.execute(moves)]

    def source(self, pack: str, digest: str) -> bytes | None:
        """None where no such version was ever published."""
        found = select(menu_version.c.source).where(
            menu_version.c.pack == pack, menu_version.c.digest == digest
        )
        with _look(), reading(self._engine) as connection:
            source: bytes | None = connection.execute(found).scalar()
            return source

    def publish(
        self,
        pack: str,
        digest: str,
        source: bytes,
        *,
        after: int,
        author: str,
        note: str | None = None,
    ) -> None:
        """Freezes the version, if it is a new one, and makes it live.

        `after`: the `seq` of the move that was seen last, 0 where there was none. Raises
        Overtaken."""
        with self._moving() as connection:
            known = select(menu_version.c.digest).where(
                menu_version.c.pack == pack, menu_version.c.digest == digest
            )
            now_ms = self._now_ms()
            if connection.execute(known).first() is None:
                version = insert(menu_version).values(
                    pack=pack,
                    digest=digest,
                    source=source,
                    published_at_ms=now_ms,
                    author=author,
                )
                connection.execute(version)
            move = Move(pack, after + 1, digest, Why.PUBLISH, now_ms, author, note)
            _insert(connection, move)

    def roll_back(
        self, pack: str, digest: str, *, after: int, author: str, note: str | None = None
    ) -> None:
        """Makes a version live that was published before. Raises Overtaken."""
        assert self.source(pack, digest) is not None, f"{pack} {digest} was never published"
        with self._moving() as connection:
            move = Move(pack, after + 1, digest, Why.ROLLBACK, self._now_ms(), author, note)
            _insert(connection, move)

    @contextmanager
    def _moving(self) -> Iterator[Connection]:
        """A transaction. What clashes in it was written by somebody at the same moment."""
        try:
            with writing(self._engine) as connection:
                yield connection
        except IntegrityError:
            raise Overtaken from None

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _insert(connection: Connection, move: Move) -> None:
    values = {field: getattr(move, field) for field in Move.__slots__}
    connection.execute(insert(menu_live).values(values | {"why": move.why.value}))


def _move(row: Row[Any]) -> Move:
    return Move(row.pack, row.seq, row.digest, Why(row.why), row.at_ms, row.author, row.note)


@contextmanager
def _look() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise BooksLost(str(reason).strip().splitlines()[0]) from None
