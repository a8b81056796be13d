"""Arkesel (developers.arkesel.com, as of 2026-11), POST of JSON:

callback   sessionID, userID, newSession, msisdn, userData, network. userData is what was
           dialled where newSession is true, and then what was typed last. The answer is 200
           with sessionID, userID and msisdn as they came, message, continueSession.
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

_USER = "PESA_DEMO"


class Arkesel:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        first = session.hops == 1
        return posted_json(
            {
                "sessionID": session.id,
                "userID": _USER,
                "newSession": first,
                "msisdn": session.digits,
                "userData": session.dialled if first else session.newest,
                "network": "MTN",
            }
        )

    def read(self, session: Session, body: bytes) -> Screen:
        found = json_answer(
            body, sessionID=str, userID=str, msisdn=str, message=str, continueSession=bool
        )
        same("sessionID", found["sessionID"], session.id)
        same("userID", found["userID"], _USER)
        same("msisdn", found["msisdn"], session.digits)
        return Screen(found["message"], ends=not found["continueSession"])

    def end(self, _session: Session, _how: End, _now: datetime) -> None:
        """It does not tell."""
