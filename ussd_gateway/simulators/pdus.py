"""PDUs of SMPP 3.4 as an SMSC reads and writes them, octet by octet.

    length 4 | command 4 | status 4 | sequence 4 | mandatory fields | tag 2, length 2, value ...

Written without the library that the gateway sends with, so that one cannot hide what is wrong
with the other. (SMPP Protocol Specification v3.4 issue 1.2, chapters 3 to 5; read 2026-11-21)
"""

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

pdu_octets_max = 64 * 1024

_HEADER = struct.Struct(">LLLL")
_TAG = struct.Struct(">HH")
RESPONSE = 0x80000000

_MESSAGE_PAYLOAD = 0x0424
_RECEIPTED_MESSAGE_ID = 0x001E
_MESSAGE_STATE = 0x0427
_RECEIPT = 0x04
_INTERMEDIATE = 0x20


class Command(IntEnum):
    GENERIC_NACK = RESPONSE
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15


class Status(IntEnum):
    OK = 0x00
    INVALID_COMMAND = 0x03
    NOT_BOUND = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    INVALID_DESTINATION = 0x0B
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    SUBMIT_FAILED = 0x45
    THROTTLED = 0x58


class State(IntEnum):
    """What has become of a message, and how receipts spell it."""

    DELIVRD = 2
    UNDELIV = 5
    ACCEPTD = 6

    @property
    def final(self) -> bool:
        return self is not State.ACCEPTD


class Malformed(Exception):
    """It is not as the specification has it."""


@dataclass(frozen=True, slots=True)
class Pdu:
    command: int
    sequence: int
    status: int = Status.OK
    body: bytes = b""

    @property
    def octets(self) -> bytes:
        length = _HEADER.size + len(self.body)
        return _HEADER.pack(length, self.command, self.status, self.sequence) + self.body

    def answered(self, status: int = Status.OK, body: bytes = b"") -> "Pdu":
        return Pdu(self.command | RESPONSE, self.sequence, status, body)


def read_pdu(line: socket.socket) -> Pdu | None:
    """The next one; None where the line ends. Raises OSError and Malformed."""
    head = _exactly(line, _HEADER.size)
    if len(head) < _HEADER.size:
        return None
    length, command, status, sequence = _HEADER.unpack(head)
    if not _HEADER.size <= length <= pdu_octets_max:
        raise Malformed(f"{length} octets")
    return Pdu(command, sequence, status, _exactly(line, length - _HEADER.size))


@dataclass(frozen=True, slots=True)
class Bind:
    system_id: str
    password: str

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises Malformed."""
        fields = _Fields(body)
        return cls(fields.text(16), fields.text(9))


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submit_sm, as far as it matters here."""

    source: str
    destination: str
    international: bool
    wants_receipt: bool
    data_coding: int
    message: bytes

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises Malformed."""
        fields = _Fields(body)
        fields.text(6)  # service_type
        fields.octet()  # source_addr_ton
        fields.octet()  # source_addr_npi
        source = fields.text(21)
        ton, npi = fields.octet(), fields.octet()
        destination = fields.text(21)
        for _ in ("esm_class", "protocol_id", "priority_flag"):
            fields.octet()
        fields.text(17)  # schedule_delivery_time
        fields.text(17)  # validity_period
        registered = fields.octet()
        fields.octet()  # replace_if_present_flag
        data_coding = fields.octet()
        fields.octet()  # sm_default_msg_id
        message = fields.take(fields.octet())
        return cls(
            source=source,
            destination=destination,
            international=(ton, npi) == (1, 1),
            wants_receipt=bool(registered & 0x01),
            data_coding=data_coding,
            message=fields.optional().get(_MESSAGE_PAYLOAD, message),
        )


def receipt(
    submitted: Submitted, *, message_id: str, state: State, at: str, tags: bool
) -> bytes:
    """The body of the deliver_sm that says what became of it; `at` as YYMMDDhhmm. With `tags`
    it says so in optional parameters too."""
    text = (
        f"id:{message_id} sub:001 dlvrd:{int(state is State.DELIVRD):03} submit date:{at}"
        f" done date:{at} stat:{state.name} err:{0 if state is not State.UNDELIV else 27:03}"
        " text:id:0 stat:DELIVRD"
    ).encode()
    kind = _RECEIPT if state.final else _INTERMEDIATE
    body = texted(submitted.destination, submitted.source, text, esm_class=kind)
    if tags:
        name = message_id.encode() + b"\0"
        body += _TAG.pack(_RECEIPTED_MESSAGE_ID, len(name)) + name
        body += _TAG.pack(_MESSAGE_STATE, 1) + bytes((state,))
    return body


def texted(
    source: str, destination: str, message: bytes, *, esm_class: int = 0, data_coding: int = 0
) -> bytes:
    """The body of a deliver_sm, from a number to one of ours."""
    return b"".join(
        (
            b"\0",  # service_type
            b"\1\1" + source.encode() + b"\0",
            b"\0\0" + destination.encode("latin-1") + b"\0",
            bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, data_coding, 0)),
            bytes((len(message),)) + message,
        )
    )


def cstring(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"


class _Fields:
    """Reads the fields of a body, one after the other. Each raises Malformed."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Malformed("cut short")
        self._at += count
        return taken

    def text(self, octets_max: int) -> str:
        """Up to its zero, which counts."""
        end = self._body.find(b"\0", self._at, self._at + octets_max)
        if end < 0:
            raise Malformed("a text without an end")
        return self.take(end + 1 - self._at)[:-1].decode("latin-1")

    def optional(self) -> Mapping[int, bytes]:
        """All that is left: by tag."""
        found = {}
        while self._at < len(self._body):
            tag, length = _TAG.unpack(self.take(_TAG.size))
            found[tag] = self.take(length)
        return found


def _exactly(line: socket.socket, count: int) -> bytes:
    """Fewer only where the line ends."""
    got = b""
    while len(got) < count and (piece := line.recv(count - len(got))):
        got += piece
    return got
