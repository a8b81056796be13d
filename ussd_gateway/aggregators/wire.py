"""One route's callbacks as values, and its answers as octets, by its row of the table.

It is strict about what is there and silent about what was typed: a value may hold a PIN, so a
callback that cannot be read is told by the names of its fields only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ussd_gateway.aggregators.bodies import Fields, Plain
from ussd_gateway.aggregators.replies import Said, Shape, Written
from ussd_gateway.aggregators.row import (
    Bears,
    Callback,
    EndEvent,
    Ending,
    Kind,
    Limits,
    Mark,
)
from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import Reply, Request, Route, SessionId

text_characters_max = 500

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_SERVICE_CODE = re.compile(r"[0-9*#]{1,32}")
_DIALLED = re.compile(r"[0-9*#]*")


@dataclass(frozen=True, slots=True)
class Sent:
    """What came: `path` is what stands behind the token in the address."""

    path: str
    query: bytes = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A hop, and the fields of it that go back with the answer."""

    request: Request
    echoes: Fields = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over, as the aggregator tells it, and what it wants to hear."""

    session_id: SessionId
    status: str
    hops: int
    duration_ms: int
    answer: Written


@dataclass(frozen=True, slots=True)
class Malformed:
    """What is wrong with a callback: field names only."""

    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"missing or malformed: {', '.join(self.fields)}"


class Wire:
    """`echoes`: the names of the fields that go back with an answer."""

    def __init__(
        self,
        route: Route,
        limits: Limits,
        callback: Callback,
        reply: Shape,
        ending: Ending | None,
        *,
        echoes: frozenset[str],
    ) -> None:
        self.route = route
        self.limits = limits
        self._callback = callback
        self._reply = reply
        self._ending = ending
        self._event = ending.event if ending else None
        self._echoes = tuple(sorted(echoes))
        unsafe = reply.unsafe + (ending.answer.unsafe if ending else "")
        self._unsafe = frozenset(f"{unsafe}\r\n" if unsafe else "")

    def read(self, sent: Sent) -> Asked | Ended | Malformed | None:
        """None where the route has no such path."""
        callback = self._callback
        octets = sent.query if callback.in_query else sent.body
        event = self._event
        if event is not None and sent.path == event.path:
            fields = callback.reads(octets)
            return Malformed(("body",)) if fields is None else self._read_event(event, fields)

        named = callback.path.fullmatch(sent.path)
        if named is None:
            return None
        fields = callback.reads(octets)
        if fields is None:
            return Malformed(("body",))
        if callback.path.groups:
            fields = {**fields, **named.groupdict()}
        return self._read_callback(fields)

    def write(self, asked: Asked, reply: Reply) -> Written:
        return self._reply.write(Said(reply.text, reply.ends, asked.echoes))

    def _read_callback(self, fields: Fields) -> Asked | Ended | Malformed:
        callback = self._callback
        kind = _kind(callback.mark, fields)
        session_id = _text(fields.get(callback.session_id))
        wrong: list[str] = []
        if not _ID.fullmatch(session_id):
            wrong.append(callback.session_id)
        echoes = self._kept(fields, wrong) if self._echoes else {}
        if kind is Kind.ENDED:
            return Malformed(tuple(wrong)) if wrong else self._over(fields, session_id, echoes)

        number = _number(fields.get(callback.msisdn))
        if not is_e164(number):
            wrong.append(callback.msisdn)
        code = self._code(fields, kind, wrong)
        network = _text(fields.get(callback.network))
        if not callback.network_is.fullmatch(network):
            wrong.append(callback.network)
        if callback.mark is not None and kind is None:
            wrong.append(callback.mark.field)
        hop_id = _text(fields.get(callback.hop_id))
        if callback.hop_id and not _ID.fullmatch(hop_id):
            wrong.append(callback.hop_id)
        code, text = self._typed(fields, kind, code, wrong)
        if wrong:
            return Malformed(tuple(dict.fromkeys(wrong)))

        request = Request(
            route=self.route.name,
            session_id=SessionId(session_id),
            msisdn=Msisdn(number),
            service_code=code,
            network=network,
            text=text,
            begins=None if kind is None else kind is Kind.BEGINS,
            hop_id=hop_id,
        )
        return Asked(request, echoes)

    def _code(self, fields: Fields, kind: Kind | None, wrong: list[str]) -> str:
        callback = self._callback
        sent = _text(fields.get(callback.service_code))
        if kind is Kind.GOES_ON and not sent:
            # It is the one that the session began with, whatever the default is.
            return ""
        code = sent or callback.default_code
        if not _SERVICE_CODE.fullmatch(code):
            wrong.append(callback.service_code)
        return f"*{code.strip('*#')}#"

    def _typed(
        self, fields: Fields, kind: Kind | None, code: str, wrong: list[str]
    ) -> tuple[str, str]:
        """The service code, and what was typed, or dialled behind it."""
        callback = self._callback
        if kind is not Kind.BEGINS:
            text = fields.get(callback.input)
        elif callback.first is Bears.NONE:
            return code, ""
        else:
            text = fields.get(callback.first_input)
            if text is None and callback.first is Bears.TAIL:
                text = ""
        # A number is not taken for what was typed: the noughts before it would be lost.
        if not isinstance(text, str) or len(text) > text_characters_max:
            wrong.append(callback.first_input if kind is Kind.BEGINS else callback.input)
            return code, ""
        if kind is not Kind.BEGINS or callback.first is Bears.TAIL:
            return code, text
        if not _DIALLED.fullmatch(text):
            wrong.append(callback.first_input)
        sent = bool(callback.service_code and fields.get(callback.service_code))
        return _behind((code,) if sent else callback.codes, text) if text else (code, "")

    def _kept(self, fields: Fields, wrong: list[str]) -> Fields:
        echoes = {name: fields[name] for name in self._echoes if name in fields}
        if self._unsafe:
            wrong += [
                name
                for name, value in echoes.items()
                if self._unsafe.intersection(_text(value))
            ]
        return echoes

    def _over(self, fields: Fields, session_id: str, echoes: Fields) -> Ended:
        mark = self._callback.mark
        assert mark is not None, "without a mark no callback ends a session"
        status = _text(fields.get(mark.field))
        return Ended(SessionId(session_id), status, 0, 0, self._answer(echoes))

    def _answer(self, echoes: Fields) -> Written:
        assert self._ending is not None, "the table has an answer to every end"
        return self._ending.answer.write(Said("", ends=True, echoes=echoes))

    def _read_event(self, event: EndEvent, fields: Fields) -> Ended | Malformed:
        session_id = _text(fields.get(event.session_id))
        status = _text(fields.get(event.status))
        wrong = [] if _ID.fullmatch(session_id) else [event.session_id]
        if status not in event.words:
            wrong.append(event.status)
        if wrong:
            return Malformed(tuple(wrong))
        return Ended(
            SessionId(session_id),
            status,
            _count(fields.get(event.hops)),
            _count(fields.get(event.duration_ms)),
            self._answer({}),
        )


def _kind(mark: Mark | None, fields: Fields) -> Kind | None:
    return mark.words.get(_text(fields.get(mark.field)).casefold()) if mark else None


def _number(plain: Plain) -> str:
    """Some send it without the plus, and a form that is not encoded turns it into a space."""
    number = _text(plain).strip()
    return number if number.startswith("+") else f"+{number}"


def _behind(codes: Sequence[str], dialled: str) -> tuple[str, str]:
    """The service code in a dialled string, and what stands behind it; no code at all where it
    is none of ours."""
    digits = dialled.removeprefix("*").rstrip("#")
    for code in codes:
        known = code.strip("*#")
        if digits == known:
            return code, ""
        if digits.startswith(f"{known}*"):
            return code, digits[len(known) + 1 :]
    return "", ""


def _text(plain: Plain) -> str:
    """A field as the text that a form would have of it."""
    if isinstance(plain, str):
        return plain
    if plain is None:
        return ""
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _count(plain: Plain) -> int:
    text = _text(plain)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
