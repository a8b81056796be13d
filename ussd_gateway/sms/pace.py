"""No faster than a provider allows: each message gets the next free moment.

    moments   |----|----|----|----|----     1 / rate apart
    messages  x    x         x    x         what was left unused is made up for, a little

In any t seconds at most `rate_per_s * (t + catch_up_s)` go out, of one process.
"""

import threading
import time
from collections.abc import Callable

# Threads wake up late, and answers come unevenly: without this, moments would be lost.
catch_up_s = 0.25


class Pace:
    """Of one provider, for all threads of a process."""

    def __init__(
        self,
        rate_per_s: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._apart_s = 1 / rate_per_s
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = now()

    def wait(self, within_s: float) -> bool:
        """Returns when it is our turn; False, and at once, where that is later than that."""
        with self._lock:
            now = self._now()
            turn = max(self._next, now - catch_up_s)
            if turn - now > within_s:
                return False
            self._next = turn + self._apart_s
        if turn > now:
            self._sleep(turn - now)
        return True

    def hold(self, for_s: float) -> None:
        """Nothing more for a while: the provider asks for it."""
        with self._lock:
            self._next = max(self._next, self._now() + for_s)
