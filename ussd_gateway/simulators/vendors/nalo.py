"""Nalo Solutions (its USSD API's documentation, as others quote it, 2026-11), POST of JSON:

callback   USERID, MSISDN, USERDATA, MSGTYPE (true on the first hop), NETWORK, SESSIONID.
           Unconfirmed: that USERDATA is what was dialled, on the first hop. The answer is 200
           with USERID and MSISDN as they came, MSG, MSGTYPE (true: the session goes on).
"""

from datetime import datetime

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Screen,
    Session,
    json_answer,
    posted_json,
    same,
)

_USER = "PESADEMO"


class Nalo:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        first = session.hops == 1
        return posted_json(
            {
                "USERID": _USER,
                "MSISDN": session.digits,
                "USERDATA": session.dialled if first else session.newest,
                "MSGTYPE": first,
                "NETWORK": "MTN",
                "SESSIONID": session.id,
            }
        )

    def read(self, session: Session, body: bytes) -> Screen:
        found = json_answer(body, USERID=str, MSISDN=str, MSG=str, MSGTYPE=bool)
        same("USERID", found["USERID"], _USER)
        same("MSISDN", found["MSISDN"], session.digits)
        return Screen(found["MSG"], ends=not found["MSGTYPE"])

    def end(self, _session: Session, _how: End, _now: datetime) -> None:
        """It does not tell."""
