"""Charges to the phone bill: CAMARA carrier-billing v0.5, the one-step payment.

Sent    POST {base}/carrier-billing/v0.5/payments; headers Authorization: Bearer, x-correlator
        ([a-zA-Z0-9-], 55 at most); JSON amountTransaction{phoneNumber, clientCorrelator,
        referenceCode, paymentAmount{chargingInformation{amount, currency, description,
        isTaxIncluded}, chargingMetaData{merchantName, merchantIdentifier, channel, productId}}}
        GET {base}/carrier-billing/v0.5/payments?paymentCreationDate.gte, order, page, perPage
Taken   201 {paymentId, paymentStatus, paymentCreationDate, amountTransaction as it was sent};
        200 a list of these, header X-Total-Count: how many match in all.
        paymentStatus processing, succeeded, denied, cancelled; pending_validation and reserved
        belong to two-step payments.
Errors  {status, code, message}, and no payment was made: 400 INVALID_ARGUMENT (a duplicate
        clientCorrelator too); 401; 403 PERMISSION_DENIED, CARRIER_BILLING.PAYMENT_DENIED; 404
        IDENTIFIER_NOT_FOUND; 409 ALREADY_EXISTS; 422 SERVICE_NOT_APPLICABLE,
        CARRIER_BILLING.UNAUTHORIZED_AMOUNT, .USER_AMOUNT_THRESHOLD_OVERPASSED; 429.
        (camaraproject.org, CarrierBillingCheckOut: carrier-billing.yaml; November 2026)

Holes that are bridged here:
- The clientCorrelator is the purchase's key. The referenceCode is `pay-` and the first 32
  hexadecimal digits of the key's SHA-256: anybody who has the key can tell it.
- A duplicate correlator may be replayed, or refused with 400 or 409. Neither tells what became
  of the first, so neither is a refusal.
- Nothing finds a payment by its correlator: `find` reads the list from the moment of the
  purchase on. A payment counts as absent only where X-Total-Count says that the whole list was
  read. A charge that the carrier still works on may not be listed yet, so whoever acts on
  ABSENT waits first.
- An amount is a JSON number: written from whole minor units, read as a Decimal, never a float.

A connection that was refused sent nothing, and a purchase is asked for once, so that is a
refusal and no guess. After the first octet every silence is UNKNOWN.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from ussd_gateway import asking
from ussd_gateway.domain.book import Purchase
from ussd_gateway.domain.money import EXPONENTS, Money
from ussd_gateway.ports import Standing, Supplied

CHANNEL = "USSD"

connect_timeout_max_s = 3.05
answer_octets_max = 1024 * 1024
page_size = 100
pages_max = 10
# How far the carrier's clock may be behind ours.
clock_skew_max = timedelta(minutes=10)

_STANDINGS = {
    "succeeded": Standing.DONE,
    "processing": Standing.PENDING,
    "denied": Standing.REFUSED,
    "cancelled": Standing.REFUSED,
}
# What says that this payment was not made and never will be. All else is UNKNOWN.
_REFUSALS = frozenset(
    {
        (403, "CARRIER_BILLING.PAYMENT_DENIED"),
        (404, "IDENTIFIER_NOT_FOUND"),
        (422, "SERVICE_NOT_APPLICABLE"),
        (422, "MISSING_IDENTIFIER"),
        (422, "UNNECESSARY_IDENTIFIER"),
        (422, "CARRIER_BILLING.UNAUTHORIZED_AMOUNT"),
        (422, "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED"),
    }
)
_CODE = re.compile(r"[A-Z_.]{1,64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_json = msgspec.json.Encoder(decimal_format="number")
_T = TypeVar("_T")


class CamaraBilling:
    """`ports.Carrier` for content. One HTTP connection for each thread that asks."""

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        merchant_name: Callable[[str], str | None],
        sessions: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        """`merchant_name` by public reference; where there is none, it is sent without."""
        self._url = f"{base_url}/carrier-billing/v0.5/payments"
        self._bearer = _Bearer(token)
        self._merchant_name = merchant_name
        self._sessions = sessions
        self._threads = threading.local()

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:
        assert purchase.kind == "content", "only content goes on a phone bill"
        assert purchase.amount.minor > 0, "a charge is of some money"
        exchange = _Exchange(purchase, time.monotonic() + within_s)
        try:
            heard = self._send(exchange, "POST", body=_json.encode(self._body(purchase)))
        except _NotSent as trouble:
            return Supplied(Standing.REFUSED, None, str(trouble))
        except _NoAnswer as trouble:
            return _unknown(str(trouble))

        # A carrier that replays a duplicate may do so with 200.
        if heard.status not in (200, 201):
            return _error(heard)
        payment = _decoded(heard.body, _Payment)
        if payment is None:
            return _unknown(f"{heard.status} without a payment")
        return _standing(purchase, payment)

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:
        exchange = _Exchange(purchase, time.monotonic() + within_s)
        seen: set[str] = set()
        for page in range(1, pages_max + 1):
            try:
                heard = self._send(exchange, "GET", query=_query(purchase, page))
            except (_NotSent, _NoAnswer) as trouble:
                return _unknown(str(trouble))
            if heard.status != 200:
                return _unknown(_said(heard))
            payments = _decoded(heard.body, list[_Payment])
            if payments is None:
                return _unknown("a list that cannot be read")

            ours = [payment for payment in payments if _is_named(purchase, payment)]
            if ours:
                return _one(purchase, ours)
            before = len(seen)
            seen |= {payment.payment_id for payment in payments}
            if heard.total is None:
                return _unknown("a list that does not say how long it is")
            if len(seen) >= heard.total:
                return Supplied(Standing.ABSENT, None, f"not among {heard.total} payments")
            if len(seen) == before:
                return _unknown("a list that is shorter than it says")
        return _unknown(f"a list of more than {pages_max} pages")

    def _body(self, purchase: Purchase) -> object:
        about = {
            "merchantIdentifier": purchase.merchant,
            "channel": CHANNEL,
            "productId": purchase.item,
        }
        if name := self._merchant_name(purchase.merchant):
            about["merchantName"] = name
        return {
            "amountTransaction": {
                "phoneNumber": purchase.msisdn,
                "clientCorrelator": purchase.key,
                "referenceCode": reference(purchase.key),
                "paymentAmount": {
                    "chargingInformation": {
                        "amount": _number(purchase.amount),
                        "currency": purchase.amount.currency,
                        "description": purchase.item,
                        "isTaxIncluded": True,
                    },
                    "chargingMetaData": about,
                },
            }
        }

    def _send(
        self,
        exchange: "_Exchange",
        method: str,
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> "_Heard":
        """Raises _NotSent and _NoAnswer."""
        left_s = exchange.left_s()
        # Once connected, all that is left may be waited for; requests passes this on as it is.
        timeout: Any = Timeout(connect=min(connect_timeout_max_s, left_s), total=left_s)
        try:
            with self._http().request(
                method,
                self._url,
                params=query,
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                    "x-correlator": exchange.correlator,
                },
                auth=self._bearer,
                timeout=timeout,
                # A redirect would charge at an address that nobody chose.
                allow_redirects=False,
                stream=True,
            ) as response:
                total = response.headers.get("X-Total-Count", "")
                return _Heard(
                    response.status_code,
                    asking.whole(response, octets_max=answer_octets_max, until=exchange.ends_s),
                    int(total) if re.fullmatch(r"[0-9]{1,9}", total) else None,
                )
        except requests.RequestException as error:
            raise _trouble(error) from None
        except HTTPError as error:  # while the body is read
            raise _NoAnswer(type(error).__name__) from None

    def _http(self) -> requests.Session:
        if not hasattr(self._threads, "http"):
            self._threads.http = self._sessions()
        http: requests.Session = self._threads.http
        return http


def reference(key: str) -> str:
    """The referenceCode of the purchase with this key, and its x-correlator."""
    return f"pay-{sha256(key.encode()).hexdigest()[:32]}"


class _NotSent(Exception):
    """No connection came about: the carrier has seen nothing."""


class _NoAnswer(Exception):
    """It was sent, perhaps, and there is no answer that can be used."""


class _Bearer(AuthBase):
    """The token, kept out of every repr. As `auth` no ~/.netrc comes in its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Exchange:
    """What is said of one purchase, and until when."""

    def __init__(self, purchase: Purchase, ends_s: float) -> None:
        self.correlator = reference(purchase.key)
        self.ends_s = ends_s

    def left_s(self) -> float:
        """Raises _NoAnswer where no time is left."""
        left_s = self.ends_s - time.monotonic()
        if left_s <= 0:
            raise _NoAnswer("no answer in time")
        return left_s


