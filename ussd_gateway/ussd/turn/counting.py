"""What becomes of each screen: how often it is shown, answered, answered wrongly, and how soon.

Kept in memory, and taken away now and then by whoever writes it down: a hop costs one look into
a dict.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

Screen = tuple[str, str, str]  # pack, digest, state


@dataclass(slots=True)
class Count:
    """Of one screen. What was entered and never answered was left: hung up on, timed out, or
    shown to a person who was sent away after too many tries."""

    entered: int = 0
    answered: int = 0
    wrong: int = 0
    answered_ms: int = 0  # from each screen to its answer, together

    @property
    def left(self) -> int:
        """How often nobody answered. Somebody may be about to."""
        return max(0, self.entered - self.answered)


class Counting:
    def __init__(self) -> None:
        self._counts: dict[Screen, Count] = {}
        self._lock = threading.Lock()

    def hop(
        self, pack: str, digest: str, *, left: str, wrong: bool, waited_ms: int, entered: str
    ) -> None:
        """One answered callback. `left`: the state whose screen it answers; `entered`: the one
        that it leads to. Either may be empty."""
        with self._lock:
            if left:
                count = self._counts.setdefault((pack, digest, left), Count())
                if wrong:
                    count.wrong += 1
                else:
                    count.answered += 1
                    count.answered_ms += waited_ms
            if entered:
                self._counts.setdefault((pack, digest, entered), Count()).entered += 1

    def take(self) -> Mapping[Screen, Count]:
        """What was counted since this was last asked."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts
