"""A bound session with an SMSC, kept up for as long as it is wanted.

    keeper   connects and binds, again and again with growing pauses; reads; asks a silent line
             whether it is there
    hearing  works off the deliver_sm that the keeper has read, and answers each: a thread for
             receipts, and one for what people text
    any      submits, and waits for the answer that has its number

When the link is lost, all that was submitted and not answered is unknown.
"""

import ssl
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import structlog
from smpplib import consts

from ussd_gateway.ports import DoorError
from ussd_gateway.sms.provider import Crowded
from ussd_gateway.sms.smpp.client import LinkLost, StrictClient, transfer_within_s
from ussd_gateway.sms.smpp.hearing import Hear, Hearing, tick_s
from ussd_gateway.sms.smpp.reports import is_receipt

log = structlog.get_logger()

# How long a start waits for the first try to bind; without it the link comes up later.
tried_within_s = 3.0
retry_s = 0.5
retry_s_max = 15.0
idle_s = 15.0
window_within_s = 1.0
answer_within_s = 5.0
receipts_max = 1_000
# So few that each is answered before its SMSC has given up waiting and sends it again.
texts_max = 100
unbound_within_s = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """Whom we bind as, and where."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    tls: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """To a submit_sm; `message_id` of one that was taken."""

    status: int
    message_id: bytes | None


class Link:
    """`start` once, `stop` once. `submit` may be called by any thread."""

    def __init__(
        self,
        account: Account,
        *,
        window: int,
        receipt: Hear,
        texted: Hear,
        answer_s: float = answer_within_s,
        silence_s: float = idle_s,
    ) -> None:
        """`receipt` takes what is told of our messages, `texted` all else that is told; each is
        called in a thread of its own. `answer_s`: how long an answer is awaited. `silence_s`:
        after that the SMSC is asked whether it is there."""
        self._account = account
        self._answer_s = answer_s
        self._silence_s = silence_s
        # The longest that `submit` takes.
        self.within_s = window_within_s + transfer_within_s + answer_s
        self._tls = ssl.create_default_context() if account.tls else None
        self._window = threading.BoundedSemaphore(window)
        self._lock = threading.Lock()
        self._client: StrictClient | None = None  # None: not bound
        self._waiting: dict[int, Future[Answer]] = {}
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._receipts = Hearing("receipts", receipt, self._stopping, waiting_max=receipts_max)
        self._texts = Hearing("texts", texted, self._stopping, waiting_max=texts_max)
        self._threads = [
            threading.Thread(target=self._keep, name="smpp keeper", daemon=True),
            self._receipts.thread,
            self._texts.thread,
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self._tried.wait(tried_within_s)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(transfer_within_s + unbound_within_s)

    def submit(self, **its: object) -> Answer | None:
        """The SMSC's answer; None: there was none, and it may have taken the message. Raises
        DoorError where nothing was written; Crowded where that is because of all that waits
        for an answer."""
        if not self._window.acquire(timeout=window_within_s):
            raise Crowded("its window is full")
        try:
            return self._submit(its)
        finally:
            self._window.release()

    def _submit(self, its: dict[str, object]) -> Answer | None:
        answer: Future[Answer] = Future()
        with self._lock:
            client = self._client
            if client is None:
                raise DoorError("not bound")
            asked = client.pdu("submit_sm", **its)
            self._waiting[asked.sequence] = answer
        try:
            client.write(asked)
            return answer.result(self._answer_s)
        except (LinkLost, TimeoutError):
            return None
        finally:
            with self._lock:
                self._waiting.pop(asked.sequence, None)

    # --- the keeper

    def _keep(self) -> None:
        pause_s = retry_s
        while not self._stopping.is_set():
            client = StrictClient(self._account.host, self._account.port, self._tls)
            try:
                self._bind(client)
                pause_s = retry_s
                self._serve(client)
            except LinkLost as lost:
                log.warning("smpp.link_lost", why=str(lost), again_in_s=pause_s)
            # A fault of ours must not leave us unbound for ever.
            except Exception as error:  # noqa: BLE001
                log.error("smpp.link_broke", error=type(error).__name__)
            finally:
                self._unbound(client)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, retry_s_max)

    def _bind(self, client: StrictClient) -> None:
        client.connect()
        status = client.log_in(self._account.system_id, self._account.password)
        if status != consts.SMPP_ESME_ROK:
            raise LinkLost(f"not let in: {described(status)}")
        with self._lock:
            self._client = client
        self._tried.set()
        log.info("smpp.bound", host=self._account.host)

    def _serve(self, client: StrictClient) -> None:
        """Until it is told to stop."""
        heard_at, asked = time.monotonic(), False
        while not self._stopping.is_set():
            if client.readable(tick_s):
                pdu = client.read()
                heard_at, asked = time.monotonic(), False
                if pdu is not None:
                    self._take(client, pdu)
                continue
            silent_s = time.monotonic() - heard_at
            if silent_s > self._silence_s + self._answer_s:
                raise LinkLost("silent")
            if silent_s > self._silence_s and not asked:
                client.write(client.pdu("enquire_link"))
                asked = True
        self._unbind(client)

    def _take(self, client: StrictClient, pdu: Any) -> None:
        match pdu.command:
            case "submit_sm_resp" | "generic_nack":
                self._answered(pdu)
            case "deliver_sm":
                told = is_receipt(pdu.esm_class, pdu.receipted_message_id)
                (self._receipts if told else self._texts).take(client, pdu)
            case "enquire_link":
                client.answer(pdu)
            case "unbind":
                client.answer(pdu)
                raise LinkLost("unbound by the SMSC")
            case _:
                pass  # answers to what we asked in passing

    def _answered(self, pdu: Any) -> None:
        with self._lock:
            waiting = self._waiting.pop(pdu.sequence, None)
        if waiting is None:
            log.warning("smpp.answer_too_late", sequence=pdu.sequence)
            return
        refused = pdu.command == "generic_nack" and pdu.status == consts.SMPP_ESME_ROK
        status = int(consts.SMPP_ESME_RUNKNOWNERR if refused else pdu.status)
        message_id = None if refused or pdu.is_error() else pdu.message_id
        waiting.set_result(Answer(status, message_id))

    def _unbind(self, client: StrictClient) -> None:
        """Politely, and not for long."""
        client.write(client.pdu("unbind"))
        over_at = time.monotonic() + unbound_within_s
        while time.monotonic() < over_at and client.readable(tick_s):
            pdu = client.read()
            if pdu is not None and pdu.command == "unbind_resp":
                return

    def _unbound(self, client: StrictClient) -> None:
        """Nobody submits to it any more, and whoever waits for it is told."""
        with self._lock:
            self._client = None
            waiting, self._waiting = self._waiting, {}
        self._tried.set()
        client.close()
        for answer in waiting.values():
            answer.set_exception(LinkLost("lost"))


def described(status: int) -> str:
    """A command_status in the specification's words; a carrier has more of its own."""
    return f"0x{status:x} {consts.DESCRIPTIONS.get(status, 'of its own')}"
