"""Versions of menus: the octets of each file as they were published, and which are live.

    menu_live (pack, seq) --digest--> menu_version (pack, digest)
    1  publish   a1...                a1...  source, author
    2  publish   b2...   10 %         b2...
    3  rollout   b2...   50 %  <- live for half of all numbers; a1... for the others

Both only grow: triggers forbid the rest. A session goes on in the version that it began in,
however long ago another took its place, until that is retired; and a rollback, one more row,
leaves a trace as a publish does. Who moves a pack says which of its moves they saw last: of two
people who saw the same one, the second is told.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, literal, select, union_all
from sqlalchemy.exc import IntegrityError

from ussd_gateway.ports import Clock
from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.menus import rollout as rollouts
from ussd_gateway.store.menus.rollout import Rollout
from ussd_gateway.store.menus.stops import STOPPED
from ussd_gateway.store.schema import menu_live, menu_retired, menu_stopped, menu_version

# Further back than this, moves are kept and not read.
history_max = 200


class Why(Enum):
    PUBLISH = "publish"
    ROLLBACK = "rollback"
    ROLLOUT = "rollout"


@dataclass(frozen=True, slots=True)
class Move:
    """A version that became live, the `seq`th move of its pack, counted from 1. `rollout`: for
    whom; None: for everybody. `approver`: of what a member of staff has published."""

    pack: str
    seq: int
    digest: str
    why: Why
    at_ms: int
    author: str
    note: str | None
    approver: str | None = None
    rollout: Rollout | None = None


@dataclass(frozen=True, slots=True)
class Heads:
    """How far all that only grows has grown: equal ones say that nothing has changed."""

    moves: Mapping[str, int]  # the last move of each pack
    retired: int
    stopped: int


class Overtaken(Exception):
    """Somebody else has moved the pack since the move that was seen last."""


class IsRetired(Exception):
    """No session goes on in this version: it becomes live no more."""


_last = (
    select(menu_live.c.pack, func.max(menu_live.c.seq).label("seq"))
    .group_by(menu_live.c.pack)
    .subquery()
)
_LIVE = select(menu_live).join(
    _last, (menu_live.c.pack == _last.c.pack) & (menu_live.c.seq == _last.c.seq)
)
_HEADS = union_all(
    select(menu_live.c.pack, func.max(menu_live.c.seq)).group_by(menu_live.c.pack),
    # No pack has these names: they are no names of files.
    select(literal("/retired"), func.count()).select_from(menu_retired),
    # Counted: of two rows at the same moment the one with the greater number may come first.
    select(literal("/stopped"), func.count()).select_from(menu_stopped),
)


class SqlVersions:
    """What only reads raises BooksLost where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def heads(self) -> Heads:
        with asking(self._engine) as connection:
            found = {str(row[0]): int(row[1]) for row in connection.execute(_HEADS)}
        retired, stopped = found.pop("/retired"), found.pop("/stopped")
        return Heads(found, retired, stopped)

    def live(self) -> dict[str, Move]:
        """The last move of each pack, by its name."""
        with asking(self._engine) as connection:
            return {row.pack: _move(row) for row in connection.execute(_LIVE)}

    def history(self, pack: str) -> list[Move]:
        """Its moves, the last first."""
        moves = (
            select(menu_live)
            .where(menu_live.c.pack == pack)
            .order_by(menu_live.c.seq.desc())
            .limit(history_max)
        )
        with asking(self._engine) as connection:
            return [_move(row) for row in connection.execute(moves)]

    def source(self, pack: str, digest: str) -> bytes | None:
        """None where no such version was ever published or proposed."""
        found = select(menu_version.c.source).where(
            menu_version.c.pack == pack, menu_version.c.digest == digest
        )
        with asking(self._engine) as connection:
            source: bytes | None = connection.execute(found).scalar()
            return source

    def retired(self) -> frozenset[tuple[str, str]]:
        """Packs and digests of the versions that no session goes on in."""
        with asking(self._engine) as connection:
            rows = connection.execute(select(menu_retired.c.pack, menu_retired.c.digest))
            return frozenset((row.pack, row.digest) for row in rows)

    def stopped(self) -> frozenset[str]:
        """The actions that nothing may ask for."""
        with asking(self._engine) as connection:
            return frozenset(row.action for row in connection.execute(STOPPED))

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
        """Freezes the version, if it is a new one, and makes it live for everybody.

        `after`: the `seq` of the move that was seen last, 0 where there was none. Raises
        Overtaken and IsRetired, as all that moves does."""
        now_ms = self._now_ms()
        with _moving(self._engine) as connection:
            freeze(connection, pack, digest, source, at_ms=now_ms, author=author)
            move = Move(pack, after + 1, digest, Why.PUBLISH, now_ms, author, note)
            insert_move(connection, move)

    def roll_back(
        self, pack: str, digest: str, *, after: int, author: str, note: str | None = None
    ) -> None:
        """Makes a version live for everybody that was so before."""
        self._move(Move(pack, after + 1, digest, Why.ROLLBACK, self._now_ms(), author, note))

    def roll_out(
        self,
        pack: str,
        digest: str,
        rollout: Rollout | None,
        *,
        after: int,
        author: str,
        note: str | None = None,
    ) -> None:
        """Makes a version that was published live for others than before."""
        now_ms = self._now_ms()
        move = Move(pack, after + 1, digest, Why.ROLLOUT, now_ms, author, note, None, rollout)
        self._move(move)

    def retire(
        self, pack: str, digest: str, *, after: int, author: str, note: str | None = None
    ) -> None:
        """From now on no session goes on in it. Raises Overtaken, also where it is so
        already."""
        row = insert(menu_retired).values(
            pack=pack, digest=digest, at_ms=self._now_ms(), author=author, note=note
        )
        with _moving(self._engine) as connection:
            if hold(connection, pack) != after:
                raise Overtaken
            connection.execute(row)

    def _move(self, move: Move) -> None:
        known = self.source(move.pack, move.digest)
        assert known is not None, f"{move.pack} {move.digest} was never published"
        with _moving(self._engine) as connection:
            insert_move(connection, move)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def freeze(
    connection: Connection, pack: str, digest: str, source: bytes, *, at_ms: int, author: str
) -> None:
    """Keeps the octets of a version, if it is a new one."""
    known = select(menu_version.c.digest).where(
        menu_version.c.pack == pack, menu_version.c.digest == digest
    )
    if connection.execute(known).first() is None:
        version = insert(menu_version).values(
            pack=pack, digest=digest, source=source, published_at_ms=at_ms, author=author
        )
        connection.execute(version)


