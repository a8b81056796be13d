"""Africa's Talking SMS, through the vendor's own SDK.

Sends POST {base}/version1/messaging: form username, to, message, from, bulkSMSMode, enqueue;
header apiKey. Takes 201 with SMSMessageData{Message, Recipients[{statusCode, number, status,
cost "KES 0.8000", messageId}]}; an error of the account gives empty Recipients and its reason
in Message. statusCode 100 Processed, 101 Sent, 102 Queued; 401 RiskHold, 402 InvalidSenderId,
403 InvalidPhoneNumber, 404 UnsupportedNumberType, 405 InsufficientBalance, 406 UserInBlacklist,
407 CouldNotRoute, 500 InternalServerError, 501 GatewayError, 502 RejectedByGateway. Reports:
POST form id, status (Sent, Submitted, Buffered; final Success, Rejected, Failed), phoneNumber,
networkCode, failureReason, retryCount. (developers.africastalking.com/docs/sms and the SDK's
source, africastalking 2.0.3; read 2026-11-20)

There is no idempotency key and no way to ask what became of a message: where no answer came,
nobody knows whether it went out, and that is what is said. So it is of a 502 or a 504, with
which a proxy tells that it got no answer itself.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import requests
from africastalking.SMS import SMSService
from urllib3.exceptions import HTTPError

from ussd_gateway import asking
from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.plan import AFRICAS_TALKING
from ussd_gateway.sms.provider import NotCarried, Throttled, checked_cost, shown

# Connecting, then the whole answer. The vendor may take its time.
TIMEOUT_S = (3.05, 9.05)
# A connection that was idle for longer may be dead, and what is sent on it an unknown.
idle_s_max = 15.0
answer_octets_max = 64 * 1024
id_characters_max = 64
throttled_s = 1.0
throttled_s_max = 30.0

_TAKEN = frozenset({100, 101, 102})
# The account or the vendor is in trouble, not this message: it goes out when that is mended.
_LATER = frozenset({405, 500, 501})
# Not to this number, or not by our sender there: others are sent.
_NOT_CARRIED = frozenset({402, 407})
# The same, where it stands in the place of recipients.
_NO_SUCH_SENDER = "InvalidSenderId"
# This message, or this number, for good.
_NEVER = frozenset({401, 403, 404, 406, 502})
# The vendor, or what stands before it, looked at the request and took none of it. Of a 503 that
# is all but sure: most proxies say it of what they passed on to nobody.
_TOOK_NOTHING = frozenset({*range(300, 500), 501, 503})
_FINAL = frozenset({"Success", "Rejected", "Failed"})
_NO_ID = frozenset({"", "None"})

# Why a message was not taken, for the person who looks after it.
_CODES = {
    401: "the vendor holds it back as a risk",
    402: "our sender is not registered for this number",
    403: "nobody can have this number",
    404: "a number of this kind gets no SMS",
    405: "our account has no money left",
    406: "the person, or the network for them, has barred our messages",
    407: "the vendor has no way to this number",
    500: "the vendor is in trouble",
    501: "the network is in trouble",
    502: "the network has rejected it",
}
_REASONS = {
    "InsufficientCredit": "the person has no airtime for a message that they pay for",
    "InvalidLinkId": "it answers a message that the network does not know",
    "UserIsInactive": "the number is not in use, or its phone was away for too long",
    "UserInBlackList": "the person, or the network for them, has barred our messages",
    "UserAccountSuspended": "the network has suspended the number",
    "NotNetworkSubscriber": "the number is of another network",
    "UserNotSubscribedToProduct": "the person has not subscribed to this service",
    "UserDoesNotExist": "nobody has this number",
    "DeliveryFailure": "the network could not deliver it, and does not say why",
}


class AfricasTalkingSms:
    """`ports.SmsSender` on the vendor's SDK. One HTTP connection for each sending thread."""

    def __init__(
        self,
        *,
        username: str,
        api_key: str,
        base_url: str,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self._service = _Service(username, api_key, base_url)
        self._timeouts_s = timeout_s
        self.timeout_s = sum(timeout_s)

    def send(self, sms: Sms) -> SmsResult:
        try:
            answer: _Answer = self._service.send(
                sms.text, [sms.to], sms.sender, timeout=self._timeouts_s
            )
        except (requests.RequestException, HTTPError) as error:
            name = type(error).__name__
            if asking.never_left(error):
                raise DoorError(f"no connection: {name}") from None
            return _unknown(name)
        return _result(answer, sms.to)


def parse_report(form: Mapping[str, str]) -> DeliveryReport | None:
    """A delivery report's form; None where id or status is missing or malformed. A status that
    is not known is not the last word."""
    provider_id, status = form.get("id", ""), form.get("status", "")
    if not _is_id(provider_id) or not status:
        return None
    return DeliveryReport(
        provider=AFRICAS_TALKING,
        provider_id=provider_id,
        msisdn=_msisdn(form.get("phoneNumber", "")),
        status=shown(status),
        final=status in _FINAL,
        delivered=status == "Success",
        reason=_reason(status, form.get("failureReason", "")),
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str


class _Recipient(msgspec.Struct, rename="camel"):
    status_code: int
    number: str
    status: str = ""
    cost: object = None
    message_id: object = None


class _Content(msgspec.Struct, rename="pascal"):
    recipients: list[_Recipient]
    message: str = ""


class _Said(msgspec.Struct):
    content: _Content = msgspec.field(name="SMSMessageData")


class _Service(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK with our base URL, a kept connection, the HTTP status not lost, and an end to its
    patience."""

    def __init__(self, username: str, api_key: str, base_url: str) -> None:
        # Before the SDK's own constructor, which asks for it.
        self._our_base_url = base_url
        self._threads = threading.local()
        super().__init__(username, api_key)

    def _init_service(self) -> None:
        super()._init_service()
        self._baseUrl = f"{self._our_base_url}/version1"

    # The SDK's own signature: it calls this by name.
    def _make_request(  # noqa: PLR0917
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        data: Mapping[str, Any],
        params: Mapping[str, str] | None,
        callback: None = None,  # noqa: ARG002
        timeout: tuple[float, float] = TIMEOUT_S,
    ) -> _Answer:
        until = time.monotonic() + sum(timeout)
        with self._http().request(
            method,
            url,
            headers={**headers, "Accept-Encoding": "identity"},
            data=data,
            params=params,
            timeout=timeout,
            # A redirect that is followed asks a second time.
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = asking.whole(answer, octets_max=answer_octets_max, until=until)
        self._threads.used_at = time.monotonic()
        return _Answer(answer.status_code, body, answer.headers.get("Retry-After", ""))

    def _http(self) -> requests.Session:
        """This thread's own, while it is fresh."""
        kept: requests.Session | None = getattr(self._threads, "http", None)
        if kept is not None and time.monotonic() - self._threads.used_at < idle_s_max:
            return kept
        if kept is not None:
            kept.close()
        fresh = requests.Session()
        self._threads.http, self._threads.used_at = fresh, time.monotonic()
        return fresh


def _result(answer: _Answer, to: Msisdn) -> SmsResult:
    """What the vendor said, strictly: only a recipient with a good code counts as taken, and
    only a code that is known says that nothing was."""
    if answer.status == requests.codes.too_many_requests:
        raise Throttled("HTTP 429", after_s=_after_s(answer.retry_after))
    if answer.status in _TOOK_NOTHING:
        raise DoorError(f"HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        return _unknown(f"HTTP {answer.status}")
    try:
        content = msgspec.json.decode(answer.body, type=_Said).content
    except (ValueError, RecursionError):
        return _unknown("an answer that cannot be read")

    match content.recipients:
        case []:
            why = f"nobody was sent to: {shown(content.message)}"
            raise NotCarried(why) if content.message == _NO_SUCH_SENDER else DoorError(why)
        case [one] if one.number == to:
            return _of(one)
        case _:
            return _unknown("an answer about other numbers")


def _of(one: _Recipient) -> SmsResult:
    said = f"{one.status_code} {one.status}"
    words = _CODES.get(one.status_code)
    detail = shown(f"{words} ({said})" if words else said)
    if one.status_code in _LATER:
        raise DoorError(detail)
    if one.status_code in _NOT_CARRIED:
        raise NotCarried(detail)
    if one.status_code in _NEVER:
        return SmsResult(SmsState.REFUSED, AFRICAS_TALKING, None, detail)
    if one.status_code not in _TAKEN:
        return _unknown(detail)
    # Without an id no report will be known as its own; it is taken all the same.
    given = one.message_id
    provider_id = given if isinstance(given, str) and _is_id(given) else None
    cost = checked_cost(one.cost)
    return SmsResult(SmsState.ACCEPTED, AFRICAS_TALKING, provider_id, detail, cost)


def _unknown(detail: str) -> SmsResult:
    return SmsResult(SmsState.UNKNOWN, AFRICAS_TALKING, None, detail)


def _after_s(retry_after: str) -> float:
    """It may be a date too; then, as where it is not given, a second is a start."""
    plain = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6
    return min(float(retry_after), throttled_s_max) if plain else throttled_s


def _is_id(text: str) -> bool:
    return len(text) <= id_characters_max and text not in _NO_ID and text.isprintable()


def _reason(status: str, failure: str) -> str:
    if status == "Success":
        return ""
    known = _REASONS.get(failure)
    if known is None and failure:
        return shown(f"the network says: {failure}")
    if known is None and status == "Rejected":
        return "the network did not take it, and does not say why"
    return known or ""


def _msisdn(text: str) -> Msisdn | None:
    # A client that does not encode its form turns the plus into a space.
    number = f"+{text.strip().removeprefix('+')}"
    return Msisdn(number) if is_e164(number) else None
