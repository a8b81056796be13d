"""What a row of the table says of a route: where each value of its callbacks stands, how it
tells an end, and how long it waits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ussd_gateway.aggregators.bodies import Reads
from ussd_gateway.aggregators.replies import Shape

NETWORK_CODE = re.compile(r"[0-9]{0,10}")
NETWORK_NAME = re.compile(r"[A-Za-z0-9_. -]{0,40}")


class Kind(Enum):
    BEGINS = "begins"
    GOES_ON = "goes_on"
    ENDED = "ended"


class Bears(Enum):
    """What the first callback of a route bears, whose input is the latest."""

    DIALLED = "dialled"  # all that was dialled, `*384*1*0711000002#`
    TAIL = "tail"  # what was dialled behind the service code, `1*0711000002`
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Mark:
    """The field that says what a callback is. `words` are in small letters."""

    field: str
    words: Mapping[str, Kind]

    @property
    def ends(self) -> bool:
        return Kind.ENDED in self.words.values()


@dataclass(frozen=True, slots=True)
class Callback:
    """Where each value of a callback stands. Empty: it is not sent."""

    reads: Reads
    in_query: bool  # the fields are in the address; else in the body
    path: re.Pattern[str]  # its named groups are fields
    session_id: str
    msisdn: str
    service_code: str
    default_code: str
    codes: tuple[str, ...]  # all that are served, for a first input that bears one
    network: str
    network_is: re.Pattern[str]
    input: str
    first: Bears
    first_input: str
    mark: Mark | None  # None: the input is accumulated, and tells it
    hop_id: str


@dataclass(frozen=True, slots=True)
class EndEvent:
    """A callback of its own for the end of a session."""

    path: str
    session_id: str
    status: str
    words: frozenset[str]
    hops: str
    duration_ms: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How the end of a session is told, and answered. Without an event the mark tells it."""

    event: EndEvent | None
    answer: Shape


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a route waits: for a screen, for the person, and for all of a session."""

    answer_within_s: int
    silence_s: int
    session_s: int
