"""A carrier's SMS centre (SMSC) over SMPP 3.4, delivering to the simulated phones.

    a session's thread    reads: bind, submit_sm, enquire_link, unbind, deliver_sm_resp
    the clock             answers that are slow, and receipts, each when it is due

One account; several transceivers may be bound to it at once, and a receipt goes to one of
them. One that is not taken is sent again, each time after twice the wait; while nobody is
bound it waits. So it is with what people text to the account (`text`). What is owed lives in
memory: a centre that is stopped forgets it.

It has the troubles of `sms_troubles`, as an SMSC has them: error is 0x08 (system error),
throttled 0x58, refused 0x45 (submit failed); partial is none here, as a submit_sm has one
number. `cut` cuts every session. Numbers are judged as by the SMS API: one that nobody can
have is 0x0B, and of the test range +2547000000 the receipt says UNDELIV.
"""

import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from phonenumbers import PhoneNumberType

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.simulators import sms_troubles
from ussd_gateway.simulators.inbox import Inbox, Message
from ussd_gateway.simulators.pdus import (
    RESPONSE,
    Bind,
    Command,
    Malformed,
    Pdu,
    State,
    Status,
    Submitted,
    cstring,
    read_pdu,
    receipt,
    texted,
)
from ussd_gateway.simulators.sms_api import NOBODY, kind_of
from ussd_gateway.simulators.sms_troubles import AnswerTrouble, Plan, ReportTrouble, Troubles
from ussd_gateway.sms.smpp.words import decoded, encoded

_log = structlog.get_logger()

# The sender of an account that names none.
DEFAULT_SENDER = "SMSC"
SYSTEM_ID = "smsc"

sessions_max = 64
receipt_tries_max = 8
receipt_wait_s = 1.0
receipt_wait_s_max = 30.0
# Without an answer for this long, a receipt was not taken.
receipt_within_s = 5.0
write_within_s = 5.0


@dataclass(slots=True)
class _Owed:
    """A deliver_sm: a receipt, or what somebody texted."""

    body: bytes
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Session:
    line: socket.socket
    thread: threading.Thread = field(init=False)
    bound: bool = False
    writing: threading.Lock = field(default_factory=threading.Lock)
    sequence: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def write(self, pdu: Pdu) -> None:
        """Whoever is gone hears nothing."""
        with self.writing, contextlib.suppress(OSError):
            self.line.sendall(pdu.octets)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)