@dataclass(frozen=True, slots=True)
class _Heard:
    status: int
    body: bytes
    total: int | None  # None where the carrier does not say


class _Charging(msgspec.Struct, frozen=True):
    amount: Decimal
    currency: str


class _Amount(msgspec.Struct, frozen=True, rename="camel"):
    charging_information: _Charging


class _Transaction(msgspec.Struct, frozen=True, rename="camel"):
    phone_number: str
    reference_code: str
    payment_amount: _Amount
    client_correlator: str | None = None


class _Payment(msgspec.Struct, frozen=True, rename="camel"):
    payment_id: str
    payment_status: str
    amount_transaction: _Transaction


class _Error(msgspec.Struct, frozen=True):
    code: str


def _number(amount: Money) -> Decimal:
    """`20.00` for 2,000 minor units of KES."""
    return Decimal(amount.minor).scaleb(-EXPONENTS[amount.currency])


def _query(purchase: Purchase, page: int) -> Mapping[str, str]:
    """The oldest first: what is added while pages are read comes after them."""
    asked_at = _EPOCH + timedelta(milliseconds=purchase.asked_at_ms)
    return {
        "paymentCreationDate.gte": (asked_at - clock_skew_max).isoformat(
            timespec="milliseconds"
        ),
        "order": "asc",
        "page": str(page),
        "perPage": str(page_size),
    }


