"""Wigal, USSD v1 (github.com/wigalgh/smartussd_api, as of 2026-11), always GET:

callback   network, mode (START | MORE | END), msisdn, sessionid, userdata, username, trafficid
           (another at each hop), other. Unconfirmed: that the first userdata is what was
           dialled. The answer is the same eight, joined by "|": userdata is the screen, with
           "^" for a line break, and mode MORE or END. What is beyond 160 characters is cut off;
           a screen with $ < or & is not shown.
end        mode END, where the person leaves.
"""

from datetime import datetime
from urllib.parse import urlencode

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Misread,
    Screen,
    Session,
    one_of,
    same,
)

characters_max = 160

_NETWORK, _USER, _OTHER = "MTN", "pesa_demo", "NA"
_FORBIDDEN = "$<&"


class Wigal:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        if session.hops == 1:
            return _letter(session, "START", session.dialled)
        return _letter(session, "MORE", session.newest)

    def read(self, session: Session, body: bytes) -> Screen:
        text = body.decode("utf-8", "replace")
        values = text.split("|")
        if len(values) != 8 or "\n" in text:
            raise Misread("Response should be eight values on one line, joined by |")
        network, mode, msisdn, session_id, screen, user, traffic_id, other = values
        same("network", network, _NETWORK)
        one_of("mode", mode, "MORE", "END")
        same("msisdn", msisdn, session.digits)
        same("sessionid", session_id, session.id)
        same("username", user, _USER)
        same("trafficid", traffic_id, _traffic_id(session))
        same("other", other, _OTHER)
        for sign in _FORBIDDEN:
            if sign in screen:
                raise Misread(f"USERDATA should not hold {sign}")
        return Screen(screen[:characters_max].replace("^", "\n"), ends=mode == "END")

    def end(self, session: Session, how: End, _now: datetime) -> Letter | None:
        return _letter(session, "END", "") if how is End.INCOMPLETE else None


def _letter(session: Session, mode: str, typed: str) -> Letter:
    fields = {
        "network": _NETWORK,
        "mode": mode,
        "msisdn": session.digits,
        "sessionid": session.id,
        "userdata": typed,
        "username": _USER,
        "trafficid": _traffic_id(session),
        "other": _OTHER,
    }
    return Letter("GET", query=urlencode(fields))


def _traffic_id(session: Session) -> str:
    return f"{session.id}-{session.hops}"
