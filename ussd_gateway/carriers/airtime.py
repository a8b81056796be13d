"""Airtime through Africa's Talking, on the vendor's own SDK.

Sends POST {base}/version1/airtime/send: form username, recipients (JSON: [{phoneNumber, amount
"KES 50"}]); headers apiKey, Idempotency-Key. Takes 201 with errorMessage, numSent, totalAmount,
totalDiscount, responses[{phoneNumber, errorMessage, amount "KES 50.0000", status, requestId
"ATQid_...", discount}]. What is refused whole has numSent 0, no responses, and its reason in
errorMessage ("Airtime is not enabled for this account"); what is refused for one number has
numSent 0, status Failed and requestId "None" ("Value Outside The Allowed Limits"). "A duplicate
request was received within the last 5 minutes" comes in the first of these forms, and says
nothing of what became of the request before it.
Status callback: requestId, status (Success | Failed), phoneNumber, description, value,
discount. Validation callback: transactionId, phoneNumber, sourceIpAddress, currencyCode,
amount; answered with {"status": "Validated" | "Failed"}.
(docs.africastalking.com/airtime/sending and /statuscallback, the SDK's source, africastalking
2.0.3, answers and callbacks quoted in public code; read 2026-11-21. Unconfirmed: whether
callbacks are forms or JSON; whether a new Idempotency-Key lets the same number and amount
through inside the 5 minutes.)

maxNumRetry is never sent: a retry by the vendor, after a failure on which the money went back,
would give airtime that nobody pays for.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import requests
from africastalking.Airtime import AirtimeService
from urllib3.exceptions import HTTPError

from ussd_gateway import asking
from ussd_gateway.domain.book import Purchase
from ussd_gateway.domain.money import EXPONENTS, Money
from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import Standing, StatusReport, Supplied

answer_octets_max = 64 * 1024
detail_characters_max = 200

# Of the time for an answer, the part in which the connection must stand.
_CONNECT_SHARE = 0.3
# The vendor looked at the request and took none of it: malformed, not ours, too many.
_TOOK_NOTHING = frozenset({400, 401, 403, 429})
_ID = re.compile(r"(?!None$)[A-Za-z0-9_.:-]{1,64}")
_NO_ERROR = frozenset({"", "None"})
_STATUSES = {"Success": Standing.DONE, "Failed": Standing.REFUSED}
_AMOUNT = re.compile(r"([A-Z]{3}) ([0-9]{1,12})(?:\.([0-9]{1,8}))?")


@dataclass(frozen=True, slots=True)
class Validation:
    """The vendor asks whether we mean to send this."""

    msisdn: Msisdn
    amount: Money


class AfricasTalkingAirtime:
    """`ports.Carrier` for airtime."""

    def __init__(
        self,
        *,
        username: str,
        api_key: str,
        base_url: str,
        http: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        self._username = username
        self._api_key = api_key
        self._base_url = base_url
        self._http = http

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:
        """A connection that was refused is REFUSED: nothing left this machine, nobody asks for
        this purchase again, and the person can at once. "Sent" is PENDING: the last word comes
        by the status callback."""
        assert purchase.kind == "airtime", "airtime only"
        assert purchase.amount.minor > 0, "an amount to send"
        # Made anew for each purchase: the SDK's headers keep an Idempotency-Key for the next
        # call, and another thread's call would go out under it.
        service = _Service(self._username, self._api_key, self._base_url, self._http)
        recipient = {
            "phoneNumber": purchase.msisdn,
            "amount": _plain(purchase.amount),
            "currency_code": purchase.amount.currency,
        }
        try:
            answer: _Answer = service.send(
                recipients=[recipient], idempotency_key=purchase.key, timeout=within_s
            )
        except (requests.RequestException, HTTPError) as error:
            name = type(error).__name__
            if asking.never_left(error):
                return _refused(f"no connection: {name}")
            return _unknown(name)
        return _supplied(answer, purchase)

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:  # noqa: ARG002
        """Always UNKNOWN: the vendor finds a request by its own requestId only, and where there
        was no answer there is none. The status callback is what tells."""
        return _unknown("the vendor cannot be asked by our key")


def parse_status(form: Mapping[str, str]) -> StatusReport | None:
    """A status callback; None where requestId, status or phoneNumber is missing or malformed.
    A status that is not known is not the last word."""
    request_id, status = form.get("requestId", ""), form.get("status", "")
    msisdn = _msisdn(form)
    if not _ID.fullmatch(request_id) or not status or msisdn is None:
        return None
    return StatusReport(
        supplier_id=request_id,
        standing=_STATUSES.get(status, Standing.PENDING),
        msisdn=msisdn,
        amount=_money(form.get("value", "")),
        detail=_detail(f"{status} {form.get('description', '')}"),
    )


def parse_validation(form: Mapping[str, str]) -> Validation | None:
    """None where phoneNumber, currencyCode or amount is missing or malformed."""
    msisdn = _msisdn(form)
    amount = _money(f"{form.get('currencyCode', '')} {form.get('amount', '')}")
    if msisdn is None or amount is None:
        return None
    return Validation(msisdn, amount)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class _Response(msgspec.Struct, rename="camel"):
    phone_number: str
    amount: str
    status: str
    request_id: str | None = None
    error_message: str = ""


class _Said(msgspec.Struct, rename="camel"):
    num_sent: int
    responses: list[_Response]
    error_message: str = ""


class _Service(AirtimeService):  # type: ignore[misc]  # the SDK has no types
    """The SDK with our base URL, the HTTP status not lost, and an end to its patience.

    One connection for each purchase: a kept one that a firewall dropped meanwhile would make
    an unknown of a purchase that never left, and that costs a person more than a handshake.
    """

    def __init__(
        self,
        username: str,
        api_key: str,
        base_url: str,
        http: Callable[[], requests.Session],
    ) -> None:
        # Before the SDK's own constructor, which asks for it.
        self._our_base_url = base_url
        self._http = http
        super().__init__(username, api_key)

    def _init_service(self) -> None:
        self._baseUrl = f"{self._our_base_url}/version1/airtime"

    # The SDK's own signature: it calls this by name.
    def _make_request(  # noqa: PLR0917
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        data: Mapping[str, Any],
        params: Mapping[str, str] | None,
        callback: None = None,  # noqa: ARG002
        timeout: float = 10.0,
    ) -> _Answer:
        until = time.monotonic() + timeout
        connect_s = timeout * _CONNECT_SHARE
        with (
            self._http() as http,
            http.request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                data=data,
                params=params,
                timeout=(connect_s, timeout - connect_s),
                # A redirect that is followed asks a second time.
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            body = asking.whole(answer, octets_max=answer_octets_max, until=until)
            return _Answer(answer.status_code, body)


def _supplied(answer: _Answer, purchase: Purchase) -> Supplied:
    """What the vendor said, strictly: what is not clearly taken or clearly refused is
    unknown."""
    if answer.status in _TOOK_NOTHING:
        return _refused(f"HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        return _unknown(f"HTTP {answer.status}")
    try:
        said = msgspec.json.decode(answer.body, type=_Said)
    except (ValueError, RecursionError):
        return _unknown("an answer that cannot be read")

    match said.responses:
        case []:
            return _without_recipient(said)
        case [one]:
            return _of(one, said, purchase)
        case _:
            return _unknown("an answer about several numbers")


def _without_recipient(said: _Said) -> Supplied:
    reason = said.error_message
    if said.num_sent != 0 or reason in _NO_ERROR or _is_duplicate(reason):
        return _unknown(reason)
    return _refused(reason)


def _of(one: _Response, said: _Said, purchase: Purchase) -> Supplied:
    if one.phone_number != purchase.msisdn or _money(one.amount) != purchase.amount:
        return _unknown("an answer about another number or amount")

    given = one.request_id or "None"
    request_id = given if _ID.fullmatch(given) else None
    reason = one.error_message if one.error_message not in _NO_ERROR else ""
    detail = f"{one.status} {reason}"
    if one.status == "Sent" and request_id is not None:
        return Supplied(Standing.PENDING, request_id, _detail(detail))
    refused = one.status == "Failed" and given == "None" and said.num_sent == 0
    if refused and not _is_duplicate(f"{one.error_message} {said.error_message}"):
        return _refused(detail)
    return _unknown(detail, request_id)


def _is_duplicate(reason: str) -> bool:
    """It was asked before, and nobody says here what came of that."""
    return "duplicate" in reason.lower()


def _refused(detail: str) -> Supplied:
    return Supplied(Standing.REFUSED, None, _detail(detail))


def _unknown(detail: str, supplier_id: str | None = None) -> Supplied:
    return Supplied(Standing.UNKNOWN, supplier_id, _detail(detail))


def _detail(text: str) -> str:
    """The vendor's words, as far as a database and a log line take them."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown.strip()[:detail_characters_max]


def _plain(amount: Money) -> str:
    """`50`, or `50.50` where there are cents."""
    exponent = EXPONENTS[amount.currency]
    whole, rest = divmod(amount.minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}" if rest else str(whole)


def _money(text: str) -> Money | None:
    """`KES 50.0000` as the vendor writes it; None where it is no amount that we could have
    asked for."""
    match = _AMOUNT.fullmatch(text)
    if match is None or match[1] not in EXPONENTS:
        return None
    exponent = EXPONENTS[match[1]]
    decimals = (match[3] or "").ljust(exponent, "0")
    if decimals[exponent:].strip("0"):
        return None
    return Money(int(match[2]) * 10**exponent + int(decimals[:exponent] or "0"), match[1])


def _msisdn(form: Mapping[str, str]) -> Msisdn | None:
    number = form.get("phoneNumber", "").strip()
    # A client that does not encode its form turns the plus into a space.
    number = number if number.startswith("+") else f"+{number}"
    return Msisdn(number) if is_e164(number) else None