def hold(connection: Connection, pack: str) -> int:
    """The `seq` of the pack's last move, 0 where there is none. While it is the last, nobody
    else moves the pack or retires a version of it until this transaction ends."""
    last = (
        select(menu_live.c.seq)
        .where(menu_live.c.pack == pack)
        .order_by(menu_live.c.seq.desc())
        .limit(1)
    )
    connection.execute(last.with_for_update())
    # Asked again: whoever was waited for may have moved it.
    return connection.execute(last).scalar() or 0


def insert_move(connection: Connection, move: Move) -> None:
    """Clashes where somebody else has made this move of the pack. Raises IsRetired."""
    hold(connection, move.pack)
    retired = select(menu_retired.c.digest).where(
        menu_retired.c.pack == move.pack, menu_retired.c.digest == move.digest
    )
    if connection.execute(retired).first() is not None:
        raise IsRetired
    values = {field: getattr(move, field) for field in Move.__slots__}
    values |= {"why": move.why.value, "rollout": rollouts.packed(move.rollout)}
    connection.execute(insert(menu_live).values(values))


@contextmanager
def _moving(engine: Engine) -> Iterator[Connection]:
    """A transaction. What clashes in it was written by somebody at the same moment."""
    try:
        with writing(engine) as connection:
            yield connection
    except IntegrityError:
        raise Overtaken from None


def _move(row: Row[Any]) -> Move:
    return Move(
        row.pack,
        row.seq,
        row.digest,
        Why(row.why),
        row.at_ms,
        row.author,
        row.note,
        row.approver,
        rollouts.unpacked(row.rollout),
    )
