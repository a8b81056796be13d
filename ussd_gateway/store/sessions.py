"""Rows of USSD sessions in Redis: one script loads and locks, one saves and unlocks.

    ussd:<route>:<session id>   a hash
      hop     hops answered so far             holder  who answers the next one now
      heard   length of the input then         until   when that lock lapses (server, ms)
      row     the session as `ussd` keeps it

A lock outlives its holder by at most `lease_ms`: the twin that comes after a killed process
takes it over and runs the hop again under the same keys. Each thread has one connection of its
own and speaks to it directly, at 0.6 of the CPU of a pooled client.
"""

import hashlib
import threading
from typing import Any, Final, cast

import hiredis
import redis
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import NoScriptError, RedisError

from ussd_gateway.ports import Held, Loaded, SessionId, SessionsLost

# Longer than a hop may take (ussd.turn), shorter than any route waits for its answer.
lease_ms = 8_000
# A row lives on after the session could have gone on, for repeats that come late.
replay_window_s = 60

connect_timeout_s = 1.0
answer_timeout_s = 1.0

_HELD: Final = (Held.FRESH, Held.LOCKED, Held.ANSWERED, Held.BUSY)

# KEYS: the row. ARGV: length of the input, holder, lease in ms. A repeat of the last hop is
# answered at once; one from before waits for whoever holds the session, so that what is said of
# it is true.
_LOAD = """
local is = redis.call('HMGET', KEYS[1], 'hop', 'heard', 'row', 'holder', 'until')
local more = is[1] and ARGV[1] - is[2] or 1
if more == 0 then return {2, is[3], tonumber(is[1])} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if is[4] and is[4] ~= ARGV[2] and tonumber(is[5]) > now then return {3, '', 0} end
if more < 0 then return {2, is[3], tonumber(is[1])} end
local lapses = string.format('%d', now + ARGV[3])
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'until', lapses)
if is[1] then return {1, is[3], tonumber(is[1])} end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {0, '', 0}
"""

# KEYS: the row. ARGV: holder, hop, length of the input, row, seconds to keep it. A save that
# was done, but whose answer was lost on the way, is sent again and finds its own row: that is
# kept too.
_SAVE = """
local is = redis.call('HMGET', KEYS[1], 'hop', 'holder', 'row')
local before = tonumber(is[1] or 0)
if is[2] == ARGV[1] and before + 1 == tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'hop', ARGV[2], 'heard', ARGV[3], 'row', ARGV[4])
  redis.call('HDEL', KEYS[1], 'holder', 'until')
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return 1
end
if is[1] == ARGV[2] and is[3] == ARGV[4] then return 1 end
return 0
"""


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
        self, route: str, session_id: SessionId, *, input_length: int, holder: str
    ) -> Loaded:
        held, row, hop = self._run(
            _LOAD_SCRIPT, _key(route, session_id), input_length, holder, lease_ms
        )
        return Loaded(_HELD[held], row, hop)

    def save(
        self,
        route: str,
        session_id: SessionId,
        *,
        row: bytes,
        hop: int,
        input_length: int,
        holder: str,
        idle_s: int,
    ) -> bool:
        kept_s = idle_s + replay_window_s
        saved: int = self._run(
            _SAVE_SCRIPT, _key(route, session_id), holder, hop, input_length, row, kept_s
        )
        return saved == 1

    def _run(self, script: "_Script", key: str, *args: str | int | bytes) -> Any:
        """One script call. Either may be sent twice: a second load by one holder finds its own
        lock, a second save its own row. A time-out is not tried again: the phone waits."""
        try:
            try:
                return self._ask("EVALSHA", script.sha, 1, key, *args)
            except (ConnectionFailed, NoScriptError):
                return self._ask("EVAL", script.text, 1, key, *args)
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


class _Script:
    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # The name that Redis gives a script; no secret depends on it.
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


_LOAD_SCRIPT: Final = _Script(_LOAD)
_SAVE_SCRIPT: Final = _Script(_SAVE)


def _key(route: str, session_id: SessionId) -> str:
    return f"ussd:{route}:{session_id}"
