"""What all vendors have in common: a session, what is posted of it, and what comes back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from urllib.parse import urlencode

SAFARICOM_KE = "63902"

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows. `trouble` is what went wrong on the way, in the vendor's words; it
    is empty on a screen that the gateway sent."""

    text: str
    ends: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A request: `path` goes behind the callback URL, `query` behind a question mark."""

    method: str
    path: str = ""
    query: str = field(default="", repr=False)
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int  # 0 where there was no answer
    body: bytes = field(repr=False)
    trouble: str = ""


class End(Enum):
    SUCCESS = "Success"  # the application ended it
    INCOMPLETE = "Incomplete"  # the person hung up
    FAILED = "Failed"  # the application did not answer, or wrongly


@dataclass(slots=True)
class Session:
    """`inputs` are those dialled behind the service code, and all that was typed since."""

    id: str
    route: str
    msisdn: str
    network: str  # MCC and MNC
    dialled: str = field(repr=False)
    service_code: str
    inputs: list[str] = field(repr=False)
    began: datetime
    hops: int = 0
    open: bool = True
    waiting: bool = False
    sent: Letter | None = None
    answer: Answer | None = None

    @property
    def newest(self) -> str:
        return self.inputs[-1]

    @property
    def digits(self) -> str:
        """The number without its plus, as most write it."""
        return self.msisdn.removeprefix("+")


class Misread(Exception):
    """An answer that the vendor does not take. The text says why, in its words."""


class Vendor(Protocol):
    """`answer_within_s`: how long it waits for a screen."""

    @property
    def answer_within_s(self) -> float: ...

    def session_id(self, token: str) -> str:
        """A session's name, as it makes them. `token` is another each time."""

    def hop(self, session: Session) -> Letter:
        """`session.hops` is 1 where something was dialled; later something was typed."""

    def read(self, session: Session, body: bytes) -> Screen:
        """The answer to the last hop. Raises Misread."""

    def end(self, session: Session, how: End, now: datetime) -> Letter | None:
        """None where it does not tell."""


def posted_form(path: str = "", **fields: str) -> Letter:
    return Letter("POST", path, content_type=FORM, body=urlencode(fields).encode("ascii"))


def posted_json(fields: Mapping[str, object], path: str = "") -> Letter:
    return Letter("POST", path, content_type=JSON, body=json.dumps(fields).encode())


def json_answer(body: bytes, **types: type) -> Mapping[str, Any]:
    """The object, which has just these fields, of just these types. Raises Misread."""
    try:
        found = json.loads(body)
    except ValueError:
        raise Misread("Response should be JSON") from None
    if not isinstance(found, dict):
        raise Misread("Response should be a JSON object")
    return checked(found, **types)


def checked(found: Mapping[str, Any], **types: type) -> Mapping[str, Any]:
    """Raises Misread."""
    for name, kind in types.items():
        # A bool is an int to Python, and to no vendor.
        if type(found.get(name)) is not kind:
            raise Misread(f"Response should have {name}, of type {kind.__name__}")
    for name in found:
        if name not in types:
            raise Misread(f"Response should not have {name}")
    return found


def same(name: str, found: object, wanted: object) -> None:
    """Raises Misread."""
    if found != wanted:
        raise Misread(f"{name} should come back as it was sent")


def one_of(name: str, found: object, *words: str) -> None:
    """Raises Misread."""
    if found not in words:
        raise Misread(f"{name} should be {' or '.join(words)}")
