"""A phone, with Africa's Talking behind it: it dials, shows screens, replies, hangs up.

What the vendor sends (developers.africastalking.com/docs/ussd, as of 2026-11), always POST
application/x-www-form-urlencoded:
  callback   sessionId, phoneNumber (+E.164), networkCode, serviceCode, and `text`: all inputs
             of the session joined by "*", empty on the first hop. `*384*1*0711000002#` is
             service code *384# with `1*0711000002` on the first hop, as if typed.
             The answer is 200 and begins `CON ` or `END `; anything else ends the session.
  end event  to the callback URL + /events: date, sessionId, serviceCode, networkCode,
             phoneNumber, status (Success | Incomplete | Failed), cost, durationInMillis,
             hopsCount, input (the whole text), lastAppResponse, errorMessage
Limits (help.africastalking.com): 10 s to connect, 15 s for the answer.
Unconfirmed: what the phone shows when the application fails; here the Kenyan networks' words.

    idle --dial--> open --CON--> open --END or failure--> closed --hang up--> idle

What was typed, PINs included, stays in this object; it is not logged and not written anywhere.
"""

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import requests

SAFARICOM_KE = "63902"

connect_timeout_s = 10
answer_timeout_s = 15
event_timeout_s = 5

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_DIALLED = re.compile(r"\*(\d+)((?:\*[^*#]*)*)#")
_NOT_A_CODE = "Connection problem or invalid MMI code."
_APPLICATION_DOWN = "External application down. Please try again later."
_SESSION_COST = "KES 0.10"


class NoSession(Exception):
    """There is no session to reply in, or nothing was sent that could be repeated."""


