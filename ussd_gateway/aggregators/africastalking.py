"""Africa's Talking USSD: the callback, and the end of a session.

Callback: POST form sessionId, phoneNumber (+E.164), networkCode (MCC+MNC), serviceCode, text.
`text` is all inputs so far joined by `*`, empty on the first hop; dialling `*384*1*2#` gives
`1*2` there. We answer 200 text/plain beginning `CON ` or `END `. The vendor waits 15 s and
signs nothing. End event: POST form date, sessionId, serviceCode, networkCode, phoneNumber,
status (Success | Incomplete | Failed), cost, durationInMillis, hopsCount, input,
lastAppResponse, errorMessage. `input` is the whole text, the PIN in it: it is never read.
(developers.africastalking.com/docs/ussd, read 2026-11-20; retries are not documented, so every
hop may come more than once)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import Reply, Request, SessionId

ROUTE = "africastalking"

text_characters_max = 500

_SESSION_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_NETWORK = re.compile(r"[0-9]{0,10}")
_SERVICE_CODE = re.compile(r"[0-9*#]{1,32}")


@dataclass(frozen=True, slots=True)
class Malformed:
    """What is wrong with a callback: field names only, since a value may hold a PIN."""

    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"missing or malformed: {', '.join(self.fields)}"


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over, as the vendor tells it."""

    session_id: SessionId
    status: str
    hops: int
    duration_ms: int


def parse_callback(form: Mapping[str, str]) -> Request | Malformed:
    number = form.get("phoneNumber", "").strip()
    # A client that does not encode its form turns the plus into a space.
    number = number if number.startswith("+") else f"+{number}"
    text = form.get("text")
    wrong = _wrong_id(form)
    if not is_e164(number):
        wrong += ("phoneNumber",)
    if not _SERVICE_CODE.fullmatch(form.get("serviceCode", "")):
        wrong += ("serviceCode",)
    if not _NETWORK.fullmatch(form.get("networkCode", "")):
        wrong += ("networkCode",)
    if text is None or len(text) > text_characters_max:
        wrong += ("text",)
    if wrong or text is None:
        return Malformed(wrong)

    return Request(
        route=ROUTE,
        session_id=SessionId(form["sessionId"]),
        msisdn=Msisdn(number),
        service_code=form["serviceCode"],
        network=form.get("networkCode", ""),
        text=text,
    )


def parse_end(form: Mapping[str, str]) -> Ended | Malformed:
    status = form.get("status", "")
    wrong = _wrong_id(form)
    if status not in ("Success", "Incomplete", "Failed"):
        wrong += ("status",)
    if wrong:
        return Malformed(wrong)
    return Ended(
        SessionId(form["sessionId"]),
        status,
        _count(form.get("hopsCount", "")),
        _count(form.get("durationInMillis", "")),
    )


def write_reply(reply: Reply) -> str:
    return f"{'END' if reply.ends else 'CON'} {reply.text}"


def _wrong_id(form: Mapping[str, str]) -> tuple[str, ...]:
    return () if _SESSION_ID.fullmatch(form.get("sessionId", "")) else ("sessionId",)


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