def _trouble(error: requests.RequestException) -> _NotSent | _NoAnswer:
    if asking.never_left(error):
        return _NotSent(f"no connection: {type(error).__name__}")
    if isinstance(error, asking.Endless):
        return _NoAnswer("an answer without an end")
    return _NoAnswer(type(error).__name__)


def _decoded(body: bytes, shape: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_named(purchase: Purchase, payment: _Payment) -> bool:
    """By either of its names; `_standing` wants both."""
    told = payment.amount_transaction
    return told.client_correlator == purchase.key or told.reference_code == reference(
        purchase.key
    )


def _one(purchase: Purchase, payments: list[_Payment]) -> Supplied:
    if len({payment.payment_id for payment in payments}) > 1:
        return _unknown("several payments under one correlator")
    return _standing(purchase, payments[0])


def _standing(purchase: Purchase, payment: _Payment) -> Supplied:
    """What a payment says, where it is the one that was asked for."""
    told = payment.amount_transaction
    charged = told.payment_amount.charging_information
    claims = (
        ("clientCorrelator", told.client_correlator == purchase.key),
        ("referenceCode", told.reference_code == reference(purchase.key)),
        ("phoneNumber", told.phone_number == purchase.msisdn),
        ("amount", charged.amount.is_finite() and charged.amount == _number(purchase.amount)),
        ("currency", charged.currency == purchase.amount.currency),
        ("paymentId", bool(payment.payment_id)),
    )
    wrong = [name for name, holds in claims if not holds]
    if wrong:
        return Supplied(
            Standing.UNKNOWN, payment.payment_id or None, f"another {', '.join(wrong)}"
        )
    standing = _STANDINGS.get(payment.payment_status)
    if standing is None:
        return Supplied(Standing.UNKNOWN, payment.payment_id, "a status of no one-step payment")
    return Supplied(standing, payment.payment_id, payment.payment_status)


def _error(heard: _Heard) -> Supplied:
    if (heard.status, _code(heard)) in _REFUSALS:
        return Supplied(Standing.REFUSED, None, _said(heard))
    return _unknown(_said(heard))


def _said(heard: _Heard) -> str:
    return f"{heard.status} {_code(heard) or 'without a code'}"


def _code(heard: _Heard) -> str | None:
    error = _decoded(heard.body, _Error)
    return error.code if error and _CODE.fullmatch(error.code) else None


def _unknown(detail: str) -> Supplied:
    return Supplied(Standing.UNKNOWN, None, detail)