class Busy(Exception):
    """The phone still waits for the answer to its last input."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows. `trouble` is what went wrong on the way, in the vendor's words; it
    is empty on a screen that the gateway sent."""

    text: str
    ends: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The answer to a callback that was sent once more, and whether it is byte for byte the one
    that came the first time."""

    screen: Screen
    identical: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int  # 0 where there was no answer
    body: bytes
    trouble: str = ""


@dataclass(slots=True)
class _Session:
    id: str
    service_code: str
    inputs: list[str] = field(repr=False)
    began: datetime
    hops: int = 0
    open: bool = True
    waiting: bool = False
    sent: bytes = field(default=b"", repr=False)
    answer: _Answer | None = None


def new_session_id() -> str:
    return f"ATUid_{secrets.token_hex(16)}"


def utc_now() -> datetime:
    return datetime.now(UTC)


def local_http() -> requests.Session:
    """A session that never asks the environment for a proxy: the gateway is on this machine."""
    http = requests.Session()
    http.trust_env = False
    return http


class Handset:
    """One phone number. Its methods may be called from several threads: a person can hang up
    while the answer is awaited."""

    def __init__(
        self,
        callback_url: str,
        msisdn: str,
        network: str = SAFARICOM_KE,
        http: requests.Session | None = None,
        *,
        session_ids: Callable[[], str] = new_session_id,
        now: Callable[[], datetime] = utc_now,
        answer_timeout_s: float = answer_timeout_s,
    ) -> None:
        self.msisdn = msisdn
        self.network = network
        self.screen: Screen | None = None
        self._callback_url = callback_url
        self._http = http or local_http()
        self._session_ids = session_ids
        self._now = now
        self._answer_timeout_s = answer_timeout_s
        self._session: _Session | None = None
        self._lock = threading.Lock()

    @property
    def session_id(self) -> str | None:
        """Of the open session, or of the one whose last screen is still shown."""
        return self._session.id if self._session else None

    @property
    def open(self) -> bool:
        return self._session is not None and self._session.open

    @property
    def waiting(self) -> bool:
        return self._session is not None and self._session.waiting

    @property
    def hops(self) -> int:
        """Callbacks of this session that were sent, repeats not counted."""
        return self._session.hops if self._session else 0

    def dial(self, code: str) -> Screen:
        """`*384#`, or with inputs: `*384*1*0711000002*500#`. Hangs up an open session first."""
        self.hang_up()
        match = _DIALLED.fullmatch(code.strip())
        if match is None:
            self.screen = Screen(_NOT_A_CODE, ends=True, trouble="Not a USSD code")
            return self.screen

        inputs = match[2][1:].split("*") if match[2] else []
        session = _Session(self._session_ids(), f"*{match[1]}#", inputs, self._now())
        with self._lock:
            self._session = session
            session.waiting = True
        return self._hop(session)

    def enter(self, text: str) -> Screen:
        """Replies to the screen. Raises NoSession and Busy."""
        with self._lock:
            session = self._session
            if session is None or not session.open:
                raise NoSession
            if session.waiting:
                raise Busy
            session.waiting = True
            session.inputs.append(text)
        return self._hop(session)

    def repeat(self) -> Repeat:
        """Sends the last callback once more, as a network does that lost the answer. The
        phone's own screen does not change. Raises NoSession and Busy."""
        session = self._session
        if session is None:
            raise NoSession
        if session.waiting or session.answer is None:
            raise Busy

        again = self._post(session.sent)
        return Repeat(_screen(again), identical=again == session.answer)

    def hang_up(self) -> None:
        """Ends the session, also while its answer is awaited, and clears the display."""
        with self._lock:
            session, self._session, self.screen = self._session, None, None
            was_open = session is not None and session.open
            if session is not None:
                session.open = False
        if session is not None and was_open:
            self._tell_end(session, status="Incomplete")

    def _hop(self, session: _Session) -> Screen:
        form = {
            "sessionId": session.id,
            "phoneNumber": self.msisdn,
            "networkCode": self.network,
            "serviceCode": session.service_code,
            "text": "*".join(session.inputs),
        }
        session.sent = urlencode(form).encode("ascii")
        session.hops += 1
        answer = self._post(session.sent)
        screen = _screen(answer)

        with self._lock:
            session.answer = answer
            session.waiting = False
            hung_up = not session.open
            session.open = session.open and not screen.ends
            if not hung_up:
                self.screen = screen
        if screen.ends and not hung_up:
            self._tell_end(session, status="Failed" if screen.trouble else "Success")
        return screen

    def _post(self, body: bytes) -> _Answer:
        try:
            response = self._http.post(
                self._callback_url,
                data=body,
                headers=_FORM,
                timeout=(connect_timeout_s, self._answer_timeout_s),
                allow_redirects=False,
            )
        except requests.Timeout:
            trouble = f"The application did not answer in {self._answer_timeout_s} s"
            return _Answer(0, b"", trouble)
        except requests.RequestException:
            return _Answer(0, b"", "Could not connect to the application")
        return _Answer(response.status_code, response.content)

    def _tell_end(self, session: _Session, *, status: str) -> None:
        last = session.answer or _Answer(0, b"")
        now = self._now()
        form = {
            "date": now.strftime("%Y-%m-%d %H:%M:%S"),
            "sessionId": session.id,
            "serviceCode": session.service_code,
            "networkCode": self.network,
            "phoneNumber": self.msisdn,
            "status": status,
            "cost": _SESSION_COST,
            "durationInMillis": str((now - session.began) // timedelta(milliseconds=1)),
            "hopsCount": str(session.hops),
            "input": "*".join(session.inputs),
            "lastAppResponse": last.body.decode("utf-8", "replace"),
            "errorMessage": _screen(last).trouble if status == "Failed" else "",
        }
        try:
            self._http.post(f"{self._callback_url}/events", data=form, timeout=event_timeout_s)
        except requests.RequestException:
            return  # The event is a courtesy: the vendor does not keep it for later either.


def _screen(answer: _Answer) -> Screen:
    text = answer.body.decode("utf-8", "replace")
    if answer.trouble:
        return Screen(_APPLICATION_DOWN, ends=True, trouble=answer.trouble)
    if answer.status != 200:
        return Screen(_APPLICATION_DOWN, ends=True, trouble=f"HTTP status {answer.status}")
    if not text.startswith(("CON ", "END ")):
        trouble = "Response should start with a CON or an END"
        return Screen(_APPLICATION_DOWN, ends=True, trouble=trouble)
    return Screen(text[4:], ends=text.startswith("END "))