class Smsc:
    """Listens on 127.0.0.1 from its making on, on `port` (0: any that is free). `start` once;
    `close` ends it. With `decimal_receipts` it writes ids in hex, and in receipts in decimals,
    as some centres do."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        system_id: str,
        password: str,
        octets: Callable[[int], bytes],
        now: Callable[[], datetime],
        troubles: Troubles,
        port: int = 0,
        report_delay_s: float = 1.0,
        decimal_receipts: bool = False,
    ) -> None:
        self._inbox = inbox
        self._account = (system_id, password)
        self._octets = octets
        self._now = now
        self._troubles = troubles
        self._report_delay_s = report_delay_s
        self._decimal_receipts = decimal_receipts
        self._lock = threading.Condition()
        self._sessions: list[_Session] = []
        self._turn = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._sent: dict[tuple[_Session, int], _Owed] = {}  # by its sequence there
        self._over = False
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [
            threading.Thread(target=self._listen, name="smsc", daemon=True),
            threading.Thread(target=self._run_clock, name="smsc clock", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        with self._lock:
            self._over = True
            self._lock.notify_all()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            serving = [session.thread for session in self._sessions]
        self.cut()
        for thread in (*self._threads, *serving):
            thread.join()

    def cut(self) -> None:
        """The lines of all sessions, as a network does it: nobody is told."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.cut()

    def text(self, sender: Msisdn, to: str, text: str) -> None:
        """What the phone of `sender` texts to a short code of the account."""
        data_coding, octets = encoded(text)
        source = sender.removeprefix("+")
        owed = _Owed(texted(source, to, octets, data_coding=data_coding))
        self._later(0, lambda: self._tell(owed))

    @property
    def bound(self) -> int:
        """How many sessions."""
        with self._lock:
            return sum(session.bound for session in self._sessions)

    # --- sessions

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            line.settimeout(None)
            session = _Session(line)
            session.thread = threading.Thread(
                target=self._serve, args=(session,), name="smsc session", daemon=True
            )
            with self._lock:
                full = self._over or len(self._sessions) == sessions_max
                if not full:
                    self._sessions.append(session)
                    session.thread.start()
            if full:
                line.close()

    def _serve(self, session: _Session) -> None:
        try:
            while (pdu := read_pdu(session.line)) is not None:
                self._take(session, pdu)
        except (OSError, Malformed) as error:
            _log.info("smsc.session_lost", why=type(error).__name__)
        finally:
            with self._lock:
                self._sessions.remove(session)
                session.bound = False
            session.line.close()

    def _take(self, session: _Session, pdu: Pdu) -> None:
        if pdu.command == Command.BIND_TRANSCEIVER:
            self._bind(session, pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            session.write(pdu.answered())
        elif pdu.command == Command.UNBIND:
            session.write(pdu.answered())
            session.cut()
        elif pdu.command == Command.SUBMIT_SM:
            self._submit(session, pdu)
        elif pdu.command == Command.DELIVER_SM | RESPONSE:
            self._receipt_answered(session, pdu)
        elif not pdu.command & RESPONSE:
            session.write(Pdu(Command.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND))

    def _bind(self, session: _Session, pdu: Pdu) -> None:
        given = Bind.read(pdu.body)
        system_id, password = self._account
        status = Status.OK
        if session.bound:
            status = Status.ALREADY_BOUND
        elif given.system_id != system_id:
            status = Status.INVALID_SYSTEM_ID
        elif given.password != password:
            status = Status.INVALID_PASSWORD
        body = cstring(SYSTEM_ID) if status is Status.OK else b""
        session.write(pdu.answered(status, body))
        session.bound = session.bound or status is Status.OK

    # --- messages

    def _submit(self, session: _Session, pdu: Pdu) -> None:
        if not session.bound:
            session.write(pdu.answered(Status.NOT_BOUND))
            return
        submitted = Submitted.read(pdu.body)
        refusal = _refusal(submitted)
        if refusal is not None:
            session.write(pdu.answered(refusal))
            return
        trouble, plan = self._troubles.request()
        match trouble:
            case AnswerTrouble.ERROR:
                session.write(pdu.answered(Status.SYSTEM_ERROR))
            case AnswerTrouble.THROTTLED:
                session.write(pdu.answered(Status.THROTTLED))
            case AnswerTrouble.REFUSED:
                session.write(pdu.answered(Status.SUBMIT_FAILED))
            case AnswerTrouble.SILENT:
                pass
            case AnswerTrouble.SILENT_AFTER_TAKING:
                self._deliver(submitted, plan)
            case AnswerTrouble.SLOW | AnswerTrouble.NONE | AnswerTrouble.PARTIAL:
                message_id, early = self._deliver(submitted, plan)
                wait_s = sms_troubles.slow_s if trouble is AnswerTrouble.SLOW else 0.0
                if early:
                    wait_s = max(wait_s, sms_troubles.early_s)
                answer = pdu.answered(Status.OK, cstring(message_id))
                if wait_s:
                    self._later(wait_s, lambda: session.write(answer))
                else:
                    session.write(answer)

    def _deliver(self, submitted: Submitted, plan: Plan) -> tuple[str, bool]:
        """To its phone, with the receipts to come. Its id, and whether one of these is to be
        there before the answer."""
        message_id = self._octets(8).hex()
        number = Msisdn(f"+{submitted.destination}")
        nobody = number.startswith(NOBODY)
        if not nobody:
            text = decoded(submitted.data_coding, submitted.message)
            sender = submitted.source or DEFAULT_SENDER
            self._inbox.take([Message(message_id, number, sender, text, self._now())], [])
        if not submitted.wants_receipt:
            return message_id, False

        trouble = self._troubles.report(plan)
        end = State.UNDELIV if nobody or trouble is ReportTrouble.FAILED else State.DELIVRD
        told = [(State.ACCEPTD, self._report_delay_s / 2), (end, self._report_delay_s)]
        match trouble:
            case ReportTrouble.MISSING:
                told = []
            case ReportTrouble.LATE:
                told = [(state, sms_troubles.late_s) for state, _ in told]
            case ReportTrouble.DOUBLED:
                told = [*told, *told]
            case ReportTrouble.REORDERED:
                told = [(State.ACCEPTD, told[1][1]), (end, told[0][1])]
            case ReportTrouble.EARLY:
                told = [(end, 0.0)]
            case ReportTrouble.NONE | ReportTrouble.FAILED:
                pass
        for state, after_s in told:
            owed = _Owed(self._receipt_body(submitted, message_id, state))
            self._later(after_s, lambda owed=owed: self._tell(owed))  # type: ignore[misc]
        return message_id, trouble is ReportTrouble.EARLY

    def _receipt_body(self, submitted: Submitted, message_id: str, state: State) -> bytes:
        return receipt(
            submitted,
            message_id=str(int(message_id, 16)) if self._decimal_receipts else message_id,
            state=state,
            at=self._now().strftime("%y%m%d%H%M"),
            # The centres that write ids in two ways are older than these parameters.
            tags=not self._decimal_receipts,
        )

    # --- receipts

    def _tell(self, owed: _Owed) -> None:
        with self._lock:
            bound = [session for session in self._sessions if session.bound]
            if not bound:
                self._later(receipt_wait_s, lambda: self._tell(owed))
                return
            session = bound[next(self._turn) % len(bound)]
            name = (session, next(session.sequence))
            self._sent[name] = owed
        owed.tries += 1
        session.write(Pdu(Command.DELIVER_SM, name[1], body=owed.body))
        self._later(receipt_within_s, lambda: self._not_taken(name))

    def _receipt_answered(self, session: _Session, pdu: Pdu) -> None:
        name = (session, pdu.sequence)
        if pdu.status == Status.OK:
            with self._lock:
                self._sent.pop(name, None)
        else:
            self._not_taken(name)

    def _not_taken(self, name: tuple[_Session, int]) -> None:
        """Or not answered in time; nothing, where it was taken by now."""
        with self._lock:
            owed = self._sent.pop(name, None)
        if owed is None:
            return
        if owed.tries == receipt_tries_max:
            _log.warning("smsc.receipt_given_up")
            return
        wait_s = min(receipt_wait_s * 2 ** (owed.tries - 1), receipt_wait_s_max)
        self._later(wait_s, lambda: self._tell(owed))

    # --- the clock

    def _later(self, after_s: float, do: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._due, (time.monotonic() + after_s, next(self._order), do))
            self._lock.notify_all()

    def _run_clock(self) -> None:
        while True:
            with self._lock:
                while not self._over and not self._is_due():
                    self._lock.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._over:
                    return
                _, _, do = heapq.heappop(self._due)
            do()

    def _is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= time.monotonic()


def _refusal(submitted: Submitted) -> Status | None:
    kind = kind_of(f"+{submitted.destination}") if submitted.international else None
    if kind is None or kind == PhoneNumberType.FIXED_LINE:
        return Status.INVALID_DESTINATION
    try:
        decoded(submitted.data_coding, submitted.message)
    except UnicodeDecodeError:
        return Status.SYSTEM_ERROR
    return None
