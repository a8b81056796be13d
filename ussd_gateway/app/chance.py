"""Time and chance from outside: the machine's, or the demo's own, which repeat."""

import secrets
import threading
from datetime import UTC, datetime, timedelta
from hashlib import shake_256
from uuid import UUID

from ussd_gateway.ports import Clock
from ussd_gateway.settings import Settings


class SystemClock:
    """The machine's time; in the demo, set forward or back by CLOCK_OFFSET_S."""

    def __init__(self, offset_s: int = 0) -> None:
        self._offset = timedelta(seconds=offset_s)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


class SystemRandom:
    """The operating system's chance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def octets(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def uuid7(self) -> UUID:
        return uuid7(self._clock.now(), self.octets(10))


class SeededRandom:
    """The same octets in the same order for the same seed. One process draws from it."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._drawn = 0
        self._lock = threading.Lock()

    def octets(self, count: int) -> bytes:
        with self._lock:
            self._drawn += 1
            block = f"{self._seed} {self._drawn}".encode()
        return shake_256(block).digest(count)

    def uuid7(self) -> UUID:
        return uuid7(self._clock.now(), self.octets(10))


def uuid7(now: datetime, chance: bytes) -> UUID:
    """RFC 9562, 5.7: 48 bits of milliseconds, then version, variant and 74 bits of chance."""
    value = int(now.timestamp() * 1000) << 80 | int.from_bytes(chance, "big")
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def clock(settings: Settings) -> SystemClock:
    return SystemClock(settings.clock_offset_s or 0)


def random(settings: Settings) -> SystemRandom | SeededRandom:
    if settings.seed is None:
        return SystemRandom(clock(settings))
    return SeededRandom(clock(settings), settings.seed)
