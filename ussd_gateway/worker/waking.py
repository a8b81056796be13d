"""When those are woken that a provider would not take, and that wait long.

Once it takes something again, all of them may go out at once. But some wait because it will
never take them: it has no way to their network, their sender is not registered with it. Woken
each time that it takes something else they would be asked about without an end, and before all
others, as they are the oldest. So there is a pause behind each wake; and where too much of what
was sent since the last one was not taken, one of twice the length.
"""

import math
from datetime import timedelta

PAUSE_S = 2.0
# No longer than they would wait by themselves.
PAUSE_MAX_S = timedelta(minutes=15).total_seconds()
# One message that is not taken among so many that are: that much of its rate may be lost.
TAKEN_TO_MISSED = 10


class Waking:
    """Of one provider, as one worker sees it. Used by one thread."""

    def __init__(self) -> None:
        # Some may wait from before this worker's start.
        self._at_s = -math.inf
        self._pause_s = PAUSE_S
        self._taken = self._missed = 0  # since the last wake

    def missed(self, now_s: float) -> None:
        """It did not take a message."""
        self._missed += 1
        if self._at_s == math.inf:
            self._at_s = now_s + self._pause_s

    def took(self, now_s: float) -> bool:
        """It took one; whether it is time to wake those that it did not."""
        self._taken += 1
        return now_s >= self._at_s

    def woke(self, count: int, now_s: float) -> None:
        """So many; 0: none is left, until another one is not taken."""
        wasted = self._missed * TAKEN_TO_MISSED > self._taken
        pause_s = self._pause_s * 2 if wasted else self._pause_s / 2
        self._pause_s = min(max(pause_s, PAUSE_S), PAUSE_MAX_S)
        self._taken = self._missed = 0
        self._at_s = now_s + self._pause_s if count else math.inf
