"""smpplib's client where it is too trusting.

Its socket speaks IPv4 only, checks no name under TLS, and loses the stream where a time-out
falls into a PDU; a PDU may be as long as it says, and one that cannot be read is an exception
of any kind. Its numbers are not made for threads.
"""

import itertools
import logging
import select
import socket
import ssl
import struct
import threading
import time
from contextlib import nullcontext, suppress
from typing import Any

from smpplib import consts, exceptions, smpp
from smpplib.client import Client

# The longest is a deliver_sm with its optional parameters.
pdu_octets_max = 64 * 1024
connect_within_s = 5.0
# Of one PDU, once it has begun, and of writing one.
transfer_within_s = 5.0

_HEADER = struct.Struct(">LLLL")
_SEQUENCE_MAX = 0x7FFFFFFF
_RESPONSE = 0x80000000
# What the parser raises, of a PDU that is not as the specification has it.
_UNREADABLE = (
    exceptions.PDUError,
    exceptions.UnknownCommandError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


class LinkLost(Exception):
    """The line is cut, silent in the middle of a PDU, or speaks something else."""


class Sequence:
    """Numbers of PDUs, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.sequence = 0

    def next_sequence(self) -> int:
        with self._lock:
            self.sequence = next(self._numbers) % _SEQUENCE_MAX + 1
            return self.sequence


class StrictClient(Client):  # type: ignore[misc]  # smpplib has no types
    """Reads whole PDUs, or loses the link: whatever goes wrong is LinkLost. Any thread writes,
    one reads."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        # When it debugs it logs whole PDUs: passwords and texts.
        logging.getLogger(__name__).setLevel(logging.CRITICAL)
        super().__init__(
            host,
            port,
            timeout=transfer_within_s,
            sequence_generator=Sequence(),
            logger_name=__name__,
            allow_unknown_opt_params=True,
        )
        self._socket: socket.socket | None = None
        self._tls = tls
        self._writing = threading.RLock()
        # What TLS keeps of a line is not made for two threads at once.
        self._reading = self._writing if tls else nullcontext()

    def connect(self) -> None:
        try:
            line = socket.create_connection((self.host, self.port), connect_within_s)
            self._socket = line
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._socket = self._tls.wrap_socket(line, server_hostname=self.host)
            self._socket.settimeout(transfer_within_s)
        except OSError as error:
            self.close()
            raise LinkLost(type(error).__name__) from None
        self.state = consts.SMPP_CLIENT_STATE_OPEN

    def log_in(self, system_id: str, password: str) -> int:
        """Binds as transceiver; gives the command_status of the answer."""
        asked = self.pdu("bind_transceiver", system_id=system_id, password=password)
        self.write(asked)
        answer = self.read()
        if answer is None or answer.sequence != asked.sequence:
            raise LinkLost("no answer to the bind")
        if answer.command == "bind_transceiver_resp" and not answer.is_error():
            self.state = consts.SMPP_CLIENT_STATE_BOUND_TRX
            return int(consts.SMPP_ESME_ROK)
        return int(answer.status) or int(consts.SMPP_ESME_RBINDFAIL)

    def pdu(self, command: str, **its: Any) -> Any:
        return smpp.make_pdu(command, client=self, **its)

    def answer(self, to: Any, status: int = consts.SMPP_ESME_ROK) -> None:
        """The response to one of theirs."""
        response = self.pdu(f"{to.command}_resp", status=status)
        response.sequence = to.sequence
        self.write(response)

    def write(self, pdu: Any) -> None:
        with self._writing:
            if self._socket is None:
                raise LinkLost("closed")
            try:
                self.send_pdu(pdu)
            except (OSError, exceptions.ConnectionError, exceptions.PDUError) as error:
                # A part of it may be on the line: whatever came behind would not be read.
                self._hang_up()
                raise LinkLost(f"not written: {type(error).__name__}") from None

    def readable(self, within_s: float) -> bool:
        line = self._socket
        if line is None:
            raise LinkLost("closed")
        with self._reading:
            if isinstance(line, ssl.SSLSocket) and line.pending():
                return True
        poll = select.poll()
        poll.register(line, select.POLLIN)
        return bool(poll.poll(within_s * 1000))

    def read(self) -> Any | None:
        """The next PDU; None for one that cannot be read, which is refused."""
        with self._reading:
            until = time.monotonic() + transfer_within_s
            try:
                begun = self._piece(_HEADER.size)
            except TimeoutError:
                return None  # it was TLS that had something to say
            head = begun + self._exactly(_HEADER.size - len(begun), until)
            length, command, _, sequence = _HEADER.unpack(head)
            if not _HEADER.size <= length <= pdu_octets_max:
                raise LinkLost(f"a PDU of {length} octets")
            raw = head + self._exactly(length - _HEADER.size, until)
        try:
            return smpp.parse_pdu(raw, client=self, allow_unknown_opt_params=True)
        except _UNREADABLE:
            if not command & _RESPONSE:
                nack = self.pdu("generic_nack", status=consts.SMPP_ESME_RINVCMDID)
                nack.sequence = sequence
                self.write(nack)
            return None

    def close(self) -> None:
        """From any thread; whoever reads or writes finds the link lost."""
        self._hang_up()
        with self._writing:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _hang_up(self) -> None:
        line = self._socket
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _exactly(self, count: int, until: float) -> bytes:
        """However slowly it comes, it is there by then."""
        got = b""
        while len(got) < count:
            if time.monotonic() > until:
                raise LinkLost("silent in the middle of a PDU")
            try:
                got += self._piece(count - len(got))
            except TimeoutError:
                raise LinkLost("silent in the middle of a PDU") from None
        return got

    def _piece(self, octets_max: int) -> bytes:
        """Raises TimeoutError too."""
        line = self._socket
        if line is None:
            raise LinkLost("closed")
        try:
            piece = line.recv(octets_max)
        except TimeoutError:
            raise
        except OSError as error:
            raise LinkLost(type(error).__name__) from None
        if not piece:
            raise LinkLost("closed by the SMSC")
        return piece
