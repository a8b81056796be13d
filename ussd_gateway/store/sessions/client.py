"""Loads and saves rows of sessions, one script call each.

A lock outlives its holder by at most `lease_ms`: the twin that comes after a killed process
takes it over and runs the hop again under the same keys. Each thread has one connection of its
own and speaks to it directly, at 0.6 of the CPU of a pooled client.
"""

import threading
from typing import Any, Final, cast

import hiredis
import redis
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import NoScriptError, RedisError

from ussd_gateway.ports import Held, Knock, Left, Loaded, Saved, SessionId, SessionsLost
from ussd_gateway.store.sessions.scripts import LOAD, SAVE, Script

# Longer than a hop may take (ussd.turn), shorter than any route waits for its answer.
lease_ms = 8_000
# Aggregators that name a session by its phone use a name again, but not so soon.
reused_after_ms = 180_000

connect_timeout_s = 1.0
answer_timeout_s = 1.0

_HELD: Final = (Held.FRESH, Held.LOCKED, Held.ANSWERED, Held.BUSY, Held.MOVED)
_SAVED: Final = (Saved.NOT_OURS, Saved.KEPT, Saved.HELD, Saved.GONE_ON)


class RedisSessions:
    """The Sessions of `ports`. Safe to use from any number of threads."""

    def __init__(self, url: str) -> None:
        """`url` as redis-py takes it: redis://, rediss:// or unix://. Nothing connects yet."""
        self._pool = redis.ConnectionPool.from_url(
            url,
            protocol=2,
            socket_connect_timeout=connect_timeout_s,
            socket_timeout=answer_timeout_s,
            # It only makes them, and counts those of threads that have ended: the server ends
            # idle ones, and makes others.
            max_connections=2**31,
        )
        self._thread = threading.local()

    def load(
        self, route: str, session_id: SessionId, *, knock: Knock, phone: str, holder: str
    ) -> Loaded:
        code, row, hop, lost, lost_hop, flag = self._run(
            LOAD,
            (_key(route, session_id), _phone_key(phone)),
            knock.length,
            knock.within_ms,
            int(knock.begins),
            holder,
            lease_ms,
            reused_after_ms,
            *knock.marks,
        )
        held = _HELD[code]
        return Loaded(
            held,
            row,
            hop,
            lost,
            lost_hop,
            lost_held=held is Held.FRESH and flag == 1,
            taken_over=held is Held.LOCKED and flag == 1,
        )

    def save(
        self,
        route: str,
        session_id: SessionId,
        *,
        row: bytes,
        hop: int,
        knock: Knock,
        mark: str,
        phone: str,
        ended: bool,
        takes: Left | None,
        holder: str,
        kept_s: int,
    ) -> Saved:
        taken = _key(takes.route, takes.session_id) if takes else ""
        saved: int = self._run(
            SAVE,
            (_key(route, session_id), _phone_key(phone), taken),
            holder,
            hop,
            knock.length,
            row,
            kept_s,
            mark,
            int(knock.names_hops),
            int(ended),
            takes.hop if takes else 0,
        )
        return _SAVED[saved]

    def _run(self, script: Script, keys: tuple[str, ...], *args: str | int | bytes) -> Any:
        """One script call. Either may be sent twice: a second load by one holder finds its own
        lock, a second save its own row. A time-out is not tried again: the phone waits."""
        try:
            try:
                return self._ask("EVALSHA", script.sha, len(keys), *keys, *args)
            except (ConnectionFailed, NoScriptError):
                return self._ask("EVAL", script.text, len(keys), *keys, *args)
        except RedisError as error:
            raise SessionsLost(type(error).__name__) from error

    def _ask(self, *command: str | int | bytes) -> Any:
        connection = self._connection()
        packed = hiredis.pack_command(cast(tuple[bytes], command))
        connection.send_packed_command((packed,), check_health=False)  # type: ignore[no-untyped-call]
        return connection.read_response()

    def _connection(self) -> ConnectionInterface:
        """This thread's own. It connects itself, again too, when it is next sent something."""
        connection: ConnectionInterface | None = getattr(self._thread, "connection", None)
        if connection is None:
            connection = self._pool.make_connection()
            self._thread.connection = connection
        return connection


def _key(route: str, session_id: SessionId) -> str:
    return f"ussd:{route}:{session_id}"


def _phone_key(phone: str) -> str:
    return f"ussd:left:{phone}"
