"""Africa's Talking's SMS API, as the real SDK calls it, delivering to the simulated phones.

What it takes and gives (developers.africastalking.com/docs/sms/sending, as of 2026-11; the
source of the SDK africastalking 2.0.3; real answers quoted in public code):
  POST /version1/messaging   form username, to (numbers joined by ","), message, from,
                             bulkSMSMode, enqueue; header apiKey
  201 application/json       {"SMSMessageData": {"Message", "Recipients": [{"statusCode",
                             "number", "status", "cost", "messageId", "messageParts"}]}}
  an account-level refusal   201 with the reason as Message and no recipients
  401 text/plain             wrong username or key: "The supplied authentication is invalid"
  400 text/plain             a form field is missing
and to the gateway, for what became of a message (docs/sms/notifications, as of 2026-11):
  POST .../reports           form id, status (Sent, Submitted, Buffered; final Success,
                             Rejected, Failed), phoneNumber, networkCode, retryCount, and
                             failureReason where it failed

Statuses played: 101 Success, 403 InvalidPhoneNumber, 404 UnsupportedNumberType (a landline),
and InvalidSenderId. Numbers that begin +2547000000 are the test range that belongs to nobody:
the message is accepted, nobody gets it, and its report is Failed, UserDoesNotExist. What else
goes wrong is played on demand: `sms_troubles`.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers
from flask import Blueprint, Response, jsonify, request
from phonenumbers import PhoneNumberType

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.simulators.inbox import Callback, Inbox, Message
from ussd_gateway.simulators.sms_troubles import (
    AnswerTrouble,
    ReportTrouble,
    Troubles,
    early_s,
    late_s,
    silent_s,
    slow_s,
)
from ussd_gateway.simulators.vendors.vendor import SAFARICOM_KE

# The sender of an account that has registered no name of its own.
DEFAULT_SENDER = "AFRICASTKNG"
NOBODY = "+2547000000"

# KES 0.8000 a part: the vendor writes costs with four decimals.
_PART_COST = 8_000
_SENDER = re.compile(r"[A-Za-z0-9 ._-]{1,11}|\d{3,15}")


@dataclass(frozen=True, slots=True)
class Account:
    username: str
    api_key: str

    def is_of(self, username: str, api_key: str) -> bool:
        return username == self.username and hmac.compare_digest(
            api_key.encode(), self.api_key.encode()
        )


@dataclass(frozen=True, slots=True)
class _Recipient:
    number: str
    code: int
    status: str
    message_id: str = "None"  # the vendor's word where there is no message
    parts: int = 0

    @property
    def json(self) -> dict[str, str | int]:
        return {
            "statusCode": self.code,
            "number": self.number,
            "status": self.status,
            "cost": _cost(self.parts) if self.parts else "0",
            "messageId": self.message_id,
            "messageParts": self.parts,
        }


def sms_api(
    inbox: Inbox,
    account: Account,
    *,
    report_delay_s: float,
    octets: Callable[[int], bytes],
    now: Callable[[], datetime],
    troubles: Troubles,
) -> Blueprint:
    """The API for one account. The network reports Submitted after half of `report_delay_s`,
    and what became of the message after the whole of it."""
    api = Blueprint("sms_api", __name__)
    delay = timedelta(seconds=report_delay_s)

    @api.post("/version1/messaging")
    def send() -> Response:
        for name in ("username", "to", "message"):
            if not request.form.get(name):
                return _plain(400, f"Request is missing required form field '{name}'")
        if not account.is_of(request.form["username"], request.headers.get("apiKey", "")):
            return _plain(401, "The supplied authentication is invalid")
        sender = request.form.get("from", DEFAULT_SENDER)
        if _SENDER.fullmatch(sender) is None:
            return _answer("InvalidSenderId", [])

        trouble, plan = troubles.request()
        if untaken := _untaken(trouble, troubles):
            return untaken
        text = request.form["message"]
        recipients = [_recipient(number, text, octets) for number in _numbers()]
        if trouble is AnswerTrouble.PARTIAL:
            recipients = [
                _turned_down(one) if one.parts and troubles.turns_down() else one
                for one in recipients
            ]
        accepted = [one for one in recipients if one.parts]
        reports = {one.message_id: troubles.report(plan) for one in accepted}
        moment = now()
        inbox.take(
            [
                Message(one.message_id, Msisdn(one.number), sender, text, moment)
                for one in accepted
                if not one.number.startswith(NOBODY)
            ],
            [
                report
                for one in accepted
                for report in _reports(one, moment, delay, reports[one.message_id])
            ],
        )
        if cut := _held(trouble, set(reports.values()), troubles):
            return cut
        parts = sum(one.parts for one in accepted)
        total = f"{_cost(parts)} Message parts: {parts}" if parts else "0"
        summary = f"Sent to {len(accepted)}/{len(recipients)} Total Cost: {total}"
        return _answer(summary, recipients)

    return api


def kind_of(number: str) -> int | None:
    """Which of `phonenumbers.PhoneNumberType` it is; None where nobody can have it."""
    if not is_e164(number):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.number_type(parsed)


def _numbers() -> list[str]:
    return [part.strip() for part in request.form["to"].split(",") if part.strip()]


def _recipient(number: str, text: str, octets: Callable[[int], bytes]) -> _Recipient:
    kind = kind_of(number)
    if kind is None:
        return _Recipient(number, 403, "InvalidPhoneNumber")
    if kind == PhoneNumberType.FIXED_LINE:
        return _Recipient(number, 404, "UnsupportedNumberType")
    message_id = f"ATXid_{octets(16).hex()}"
    return _Recipient(number, 101, "Success", message_id, gsm7.segments(text))


def _untaken(trouble: AnswerTrouble, troubles: Troubles) -> Response | None:
    """The answer, where nothing was taken of the request; None where it goes on."""
    match trouble:
        case AnswerTrouble.ERROR:
            return _plain(500, "Internal Server Error")
        case AnswerTrouble.THROTTLED:
            response = _plain(429, "Too Many Requests")
            response.headers["Retry-After"] = "1"
            return response
        case AnswerTrouble.SILENT:
            troubles.wait(silent_s)
            return _plain(503, "Service Unavailable")
        case AnswerTrouble.REFUSED:
            return _answer("InsufficientBalance", [])
        case _:
            return None


def _held(
    trouble: AnswerTrouble, reports: set[ReportTrouble], troubles: Troubles
) -> Response | None:
    """Waits where the answer is to be late; the answer, where it is none any more."""
    if trouble is AnswerTrouble.SILENT_AFTER_TAKING:
        troubles.wait(silent_s)
        return _plain(504, "Gateway Timeout")
    if trouble is AnswerTrouble.SLOW and not troubles.wait(slow_s):
        return _plain(504, "Gateway Timeout")
    if ReportTrouble.EARLY in reports:
        troubles.wait(early_s)
    return None


def _turned_down(one: _Recipient) -> _Recipient:
    return _Recipient(one.number, 502, "RejectedByGateway")


def _reports(
    one: _Recipient, moment: datetime, delay: timedelta, trouble: ReportTrouble
) -> list[Callback]:
    form = {
        "id": one.message_id,
        "phoneNumber": one.number,
        "networkCode": SAFARICOM_KE,
        "retryCount": "0",
    }
    end = (
        {"status": "Failed", "failureReason": "UserDoesNotExist"}
        if one.number.startswith(NOBODY)
        else {"status": "Success"}
    )
    if trouble is ReportTrouble.FAILED:
        end = {"status": "Failed", "failureReason": "DeliveryFailure"}
    first, last = _when(trouble, moment, delay)
    reports = [
        Callback("sms", {**form, "status": "Submitted"}, first),
        Callback("sms", {**form, **end}, last),
    ]
    match trouble:
        case ReportTrouble.MISSING:
            return []
        case ReportTrouble.DOUBLED:
            return reports * 2
        case _:
            return reports


def _when(
    trouble: ReportTrouble, moment: datetime, delay: timedelta
) -> tuple[datetime, datetime]:
    """Submitted, and what became of it."""
    match trouble:
        case ReportTrouble.LATE:
            late = moment + timedelta(seconds=late_s)
            return late + delay / 2, late + delay
        case ReportTrouble.REORDERED:
            return moment + delay, moment + delay / 2
        case ReportTrouble.EARLY:
            return moment, moment
        case _:
            return moment + delay / 2, moment + delay


def _cost(parts: int) -> str:
    shillings, rest = divmod(parts * _PART_COST, 10_000)
    return f"KES {shillings}.{rest:04}"


def _answer(message: str, recipients: list[_Recipient]) -> Response:
    response = jsonify(
        {"SMSMessageData": {"Message": message, "Recipients": [one.json for one in recipients]}}
    )
    response.status_code = 201
    return response


def _plain(status: int, text: str) -> Response:
    return Response(text, status=status, mimetype="text/plain")
