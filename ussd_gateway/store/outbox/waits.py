"""How long the outbox waits for what."""

from datetime import timedelta

_MS = timedelta(milliseconds=1)

# A row that is queued twice is still sent once, and one that the queue lost waits this long.
CLAIMED_LEASE_MS = 10_000
# Longer than any provider takes to answer, and the next one after it.
SENDING_LEASE_MS = 30_000
# After a silence, for the report that may still come.
REPORT_WAIT_MS = 10_000
# After the second one, and before the last try: whatever went out has been reported by then, if
# the handset was on.
LAST_WAIT_MS = 120_000
# How old the event of a message may be that nobody has taken. A balance that was asked for says
# something else an hour later, and whoever needs it has asked again.
VALIDITY_MS = timedelta(hours=48) // _MS
ANSWER_VALIDITY_MS = timedelta(hours=1) // _MS

RETRY_FIRST_MS = 2_000
RETRY_MAX_MS = 900_000
# Waits as short as this are left to end by themselves when a provider is back.
RETRY_SHORT_MS = 10_000

# Doubled this often, the first wait is past the longest one.
_DOUBLINGS_MAX = 16
_MIXER = 2_654_435_761  # Knuth's, of multiplicative hashing


def after_silence_ms(silences: int, *, died: bool) -> int:
    """How long a message waits that has met so many; 0: for good. `died`: one of them was a
    worker's death."""
    if silences == 1:
        return REPORT_WAIT_MS
    return LAST_WAIT_MS if silences == 2 and died else 0


def retry_ms(number: int, attempt: int) -> int:
    """Until a message that nobody took is tried again: twice as long each time, and from half
    of that to all of it, so that those which failed together do not come again together. The
    same for the same row and attempt."""
    longest = min(RETRY_FIRST_MS << min(attempt - 1, _DOUBLINGS_MAX), RETRY_MAX_MS)
    half = longest // 2
    return half + (number * 31 + attempt) * _MIXER % 2**32 % (longest - half + 1)
