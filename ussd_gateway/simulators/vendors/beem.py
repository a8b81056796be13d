"""Beem, USSD Hub (docs.beem.africa/ussd, as of 2026-11), always POST of JSON:

callback   command (initiate | continue | terminate), msisdn, session_id, operator, and payload:
           request_id, and response: what was typed last, 0 on the first hop. What was dialled
           does not come. Here request_id is 0 first, and then that of the last answer:
           unconfirmed. The answer is 200 with msisdn, operator and session_id as they came,
           command (continue | terminate), and payload: request_id, request: the screen.
end        command terminate, where the person leaves.
"""

import json
from datetime import datetime

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Misread,
    Screen,
    Session,
    checked,
    json_answer,
    one_of,
    posted_json,
    same,
)

_OPERATOR = "vodacom"


class Beem:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        if session.hops == 1:
            return _letter(session, "initiate", 0)
        return _letter(session, "continue", session.newest)

    def read(self, session: Session, body: bytes) -> Screen:
        found = json_answer(
            body, msisdn=str, operator=str, session_id=str, command=str, payload=dict
        )
        payload = checked(found["payload"], request_id=int, request=str)
        same("msisdn", found["msisdn"], session.digits)
        same("operator", found["operator"], _OPERATOR)
        same("session_id", found["session_id"], session.id)
        one_of("command", found["command"], "continue", "terminate")
        if session.sent and payload["request_id"] == _request_id(session.sent.body):
            raise Misread("request_id should be another at each hop")
        return Screen(payload["request"], ends=found["command"] == "terminate")

    def end(self, session: Session, how: End, _now: datetime) -> Letter | None:
        return _letter(session, "terminate", "") if how is End.INCOMPLETE else None


def _letter(session: Session, command: str, response: object) -> Letter:
    last = _request_id(session.answer.body) if session.answer else 0
    return posted_json(
        {
            "command": command,
            "msisdn": session.digits,
            "session_id": session.id,
            "operator": _OPERATOR,
            "payload": {"request_id": last, "response": response},
        }
    )


def _request_id(body: bytes) -> object:
    """Of one that is JSON: ours, or an answer that was read before."""
    return json.loads(body)["payload"]["request_id"]
