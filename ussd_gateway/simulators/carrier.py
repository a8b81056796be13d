"""A mobile carrier that charges phone bills: CAMARA carrier-billing v0.5, one-step payments.

What it takes and gives (camaraproject.org, CarrierBillingCheckOut: carrier-billing.yaml; as of
2026-11), under /carrier, always with `Authorization: Bearer <token>`:
  POST /carrier-billing/v0.5/payments       amountTransaction -> 201, the payment, succeeded
  GET  /carrier-billing/v0.5/payments       paymentCreationDate.gte, .lte, order (desc, asc),
                                            page (from 1), perPage -> 200, a list, X-Total-Count
  GET  /carrier-billing/v0.5/payments/<id>  -> 200, the payment
  errors {status, code, message}            400 INVALID_ARGUMENT, 401 UNAUTHENTICATED, 403
                                            CARRIER_BILLING.PAYMENT_DENIED, 404
                                            IDENTIFIER_NOT_FOUND and NOT_FOUND, 409
                                            ALREADY_EXISTS (the clientCorrelator was there
                                            before), 422 MISSING_IDENTIFIER
Every number has a line here, but for the test range +2547000000, which belongs to nobody.

And what no carrier has, its mood, for people and tests:
  GET  /mood   {"mood": "answers"}
  POST /mood   {"mood": "answers" | "refuses" | "silent" | "silent after charging"}
A silent carrier holds the answer to a charge back for longer than anybody waits; it answers
questions about payments in every mood. The mood is forgotten when the program ends; the
charges are kept in a file.
"""

import hmac
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
from flask import Blueprint, Response, abort, jsonify, request
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.simulators.sms_api import NOBODY

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    415: "UNSUPPORTED_MEDIA_TYPE",
}

held_back_s = 20
page_size, page_size_max = 10, 100
amount_max = 1_000_000_000

_CORRELATOR = re.compile(r"[a-zA-Z0-9-]{0,55}")
_WHOLE = re.compile(r"[1-9][0-9]{0,5}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY,
    payment_id TEXT NOT NULL UNIQUE,
    correlator TEXT UNIQUE,
    created_at TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_created_at ON payment (created_at, id);
"""
_json = msgspec.json.Encoder(decimal_format="number")


class Mood(Enum):
    ANSWERS = "answers"
    REFUSES = "refuses"
    SILENT = "silent"
    SILENT_AFTER_CHARGING = "silent after charging"


# Texts that are not empty, as the schema of the API has them.
_Text = Annotated[str, Meta(min_length=1, max_length=256)]
_Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{4,14}$")]


class _Charging(msgspec.Struct, rename="camel", omit_defaults=True):
    amount: Decimal
    currency: str
    description: _Text
    is_tax_included: bool = False
    tax_amount: Decimal | None = None


class _About(msgspec.Struct, rename="camel", omit_defaults=True):
    merchant_name: _Text | None = None
    merchant_identifier: _Text | None = None
    purchase_category_code: _Text | None = None
    channel: _Text | None = None
    service_id: _Text | None = None
    product_id: _Text | None = None


class _Amount(msgspec.Struct, rename="camel", omit_defaults=True):
    charging_information: _Charging
    charging_meta_data: _About | None = None


class _Transaction(msgspec.Struct, rename="camel", omit_defaults=True):
    payment_amount: _Amount
    reference_code: _Text
    phone_number: _Number | None = None
    client_correlator: _Text | None = None


class _Asked(msgspec.Struct, rename="camel"):
    amount_transaction: _Transaction


class _Payment(msgspec.Struct, rename="camel"):
    payment_id: str
    payment_status: str
    payment_creation_date: str
    payment_date: str
    amount_transaction: _Transaction


class Charges:
    """The payments that were made, in one small SQLite file that outlives the program."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with closing(self._open()) as db:
            db.executescript(_SCHEMA)

    def keep(self, payment: _Payment) -> bool:
        """False where its clientCorrelator was there before."""
        with closing(self._open()) as db:
            try:
                db.execute(
                    "INSERT INTO payment (payment_id, correlator, created_at, body)"
                    " VALUES (?, ?, ?, ?)",
                    (
                        payment.payment_id,
                        payment.amount_transaction.client_correlator,
                        payment.payment_creation_date,
                        _json.encode(payment),
                    ),
                )
            except sqlite3.IntegrityError:
                return False
        return True

    def has(self, correlator: str) -> bool:
        return bool(self._rows("SELECT 1 FROM payment WHERE correlator = ?", correlator))

    def one(self, payment_id: str) -> bytes | None:
        """As JSON, like all that is read from here."""
        rows = self._rows("SELECT body FROM payment WHERE payment_id = ?", payment_id)
        return rows[0][0] if rows else None

    def between(self, first: str, last: str) -> list[bytes]:
        """Those of a span of time, both ends included, the oldest first."""
        rows = self._rows(
            "SELECT body FROM payment WHERE created_at BETWEEN ? AND ? ORDER BY created_at, id",
            *(first, last),
        )
        return [body for (body,) in rows]

    def _rows(self, sql: str, *values: str) -> list[tuple[bytes]]:
        with closing(self._open()) as db:
            return db.execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None)


class _No(Exception):
    """An error as the API tells it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def hold_back() -> None:
    time.sleep(held_back_s)


def carrier_api(
    charges: Charges,
    *,
    token: str,
    octets: Callable[[int], bytes],
    now: Callable[[], datetime],
    hold: Callable[[], None] = hold_back,
) -> Blueprint:
    """For one client. A silent carrier calls `hold` before it answers: a test raises there what
    a person who waited would see."""
    api = Blueprint("carrier", __name__, url_prefix="/carrier")
    mood = Mood.ANSWERS

    @api.get("/mood")
    def show_mood() -> Response:
        return jsonify(mood=mood.value)

    @api.post("/mood")
    def set_mood() -> Response:
        nonlocal mood
        body = request.get_json()
        try:
            mood = Mood(body.get("mood") if isinstance(body, dict) else None)
        except ValueError:
            abort(400, f"Give mood, one of: {', '.join(one.value for one in Mood)}")
        return jsonify(mood=mood.value)

    @api.post("/carrier-billing/v0.5/payments")
    def create() -> Response:
        _check_caller(token)
        wanted = _asked(request.get_data()).amount_transaction
        correlator = wanted.client_correlator
        if correlator and charges.has(correlator):
            abort(409, "The clientCorrelator is there already")
        number = _line(wanted.phone_number)
        felt = mood
        if felt is Mood.SILENT:
            hold()
            raise _No(503, "UNAVAILABLE", "Nothing was charged")
        if felt is Mood.REFUSES:
            raise _No(403, "CARRIER_BILLING.PAYMENT_DENIED", f"{number} may not be charged")

        moment = _written(now())
        payment = _Payment(f"CB{octets(12).hex()}", "succeeded", moment, moment, wanted)
        if not charges.keep(payment):
            abort(409, "The clientCorrelator is there already")
        if felt is Mood.SILENT_AFTER_CHARGING:
            hold()
        return _answer(201, _json.encode(payment))

    @api.get("/carrier-billing/v0.5/payments")
    def listed() -> Response:
        _check_caller(token)
        query = dict(request.args)
        first = _moment(query.pop("paymentCreationDate.gte", "0001-01-01T00:00:00Z"))
        last = _moment(query.pop("paymentCreationDate.lte", _written(now())))
        order = query.pop("order", "desc")
        page = _count(query.pop("page", "1"))
        size = _count(query.pop("perPage", str(page_size)))
        if query or order not in ("asc", "desc") or size > page_size_max:
            abort(400, "A query that is not served here")

        found = charges.between(first, last)
        if order == "desc":
            found.reverse()
        shown = found[(page - 1) * size : page * size]
        response = _answer(200, b"[" + b",".join(shown) + b"]")
        response.headers["X-Total-Count"] = str(len(found))
        return response

    @api.get("/carrier-billing/v0.5/payments/<payment_id>")
    def shown(payment_id: str) -> Response:
        _check_caller(token)
        payment = charges.one(payment_id)
        if payment is None:
            abort(404, "No such payment")
        return _answer(200, payment)

    @api.errorhandler(_No)
    def told(no: _No) -> Response:
        body = {"status": no.status, "code": no.code, "message": str(no)}
        return _answer(no.status, _json.encode(body))

    @api.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        return told(_No(status, _CODES.get(status, "INTERNAL"), error.description or ""))

    return api


def _check_caller(token: str) -> None:
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        abort(401, "Give the access token")
    if _CORRELATOR.fullmatch(request.headers.get("x-correlator", "")) is None:
        abort(400, "x-correlator is letters, digits and -, 55 at most")


def _asked(body: bytes) -> _Asked:
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        abort(400, str(fault))
    charging = asked.amount_transaction.payment_amount.charging_information
    amount = charging.amount
    if not amount.is_finite() or not 0 < amount < amount_max or amount != round(amount, 3):
        abort(400, "An amount is positive, of our world, and has three decimals at most")
    if charging.currency not in EXPONENTS:
        abort(400, "Currency is unknown or not authorized")
    return asked


def _line(number: str | None) -> str:
    if number is None:
        raise _No(422, "MISSING_IDENTIFIER", "The phone number cannot be identified")
    if number.startswith(NOBODY):
        raise _No(404, "IDENTIFIER_NOT_FOUND", "Nobody has this number")
    return number


def _written(moment: datetime) -> str:
    """Of one length and zone, so that texts sort as times do."""
    in_utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return in_utc.replace("+00:00", "Z")


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        abort(400, f"{text} is not a date and time")
    if moment.tzinfo is None:
        abort(400, f"{text} has no time zone")
    return _written(moment)


def _count(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        abort(400, f"{text} is not a count")
    return int(text)


def _answer(status: int, body: bytes) -> Response:
    response = Response(body, status, content_type="application/json")
    if correlator := request.headers.get("x-correlator"):
        response.headers["x-correlator"] = correlator
    return response
