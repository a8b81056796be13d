"""Moolre (docs.moolre.com/ussd, as of 2026-11), POST of JSON:

callback   sessionid, new (true on the first hop), msisdn, network (a number), message,
           extension (a number), data. Its codes are *203*EXTENSION#: what is dialled here as
           *384*1# is *203*384*1# on a real phone, with extension 384 and data `1`. message is
           what was typed last. The answer is 200 with message and reply (true: the session goes
           on).
"""

from datetime import datetime

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Screen,
    Session,
    json_answer,
    posted_json,
)

_MTN = 3


class Moolre:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        first = session.hops == 1
        return posted_json(
            {
                "sessionid": session.id,
                "new": first,
                "msisdn": session.digits,
                "network": _MTN,
                "message": "" if first else session.newest,
                "extension": int(session.service_code.strip("*#")),
                "data": "*".join(session.inputs) if first else "",
            }
        )

    def read(self, _session: Session, body: bytes) -> Screen:
        found = json_answer(body, message=str, reply=bool)
        return Screen(found["message"], ends=not found["reply"])

    def end(self, _session: Session, _how: End, _now: datetime) -> None:
        """It does not tell."""
