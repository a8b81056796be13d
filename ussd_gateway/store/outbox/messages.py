"""A message on its way: what a worker is given of it, and what it brings back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import SmsResult
from ussd_gateway.store.codec import decode_values


@dataclass(frozen=True, slots=True)
class Owed:
    """A message to send. `stored` holds what its template shows, and is read by whoever writes
    the message: one that cannot be read must not keep those from going out that were taken
    with it."""

    id: int
    attempt: int  # the first is 1
    unknowns: int  # silences that it met before
    died: bool  # its worker did, in one of them
    to: Msisdn
    template: str
    language: str
    stored: str
    event_at_ms: int
    begun_at_ms: int

    @property
    def params(self) -> dict[str, Any]:
        """Raises anything, where it is not what a program of ours writes."""
        return decode_values(self.stored)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Surely nothing went out. `provider` was asked last, if any was."""

    why: str
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a message. `text` is empty where it could not be written."""

    owed: Owed
    text: str
    segments: int
    result: SmsResult | NotTaken


def owed(row: RowMapping) -> Owed:
    return Owed(
        row["id"],
        row["attempt"],
        row["unknowns"],
        # A provider that said nothing left at least the words that it was asked to carry.
        row["unknowns"] > 0 and row["text"] is None,
        Msisdn(row["msisdn"]),
        row["template"],
        row["language"],
        row["params"],
        row["event_at_ms"],
        row["sent_at_ms"],
    )
