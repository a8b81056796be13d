"""The two scripts that Redis runs for each hop: one loads and locks, one saves and unlocks."""

import hashlib
from typing import Final


class Script:
    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # The name that Redis gives a script; no secret depends on it.
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


# KEYS: the row, the phone. ARGV: length of the text so far (-1: only the newest input comes),
# within, begins, holder, lease in ms, how soon an id is not used again, marks. A repeat of the
# last hop is answered at once; one from before waits for whoever holds the session, so that
# what is said of it is true. A session that begins is given the row that its phone has left
# open, and whether it is held. An id that begins again soon is the same callback come again,
# after its end too.
LOAD: Final = Script(r"""
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
""")

# KEYS: the row, the phone, the row that it takes the place of. ARGV: holder, hop, length, row,
# seconds to keep it, mark, whether the marks before stay too, ended, the last hop of what it
# takes the place of (0: of nothing). What has gone on meanwhile, or is about to, is not taken.
# A save that was done, but whose answer was lost on the way, is sent again and finds its own
# row: that is kept too.
SAVE: Final = Script(r"""
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
""")
