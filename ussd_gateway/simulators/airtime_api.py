"""Africa's Talking's airtime API, as the real SDK calls it, topping up the simulated phones.

What it takes and gives (docs.africastalking.com/airtime/sending and /statuscallback, as of
2026-11; the source of the SDK africastalking 2.0.3; real answers quoted in public code):
  POST /version1/airtime/send   form username, recipients (JSON: [{"phoneNumber", "amount":
                                "KES 50"}]), maxNumRetry; headers apiKey, Idempotency-Key
  201 application/json          {"errorMessage": "None", "numSent", "totalAmount",
                                "totalDiscount", "responses": [{"phoneNumber", "errorMessage",
                                "amount": "KES 50.0000", "status", "requestId", "discount"}]}
  a repeat                      201 with the reason as errorMessage and no responses: the same
                                Idempotency-Key, or the same amount for the same number,
                                within 5 minutes
  401, 400 text/plain           as the SMS API
and to the gateway:
  POST .../validate             before: form transactionId, phoneNumber, sourceIpAddress,
                                currencyCode, amount; {"status": "Failed"} stops it
  POST .../status               after: form requestId, status (Success | Failed), phoneNumber,
                                description, value, discount

Statuses played: Sent, and Failed for what is no mobile number, an amount outside the limits,
and a validation that failed. Numbers that begin +2547000000 are the test range that belongs to
nobody: Sent, and Failed later. Unconfirmed: the upper limit, and the words of the failures but
"Value Outside The Allowed Limits". maxNumRetry is taken and changes nothing: nothing here
fails by chance.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import requests
from flask import Blueprint, Response, jsonify, request
from phonenumbers import PhoneNumberType

from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.simulators.handset import local_http
from ussd_gateway.simulators.inbox import Callback, Inbox, Message, Once
from ussd_gateway.simulators.sms_api import NOBODY, Account, kind_of

SENDER = "AIRTIME"
# The account's own: it is Kenyan.
CURRENCY = "KES"

repeat_window = timedelta(minutes=5)
validation_timeout_s = 3.0
recipients_max = 100
amount_min = Money(5_00, CURRENCY)
amount_max = Money(10_000_00, CURRENCY)

_DUPLICATE = "A duplicate request was received within the last 5 minutes"
_SOURCE_ADDRESS = "127.0.0.1"
_DISCOUNT_PERCENT = 4
_AMOUNT = re.compile(rf"{CURRENCY} ([0-9]{{1,9}}(?:\.[0-9]{{1,4}})?)")


class Moment(Enum):
    """When the vendor can be held back: before it takes an order, or before it says so."""

    ASKED = "asked"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class _TopUp:
    """One recipient whom airtime is on its way to."""

    number: str
    amount: Money
    request_id: str

    @property
    def json(self) -> dict[str, str]:
        return {
            "phoneNumber": self.number,
            "errorMessage": "None",
            "amount": _written(self.amount),
            "status": "Sent",
            "requestId": self.request_id,
            "discount": _written(self.amount, _DISCOUNT_PERCENT),
        }


@dataclass(frozen=True, slots=True)
class _Refused:
    number: str
    amount: str
    reason: str

    @property
    def json(self) -> dict[str, str]:
        return {
            "phoneNumber": self.number,
            "errorMessage": self.reason,
            "amount": self.amount,
            "status": "Failed",
            "requestId": "None",
            "discount": "0",
        }


# Whether the gateway means to send what this form says.
Validated = Callable[[Mapping[str, str]], bool]


def airtime_api(
    inbox: Inbox,
    account: Account,
    *,
    status_delay_s: float,
    octets: Callable[[int], bytes],
    now: Callable[[], datetime],
    validated: Validated = lambda _form: True,
    hold: Callable[[Moment], None] = lambda _moment: None,
) -> Blueprint:
    """The API for one account. The phone has its airtime at once, and the gateway is told after
    `status_delay_s`. `hold` may wait or raise, for a vendor that answers late or never."""
    api = Blueprint("airtime_api", __name__)

    @api.post("/version1/airtime/send")
    def send() -> Response:
        for name in ("username", "recipients"):
            if not request.form.get(name):
                return _plain(400, f"Request is missing required form field '{name}'")
        if not account.is_of(request.form["username"], request.headers.get("apiKey", "")):
            return _plain(401, "The supplied authentication is invalid")
        recipients = _recipients(request.form["recipients"])
        if recipients is None:
            return _plain(400, "Request has a malformed form field 'recipients'")

        hold(Moment.ASKED)
        found = [_top_up(number, amount, octets, validated) for number, amount in recipients]
        sent = [one for one in found if isinstance(one, _TopUp)]
        moment = now()
        due_at = moment + timedelta(seconds=status_delay_s)
        taken = inbox.take(
            [_message(one, moment) for one in sent if not _nobody(one.number)],
            [Callback("airtime", _status(one), due_at) for one in sent],
            Once(_names(sent), moment, moment + repeat_window),
        )
        hold(Moment.TAKEN)
        if not taken:
            return _answer(_DUPLICATE, [], [])
        return _answer("None" if sent else "Invalid Requests", found, sent)

    return api


def validated_by(url: str) -> Validated:
    """Asks the gateway. Only its clear `Failed` stops a top-up: a gateway that does not know
    the URL, or does not answer in time, is taken for one that validates nothing."""

    def validated(form: Mapping[str, str]) -> bool:
        with local_http() as http:
            try:
                answer = http.post(url, data=form, timeout=validation_timeout_s)
                return bool(answer.json() != {"status": "Failed"})
            except requests.RequestException:
                return True

    return validated


def _recipients(text: str) -> list[tuple[str, str]] | None:
    """Number and amount of each; None where it is no such list."""
    try:
        pairs = [(str(one["phoneNumber"]), str(one["amount"])) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return pairs if 0 < len(pairs) <= recipients_max else None


def _top_up(
    number: str, said: str, octets: Callable[[int], bytes], validated: Validated
) -> _TopUp | _Refused:
    if kind_of(number) in (None, PhoneNumberType.FIXED_LINE):
        return _Refused(number, said, "Invalid Phone Number")
    amount = _amount(said)
    if amount is None:
        return _Refused(number, said, "Invalid Amount")
    if not amount_min <= amount <= amount_max:
        return _Refused(number, _written(amount), "Value Outside The Allowed Limits")

    one = _TopUp(number, amount, f"ATQid_{octets(16).hex()}")
    if not validated(_validation(one)):
        return _Refused(number, _written(amount), "Validation Failed")
    return one


def _amount(said: str) -> Money | None:
    match = _AMOUNT.fullmatch(said)
    return parse_typed(match[1], CURRENCY) if match else None


def _validation(one: _TopUp) -> dict[str, str]:
    return {
        "transactionId": one.request_id,
        "phoneNumber": one.number,
        "sourceIpAddress": _SOURCE_ADDRESS,
        "currencyCode": one.amount.currency,
        "amount": one.amount.plain.replace(",", ""),
    }


def _status(one: _TopUp) -> dict[str, str]:
    failed = _nobody(one.number)
    return {
        "requestId": one.request_id,
        "status": "Failed" if failed else "Success",
        "phoneNumber": one.number,
        "description": "Subscriber Not Found" if failed else "Airtime Delivered Successfully",
        "value": _written(one.amount),
        "discount": _written(one.amount, _DISCOUNT_PERCENT),
    }


def _message(one: _TopUp, moment: datetime) -> Message:
    text = f"You received {one.amount} airtime."
    return Message(one.request_id, Msisdn(one.number), SENDER, text, moment)


def _names(sent: Sequence[_TopUp]) -> list[str]:
    """What a repeat is known by."""
    key = request.headers.get("Idempotency-Key")
    named = [f"key {key}"] if key and sent else []
    return named + [f"{one.number} {one.amount}" for one in sent]


def _nobody(number: str) -> bool:
    return number.startswith(NOBODY)


def _written(amount: Money, percent: int = 100) -> str:
    """A part of it, with four decimals, as the vendor writes it."""
    shillings, rest = divmod(amount.minor * percent, 10_000)
    return f"{amount.currency} {shillings}.{rest:04}"


def _answer(
    reason: str, found: Sequence[_TopUp | _Refused], sent: Sequence[_TopUp]
) -> Response:
    total = sum((one.amount for one in sent), Money(0, CURRENCY))
    response = jsonify(
        {
            "errorMessage": reason,
            "numSent": len(sent),
            "totalAmount": _written(total) if sent else "0",
            "totalDiscount": _written(total, _DISCOUNT_PERCENT) if sent else "0",
            "responses": [one.json for one in found],
        }
    )
    response.status_code = 201
    return response


def _plain(status: int, text: str) -> Response:
    return Response(text, status=status, mimetype="text/plain")
