"""Rows of USSD sessions in Redis: one script loads and locks, one saves and unlocks.

    ussd:<route>:<session id>   a hash
      hop     hops answered so far             holder  who answers the next one now
      heard   length of the input then         until   when that lock lapses (server, ms)
      row     the session as `ussd` keeps it
      mark, at  where only the newest input comes: of the last callback, and when (ms)
      moved   a later session of its phone has taken its place: it takes no input any more
    ussd:left:<phone>              the key of the session that it has left open

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

from ussd_gateway.ports import Held, Knock, Left, Loaded, Saved, SessionId, SessionsLost

# Longer than a hop may take (ussd.turn), shorter than any route waits for its answer.
lease_ms = 8_000
# Aggregators that name a session by its phone use a name again, but not so soon.
reused_after_ms = 180_000

connect_timeout_s = 1.0
answer_timeout_s = 1.0

_HELD: Final = (Held.FRESH, Held.LOCKED, Held.ANSWERED, Held.BUSY, Held.MOVED)
_SAVED: Final = (Saved.NOT_OURS, Saved.KEPT, Saved.HELD, Saved.GONE_ON)

# KEYS: the row, the phone. ARGV: length of the text so far (-1: only the newest input comes),
# within, begins, holder, lease in ms, how soon an id is not used again, marks. A repeat of the
# last hop is answered at once; one from before waits for whoever holds the session, so that
# what is said of it is true. A session that begins is given the row that its phone has left
# open, and whether it is held. An id that begins again soon is the same callback come again,
# after its end too.
_LOAD = r"""
local is = redis.call('HMGET', KEYS[1], 'hop', 'heard', 'row', 'holder', 'until', 'mark', 'at',
                      'moved')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local length, within = tonumber(ARGV[1]), tonumber(ARGV[2])
local more = 1
if is[1] and length >= 0 then more = length - is[2] end
local waited = is[7] and now - is[7]
if is[1] and length < 0 and is[6] and (within == 0 or waited <= within) then
  for i = 7, #ARGV do
    if string.find(is[6], '\n' .. ARGV[i] .. '\n', 1, true) then more = 0 end
  end
end
if more == 0 then return {2, is[3], tonumber(is[1]), '', 0, 0} end
if is[4] and is[4] ~= ARGV[4] and tonumber(is[5]) > now then return {3, '', 0, '', 0, 0} end
if is[1] and ARGV[3] == '1' then
  if waited and waited <= tonumber(ARGV[6]) then
    return {2, is[3], tonumber(is[1]), '', 0, 0}
  end
  redis.call('DEL', KEYS[1])
  is[1] = false
end
if is[1] and is[8] then return {4, is[3], tonumber(is[1]), '', 0, 0} end
if more < 0 and is[1] then return {2, is[3], tonumber(is[1]), '', 0, 0} end
local lapses = string.format('%d', now + ARGV[5])
redis.call('HSET', KEYS[1], 'holder', ARGV[4], 'until', lapses)
if is[1] then
  local taken_over = is[4] and is[4] ~= ARGV[4] and 1 or 0
  return {1, is[3], tonumber(is[1]), '', 0, taken_over}
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local left = redis.call('GET', KEYS[2])
if not left or left == KEYS[1] then return {0, '', 0, '', 0, 0} end
local was = redis.call('HMGET', left, 'row', 'hop', 'holder', 'until')
local held = was[3] and tonumber(was[4]) > now and 1 or 0
return {0, '', 0, was[1] or '', tonumber(was[2] or 0), held}
"""

# KEYS: the row, the phone, the row that it takes the place of. ARGV: holder, hop, length, row,
# seconds to keep it, mark, whether the marks before stay too, ended, the last hop of what it
# takes the place of (0: of nothing). What has gone on meanwhile, or is about to, is not taken.
# A save that was done, but whose answer was lost on the way, is sent again and finds its own
# row: that is kept too.
_SAVE = r"""
local is = redis.call('HMGET', KEYS[1], 'hop', 'holder', 'row', 'mark')
local before = tonumber(is[1] or 0)
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
if is[2] == ARGV[1] and before + 1 == tonumber(ARGV[2]) then
  local was = ARGV[9] ~= '0' and redis.call('HMGET', KEYS[3], 'hop', 'holder', 'until', 'moved')
  if was and was[1] then
    if was[2] and tonumber(was[3]) > now_ms() then return 2 end
    if was[1] ~= ARGV[9] or was[4] then return 3 end
    redis.call('HSET', KEYS[3], 'moved', '1')
  end
  redis.call('HSET', KEYS[1], 'hop', ARGV[2], 'heard', ARGV[3], 'row', ARGV[4])
  if ARGV[3] == '-1' then
    local marks = ARGV[7] == '1' and is[4] or ''
    local now = string.format('%d', now_ms())
    redis.call('HSET', KEYS[1], 'mark', marks .. '\n' .. ARGV[6] .. '\n', 'at', now)
  end
  redis.call('HDEL', KEYS[1], 'holder', 'until')
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  if ARGV[8] == '0' then redis.call('SET', KEYS[2], KEYS[1], 'EX', ARGV[5])
  elseif was or redis.call('GET', KEYS[2]) == KEYS[1] then redis.call('DEL', KEYS[2]) end
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
        self, route: str, session_id: SessionId, *, knock: Knock, phone: str, holder: str
    ) -> Loaded:
        code, row, hop, lost, lost_hop, flag = self._run(
            _LOAD_SCRIPT,
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
            _SAVE_SCRIPT,
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

    def _run(self, script: "_Script", keys: tuple[str, ...], *args: str | int | bytes) -> Any:
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


def _phone_key(phone: str) -> str:
    return f"ussd:left:{phone}"
