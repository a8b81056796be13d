"""Hubtel, Programmable Services (developers.hubtel.com, as of 2026-11), always POST of JSON:

callback   Type (Initiation | Response | Release | Timeout), Message, ServiceCode, Operator,
           ClientState, Mobile, SessionId, Sequence, Platform. Message is what was dialled,
           `*384*1#`, and then what was typed last. The answer is 200 with SessionId, Type
           (Response | Release), Message, ClientState, Label, DataType, FieldType.
end        Type Release, where the person leaves. What is answered is not read.
"""

from datetime import datetime

from ussd_gateway.simulators.vendors.vendor import (
    End,
    Letter,
    Screen,
    Session,
    json_answer,
    one_of,
    posted_json,
    same,
)


class Hubtel:
    answer_within_s = 10.0

    def session_id(self, token: str) -> str:
        return token

    def hop(self, session: Session) -> Letter:
        if session.hops == 1:
            return _letter(session, "Initiation", session.dialled)
        return _letter(session, "Response", session.newest)

    def read(self, session: Session, body: bytes) -> Screen:
        found = json_answer(
            body,
            SessionId=str,
            Type=str,
            Message=str,
            ClientState=str,
            Label=str,
            DataType=str,
            FieldType=str,
        )
        same("SessionId", found["SessionId"], session.id)
        one_of("Type", found["Type"], "Response", "Release")
        one_of("DataType", found["DataType"], "input", "display")
        return Screen(found["Message"], ends=found["Type"] == "Release")

    def end(self, session: Session, how: End, _now: datetime) -> Letter | None:
        return _letter(session, "Release", "") if how is End.INCOMPLETE else None


def _letter(session: Session, kind: str, message: str) -> Letter:
    return posted_json(
        {
            "Type": kind,
            "Message": message,
            "ServiceCode": session.service_code.strip("*#"),
            "Operator": "mtn",
            "ClientState": "",
            "Mobile": session.digits,
            "SessionId": session.id,
            "Sequence": session.hops,
            "Platform": "USSD",
        }
    )
