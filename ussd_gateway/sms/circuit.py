"""Whether a provider is fit: after some failures in a row it rests, then is tried with one.

    closed --failures_max in a row--> open --rest over--> one trial --well--> closed
                                        ^                     |
                                        +--failed: rests twice as long, up to a bound

While it rests nobody waits for its time-outs, and nothing is sent into silence. The trial may
well be: so no message is spent on it that is not sent once more after silence, unless no other
one comes. Who asks us to slow down is well; and that we had no room to ask is no failure.
"""

import threading
import time
from collections.abc import Callable

failures_max = 5
rest_s = 1.0
# Short: when it is back, the backlog drains at once.
rest_s_max = 15.0
# A trial that never came to an end does not keep the circuit open for ever.
trial_s_max = 30.0
# So long after its rest no other message has come to try it with.
alone_s = 60.0


class Circuit:
    """Of one provider, for all threads of a process. Whoever is let through says by its ticket
    how it went; what was sent before the last change says nothing any more."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._ticket = 0  # of what is let through now; another after each change
        self._failures = 0
        self._rest_s = rest_s
        self._open_until: float | None = None  # None: closed

    @property
    def rests(self) -> bool:
        with self._lock:
            return self._open_until is not None and self._now() < self._open_until

    def enter(self, *, again: bool = False) -> int | None:
        """A ticket; None where the provider rests, or is on trial. `again`: of a message that
        met with silence before."""
        with self._lock:
            if self._open_until is None:
                return self._ticket
            if self._now() < self._open_until + (alone_s if again else 0):
                return None
            self._open_until = self._now() + trial_s_max
            self._ticket += 1
            return self._ticket

    def well(self, ticket: int) -> bool:
        """It answered. True where it is fit again."""
        with self._lock:
            if ticket != self._ticket:
                return False
            again = self._open_until is not None
            self._failures, self._rest_s, self._open_until = 0, rest_s, None
            return again

    def not_asked(self, ticket: int) -> None:
        """Nobody knows any better. Was it the trial, the next one may be it."""
        with self._lock:
            if ticket == self._ticket and self._open_until is not None:
                self._open_until = self._now()
                self._ticket += 1

    def failed(self, ticket: int) -> float | None:
        """It did not take it, or said nothing. How long it rests, where it does from now on."""
        with self._lock:
            if ticket != self._ticket:
                return None
            self._failures += 1
            if self._open_until is None and self._failures < failures_max:
                return None
            rest, self._rest_s = self._rest_s, min(2 * self._rest_s, rest_s_max)
            self._open_until = self._now() + rest
            self._ticket += 1
            return rest
