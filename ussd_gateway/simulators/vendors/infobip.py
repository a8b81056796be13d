"""Infobip, USSD Gateway to third-party application (HTTP/REST/JSON; as of 2026-11), POST:

callback   to the callback URL + /session/<id>/start, and then /response: msisdn, imsi, text,
           shortCode, language, optional, ussdGwId. text is what was dialled, and then what was
           typed last. The answer is 200 with ussdMenu, shouldClose, thirdPartyId,
           responseExitCode (200), responseMessage.
end        to /session/<id>/end, however it ended: reason, exitCode. The answer is 200 with
           responseExitCode and responseMessage. Unconfirmed: its exit codes.
"""

from datetime import datetime

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Misread,
    Screen,
    Session,
    json_answer,
    posted_json,
)

_ENDS = {
    End.SUCCESS: ("", 200),
    End.INCOMPLETE: ("user", 510),
    End.FAILED: ("application", 500),
}


class Infobip:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        first = session.hops == 1
        fields = {
            "msisdn": session.digits,
            "imsi": None,
            "text": session.dialled if first else session.newest,
            "shortCode": session.service_code,
            "language": None,
            "optional": None,
            "ussdGwId": "11",
        }
        return posted_json(fields, f"/session/{session.id}/{'start' if first else 'response'}")

    def read(self, _session: Session, body: bytes) -> Screen:
        found = json_answer(
            body,
            ussdMenu=str,
            shouldClose=bool,
            thirdPartyId=str,
            responseExitCode=int,
            responseMessage=str,
        )
        if found["responseExitCode"] != 200:
            raise Misread("responseExitCode should be 200")
        return Screen(found["ussdMenu"], ends=found["shouldClose"])

    def end(self, session: Session, how: End, _now: datetime) -> Letter:
        reason, exit_code = _ENDS[how]
        fields = {"reason": reason, "exitCode": exit_code}
        return posted_json(fields, f"/session/{session.id}/end")
