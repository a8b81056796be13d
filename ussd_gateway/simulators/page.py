"""The phones as a web page: two handsets side by side, and the JSON that drives them.

    GET  /                          the page
    GET  /phones/<number>/messages  the inbox, oldest first: [{from, text, received_at}, ...]
    GET  /phones/<number>/state     what the phone shows, and its newest messages
    POST /phones/<number>/dial      {"code": "*384#", "route": "hubtel"}   -> state
    POST /phones/<number>/enter     {"text": "1"}          -> state
    POST /phones/<number>/repeat    {}                     -> state and {"repeat": ...}
    POST /phones/<number>/hang_up   {}                     -> state
    POST /phones/<number>/text      {"text": "BAL"}        -> state and {"texted": ...}

A number is +254711000001, %2B254711000001, 254711000001 or 0711000001; what is none is 404. The
POSTs take JSON only, which another site's page cannot send. Sessions are in memory: the program
runs as one process.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.msisdn import CALLING_CODES, Msisdn, is_e164, local
from ussd_gateway.simulators.carrier import Mood
from ussd_gateway.simulators.cast import CUSTOMER_CODE, SHORT_CODE, Person
from ussd_gateway.simulators.handset import Busy, Handset, NoSession, Screen
from ussd_gateway.simulators.inbox import Inbox, Message
from ussd_gateway.simulators.sms_troubles import AnswerTrouble
from ussd_gateway.simulators.vendors import VENDORS

# A screen: what every network carries, and the most that a USSD string of 160 octets holds.
SCREEN_SEPTETS_SAFE = 160
SCREEN_SEPTETS_MAX = 182
SCREEN_UNITS_MAX = 80

phones_max = 1000
messages_shown_max = 50
typed_max = 200

# How the page says what the carrier does with a charge.
_MOODS = (
    (Mood.ANSWERS.value, "answers"),
    (Mood.REFUSES.value, "refuses"),
    (Mood.SILENT.value, "is silent"),
    (Mood.SILENT_AFTER_CHARGING.value, "charges, then is silent"),
)
# And what the SMS provider does with a message.
_TROUBLES = (
    (AnswerTrouble.NONE.value, "works"),
    (AnswerTrouble.SLOW.value, "is slow"),
    (AnswerTrouble.THROTTLED.value, "turns down"),
    (AnswerTrouble.REFUSED.value, "says no"),
    (AnswerTrouble.SILENT.value, "is silent"),
    (AnswerTrouble.SILENT_AFTER_TAKING.value, "sends, then is silent"),
)
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_LOCAL = re.compile(r"0(\d{9})")
_DIGITS = re.compile(r"[1-9]\d{7,14}")


class Phones:
    """The handsets in use, one a number; beyond `phones_max` the one unused longest is gone."""

    def __init__(self, new_handset: Callable[[Msisdn], Handset]) -> None:
        self._new_handset = new_handset
        self._handsets: OrderedDict[Msisdn, Handset] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, msisdn: Msisdn) -> Handset:
        with self._lock:
            handset = self._handsets.get(msisdn) or self._new_handset(msisdn)
            self._handsets[msisdn] = handset
            self._handsets.move_to_end(msisdn)
            if len(self._handsets) > phones_max:
                self._handsets.popitem(last=False)
            return handset


def parse_number(text: str) -> Msisdn | None:
    """A phone number as people and programs write it in an address; None where it is none."""
    number = text.strip()
    if kenyan := _LOCAL.fullmatch(number):
        number = f"+{CALLING_CODES['KE']}{kenyan[1]}"
    elif _DIGITS.fullmatch(number):
        number = f"+{number}"
    return Msisdn(number) if is_e164(number) else None


def phones_page(phones: Phones, inbox: Inbox, people: Sequence[Person]) -> Blueprint:
    page = Blueprint("page", __name__)

    @page.get("/")
    def index() -> Response:
        response = make_response(
            render_template(
                "phones.html",
                people=people,
                code=CUSTOMER_CODE,
                short_code=SHORT_CODE,
                local=local,
                moods=_MOODS,
                troubles=_TROUBLES,
                routes=tuple(VENDORS),
            )
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @page.get("/phones/<number>/messages")
    def messages(number: str) -> Response:
        return jsonify([_plain(message) for message in inbox.messages(_msisdn(number))])

    @page.get("/phones/<number>/state")
    def state(number: str) -> Response:
        return _state(number)

    @page.post("/phones/<number>/dial")
    def dial(number: str) -> Response:
        code, route = _typed("code"), _route()
        phones.get(_msisdn(number)).dial(code, by=route)
        return _state(number)

    @page.post("/phones/<number>/enter")
    def enter(number: str) -> Response:
        text = _typed("text")
        phones.get(_msisdn(number)).enter(text)
        return _state(number)

    @page.post("/phones/<number>/repeat")
    def repeat(number: str) -> Response:
        request.get_json()
        again = phones.get(_msisdn(number)).repeat()
        return _state(number, repeat={"identical": again.identical, "text": again.screen.text})

    @page.post("/phones/<number>/hang_up")
    def hang_up(number: str) -> Response:
        request.get_json()
        phones.get(_msisdn(number)).hang_up()
        return _state(number)

    @page.post("/phones/<number>/text")
    def text(number: str) -> Response:
        words = _typed("text")
        trouble = phones.get(_msisdn(number)).text(words)
        return _state(number, texted={"taken": not trouble, "trouble": trouble})

    def _state(number: str, **more: dict[str, str | bool]) -> Response:
        handset = phones.get(_msisdn(number))
        return jsonify(
            msisdn=handset.msisdn,
            route=handset.route,
            session={
                "id": handset.session_id,
                "open": handset.open,
                "waiting": handset.waiting,
                "hops": handset.hops,
            },
            screen=_shown(handset.screen),
            messages=[
                {**_plain(one), "row": one.row, "segments": gsm7.segments(one.text)}
                | _counted(one.text)
                for one in inbox.newest(_msisdn(number), messages_shown_max)
            ],
            **more,
        )

    @page.errorhandler(NoSession)
    def no_session(_: NoSession) -> tuple[Response, int]:
        return jsonify(error="No session: dial first"), 409

    @page.errorhandler(Busy)
    def busy(_: Busy) -> tuple[Response, int]:
        return jsonify(error="The phone still waits for an answer"), 409

    @page.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @page.after_app_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return page


def _msisdn(number: str) -> Msisdn:
    msisdn = parse_number(number)
    if msisdn is None:
        abort(404, "Not a phone number")
    return msisdn


def _typed(name: str) -> str:
    body = request.get_json()
    typed = body.get(name) if isinstance(body, dict) else None
    if not isinstance(typed, str) or len(typed) > typed_max:
        abort(400, f"Give {name}, a text of at most {typed_max} characters")
    return typed


def _route() -> str | None:
    """None: the phone dials by the one that it has."""
    route = request.get_json().get("route")
    if route is None:
        return None
    if not isinstance(route, str) or route not in VENDORS:
        abort(400, f"Routes are {', '.join(VENDORS)}")
    return route


def _plain(message: Message) -> dict[str, str | int]:
    moment = message.received_at.astimezone(UTC)
    return {
        "from": message.sender,
        "text": message.text,
        "received_at": moment.isoformat(timespec="milliseconds"),
    }


def _shown(screen: Screen | None) -> dict[str, str | bool | int] | None:
    if screen is None:
        return None
    counted = _counted(screen.text)
    unicode = counted["coding"] == "UCS-2"
    return {
        "text": screen.text,
        "ends": screen.ends,
        "trouble": screen.trouble,
        "safe": SCREEN_UNITS_MAX if unicode else SCREEN_SEPTETS_SAFE,
        "most": SCREEN_UNITS_MAX if unicode else SCREEN_SEPTETS_MAX,
        **counted,
    }


def _counted(text: str) -> dict[str, str | int]:
    """How the text travels, and how many septets or UCS-2 units it takes."""
    if gsm7.is_gsm7(text):
        return {"coding": "GSM-7", "used": gsm7.septets(text)}
    return {"coding": "UCS-2", "used": len(text.encode("utf-16-be")) // 2}
