"""A phone, with an aggregator behind it: it dials, shows screens, replies, hangs up; and it
sends an SMS, which the vendor passes on at once, or says that it could not.

    idle --dial--> open --CON--> open --END or failure--> closed --hang up--> idle

What is posted, and what is taken for an answer, is the vendor's (`simulators.vendors`). 10 s to
connect is Africa's Talking's limit. Unconfirmed: what the phone shows when the application
fails; here the Kenyan networks' words.

What was typed, PINs included, stays in this object; it is not logged and not written anywhere.
An SMS does not even stay here.
"""

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import requests

from ussd_gateway.simulators.cast import SHORT_CODE
from ussd_gateway.simulators.vendors import AFRICAS_TALKING, VENDORS
from ussd_gateway.simulators.vendors.vendor import (
    SAFARICOM_KE,
    Answer,
    End,
    Letter,
    Misread,
    Screen,
    Session,
)

__all__ = ["Busy", "Handset", "NoSession", "Repeat", "Screen", "local_http", "utc_now"]

connect_timeout_s = 10
event_timeout_s = 5
text_timeout_s = 10

_DIALLED = re.compile(r"\*(\d+)((?:\*[^*#]*)*)#")
_NOT_A_CODE = "Connection problem or invalid MMI code."
_APPLICATION_DOWN = "External application down. Please try again later."


class NoSession(Exception):
    """There is no session to reply in, or nothing was sent that could be repeated."""


class Busy(Exception):
    """The phone still waits for the answer to its last input."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The answer to a callback that was sent once more, and whether it is byte for byte the one
    that came the first time."""

    screen: Screen
    identical: bool


def new_token() -> str:
    return secrets.token_hex(16)


def utc_now() -> datetime:
    return datetime.now(UTC)


def local_http() -> requests.Session:
    """A session that never asks the environment for a proxy: the gateway is on this machine."""
    http = requests.Session()
    http.trust_env = False
    return http


class Handset:
    """One phone number. Its methods may be called from several threads: a person can hang up
    while the answer is awaited.

    `callback_url` ends in the route that the phone dials by, and the token, which is the same
    for all routes: `.../ussd/africastalking/dev`. `tokens` make sessions' names.
    """

    def __init__(
        self,
        callback_url: str,
        msisdn: str,
        network: str = SAFARICOM_KE,
        http: requests.Session | None = None,
        *,
        tokens: Callable[[], str] = new_token,
        now: Callable[[], datetime] = utc_now,
        answer_timeout_s: float | None = None,
    ) -> None:
        """`answer_timeout_s`: None for what the vendor waits."""
        self.msisdn = msisdn
        self.network = network
        self.screen: Screen | None = None
        self._base, self.route, self._token = callback_url.rsplit("/", 2)
        self._http = http or local_http()
        self._tokens = tokens
        self._now = now
        self._answer_timeout_s = answer_timeout_s
        self._session: Session | None = None
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

    def dial(self, code: str, *, by: str | None = None) -> Screen:
        """`*384#`, or with inputs: `*384*1*0711000002*500#`. From now on `by` this route, if
        one is named. Hangs up an open session first."""
        self.hang_up()
        self.route = by or self.route
        code = code.strip()
        match = _DIALLED.fullmatch(code)
        if match is None:
            self.screen = Screen(_NOT_A_CODE, ends=True, trouble="Not a USSD code")
            return self.screen

        session = Session(
            id=VENDORS[self.route].session_id(self._tokens()),
            route=self.route,
            msisdn=self.msisdn,
            network=self.network,
            dialled=code,
            service_code=f"*{match[1]}#",
            inputs=match[2][1:].split("*") if match[2] else [],
            began=self._now(),
        )
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
        if session.waiting or session.answer is None or session.sent is None:
            raise Busy

        again = self._post(session, session.sent)
        first = session.answer
        identical = (again.status, again.body) == (first.status, first.body)
        return Repeat(_shown(session, again), identical)

    def text(self, words: str, *, to: str = SHORT_CODE) -> str:
        """Sends an SMS to a short code; gives why it did not go, or nothing."""
        form = {
            "date": self._now().isoformat(timespec="seconds"),
            "from": self.msisdn,
            "id": f"ATXid_{self._tokens()}",
            "linkId": "",
            "text": words,
            "to": to,
            "networkCode": self.network,
        }
        gateway, _ = self._base.rsplit("/", 1)
        url = f"{gateway}/sms/{AFRICAS_TALKING}/{self._token}/inbound"
        timeouts_s = (connect_timeout_s, text_timeout_s)
        try:
            response = self._http.post(
                url, data=form, timeout=timeouts_s, allow_redirects=False
            )
        except requests.RequestException:
            return "Could not connect to the application"
        return "" if response.ok else f"HTTP status {response.status_code}"

    def hang_up(self) -> None:
        """Ends the session, also while its answer is awaited, and clears the display."""
        with self._lock:
            session, self._session, self.screen = self._session, None, None
            was_open = session is not None and session.open
            if session is not None:
                session.open = False
        if session is not None and was_open:
            self._tell_end(session, End.INCOMPLETE)

    def _hop(self, session: Session) -> Screen:
        session.hops += 1
        session.sent = VENDORS[session.route].hop(session)
        answer = self._post(session, session.sent)
        screen = _shown(session, answer)

        with self._lock:
            session.answer = replace(answer, trouble=screen.trouble)
            session.waiting = False
            hung_up = not session.open
            session.open = session.open and not screen.ends
            if not hung_up:
                self.screen = screen
        if screen.ends and not hung_up:
            self._tell_end(session, End.FAILED if screen.trouble else End.SUCCESS)
        return screen

    def _post(self, session: Session, letter: Letter) -> Answer:
        within_s = self._answer_timeout_s or VENDORS[session.route].answer_within_s
        try:
            response = self._send(session, letter, connect_timeout_s, within_s)
        except requests.Timeout:
            trouble = f"The application did not answer in {within_s:g} s"
            return Answer(0, b"", trouble)
        except requests.RequestException:
            return Answer(0, b"", "Could not connect to the application")
        return Answer(response.status_code, response.content)

    def _tell_end(self, session: Session, how: End) -> None:
        letter = VENDORS[session.route].end(session, how, self._now())
        if letter is None:
            return
        try:
            self._send(session, letter, event_timeout_s, event_timeout_s)
        except requests.RequestException:
            return  # The event is a courtesy: the vendor does not keep it for later either.

    def _send(
        self, session: Session, letter: Letter, connect_s: float, answer_s: float
    ) -> requests.Response:
        query = f"?{letter.query}" if letter.query else ""
        return self._http.request(
            letter.method,
            f"{self._base}/{session.route}/{self._token}{letter.path}{query}",
            data=letter.body,
            headers={"Content-Type": letter.content_type} if letter.content_type else {},
            timeout=(connect_s, answer_s),
            allow_redirects=False,
        )


def _shown(session: Session, answer: Answer) -> Screen:
    if answer.trouble:
        return Screen(_APPLICATION_DOWN, ends=True, trouble=answer.trouble)
    if answer.status != 200:
        return Screen(_APPLICATION_DOWN, ends=True, trouble=f"HTTP status {answer.status}")
    try:
        return VENDORS[session.route].read(session, answer.body)
    except Misread as misread:
        return Screen(_APPLICATION_DOWN, ends=True, trouble=str(misread))
