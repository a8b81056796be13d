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
nobody knows whether it went out, and that is what is said.
"""

import threading
from collections.abc import Mapping
from typing import Any

import requests
from africastalking.SMS import SMSService

from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState

# Connecting, then reading. The vendor may take its time; a lease of the outbox is longer.
TIMEOUT_S = (3.05, 9.05)

_TAKEN = frozenset({100, 101, 102})
# The account or the vendor is in trouble, not this message: it goes out when that is mended.
_LATER = frozenset({405, 500, 501})
_FINAL = frozenset({"Success", "Rejected", "Failed"})


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
        self._timeout_s = timeout_s

    def send(self, sms: Sms) -> SmsResult:
        try:
            answer = self._service.send(sms.text, [sms.to], timeout=self._timeout_s)
        except (requests.ConnectTimeout, requests.exceptions.SSLError, _NotReached) as error:
            raise DoorError(f"no connection: {type(error).__name__}") from None
        except requests.RequestException as error:
            return SmsResult(SmsState.UNKNOWN, None, type(error).__name__)
        return _result(answer)


def parse_report(form: Mapping[str, str]) -> DeliveryReport | None:
    """A delivery report's form; None where id or status is missing."""
    provider_id, status = form.get("id", ""), form.get("status", "")
    if not provider_id or not status:
        return None
    return DeliveryReport(
        provider_id=provider_id,
        status=status,
        final=status in _FINAL,
        delivered=status == "Success",
        reason=form.get("failureReason", ""),
    )


class _NotReached(Exception):
    """The connection was refused: nothing was sent."""


class _Service(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK with our base URL, a kept connection, and the HTTP status not lost."""

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
    ) -> requests.Response:
        if not hasattr(self._threads, "http"):
            self._threads.http = requests.Session()
        http: requests.Session = self._threads.http
        try:
            return http.request(
                method, url, headers=headers, data=data, params=params, timeout=timeout
            )
        except requests.ConnectionError as error:
            # requests tells a refused connection and one cut after sending by the same name.
            if "NewConnectionError" in repr(error):
                raise _NotReached from None
            raise


def _result(answer: requests.Response) -> SmsResult:
    """What the vendor said, strictly: only a recipient with a good code counts as taken."""
    if answer.status_code in (401, 403, 408, 429) or 502 <= answer.status_code <= 504:
        raise DoorError(f"HTTP {answer.status_code}")
    if not answer.ok:
        return SmsResult(SmsState.UNKNOWN, None, f"HTTP {answer.status_code}")
    try:
        content = answer.json()["SMSMessageData"]
        recipients, reason = content["Recipients"], str(content["Message"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        return SmsResult(SmsState.UNKNOWN, None, "an answer that cannot be read")
    if not recipients:
        raise DoorError(f"nobody was sent to: {reason}")

    code, status = recipients[0].get("statusCode"), str(recipients[0].get("status"))
    if code in _LATER:
        raise DoorError(f"{code} {status}")
    if code not in _TAKEN:
        return SmsResult(SmsState.REFUSED, None, f"{code} {status}")
    return SmsResult(
        SmsState.ACCEPTED,
        str(recipients[0]["messageId"]),
        status,
        str(recipients[0].get("cost") or "") or None,
    )
