"""The market: its money, its numbers and its calendar. A business day is the market's own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Market:
    country: str  # ISO 3166: whose local phone numbers are understood
    currency: str
    zone: ZoneInfo

    def business_date(self, at_ms: int) -> date:
        """The day that an instant (milliseconds since 1970 UTC) belongs to."""
        return self._local(at_ms).date()

    def written(self, at_ms: int) -> str:
        """`21/11/26 09:05`, as receipts and screens show a time."""
        return self._local(at_ms).strftime("%d/%m/%y %H:%M")

    def stamped(self, at_ms: int) -> str:
        """`2026-11-21 09:05:07`, as tables sort it."""
        return self._local(at_ms).strftime("%Y-%m-%d %H:%M:%S")

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self.zone)
