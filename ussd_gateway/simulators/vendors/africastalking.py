"""Africa's Talking (developers.africastalking.com/docs/ussd, as of 2026-11), always POST of a
form:

callback   sessionId, phoneNumber (+E.164), networkCode, serviceCode, and `text`: all inputs of
           the session joined by "*", empty on the first hop. `*384*1*0711000002#` is service
           code *384# with `1*0711000002` on the first hop, as if typed. The answer is 200 and
           begins `CON ` or `END `; anything else ends the session.
end event  to the callback URL + /events: date, sessionId, serviceCode, networkCode,
           phoneNumber, status (Success | Incomplete | Failed), cost, durationInMillis,
           hopsCount, input (the whole text), lastAppResponse, errorMessage
Limits (help.africastalking.com): 10 s to connect, 15 s for the answer.
"""

from datetime import datetime, timedelta

from ussd_gateway.simulators.vendors.vendor import (
    Answer,
    End,
    Letter,
    Misread,
    Screen,
    Session,
    posted_form,
)

_SESSION_COST = "KES 0.10"


class AfricasTalking:
    answer_within_s = 15.0

    def session_id(self, token: str) -> str:
        return f"ATUid_{token}"

    def hop(self, session: Session) -> Letter:
        return posted_form(
            sessionId=session.id,
            phoneNumber=session.msisdn,
            networkCode=session.network,
            serviceCode=session.service_code,
            text="*".join(session.inputs),
        )

    def read(self, _session: Session, body: bytes) -> Screen:
        text = body.decode("utf-8", "replace")
        if not text.startswith(("CON ", "END ")):
            raise Misread("Response should start with a CON or an END")
        return Screen(text[4:], ends=text.startswith("END "))

    def end(self, session: Session, how: End, now: datetime) -> Letter:
        last = session.answer or Answer(0, b"")
        return posted_form(
            "/events",
            date=now.strftime("%Y-%m-%d %H:%M:%S"),
            sessionId=session.id,
            serviceCode=session.service_code,
            networkCode=session.network,
            phoneNumber=session.msisdn,
            status=how.value,
            cost=_SESSION_COST,
            durationInMillis=str((now - session.began) // timedelta(milliseconds=1)),
            hopsCount=str(session.hops),
            input="*".join(session.inputs),
            lastAppResponse=last.body.decode("utf-8", "replace"),
            errorMessage=last.trouble if how is End.FAILED else "",
        )
