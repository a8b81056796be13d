"""The simulated carrier's own rules, told over its API."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ussd_gateway.simulators.carrier import Charges, Mood, carrier_api

PAYMENTS = "/carrier/carrier-billing/v0.5/payments"
AMINA, NOBODY = "+254711000001", "+254700000001"
BEARER = {"Authorization": "Bearer demo"}
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Carrier:
    """A carrier in this process, whose clock is set by hand and whose silence is counted."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.silences = 0
        self.kept_when_silent = -1
        self._charges = Charges(folder / "carrier.sqlite")
        app = Flask("carrier")
        numbers = iter(range(100))
        app.register_blueprint(
            carrier_api(
                self._charges,
                token="demo",
                octets=lambda count: next(numbers).to_bytes(count, "big"),
                now=lambda: self.now,
                hold=self._hold,
            )
        )
        self.http: FlaskClient = app.test_client()

    def feels(self, mood: Mood) -> None:
        assert self.http.post("/carrier/mood", json={"mood": mood.value}).status_code == 200

    def charge(self, body: object) -> TestResponse:
        return self.http.post(PAYMENTS, data=json.dumps(body), headers=BEARER)

    def listed(self, **query: str) -> TestResponse:
        return self.http.get(PAYMENTS, query_string=query, headers=BEARER)

    def correlators(self, **query: str) -> list[str]:
        answer = self.listed(**query)
        assert answer.status_code == 200
        return [one["amountTransaction"]["clientCorrelator"] for one in answer.json or []]

    def _hold(self) -> None:
        self.silences += 1
        self.kept_when_silent = len(self.correlators())


@pytest.fixture
def carrier(tmp_path: Path) -> Carrier:
    return Carrier(tmp_path)


def charge(correlator: str = "visit:pin:4", *, number: str | None = AMINA) -> dict[str, Any]:
    phone = {} if number is None else {"phoneNumber": number}
    return {
        "amountTransaction": {
            **phone,
            "clientCorrelator": correlator,
            "referenceCode": f"pay-{correlator}",
            "paymentAmount": {
                "chargingInformation": {
                    "amount": 20,
                    "currency": "KES",
                    "description": "Article 7",
                    "isTaxIncluded": True,
                },
                "chargingMetaData": {"merchantIdentifier": "700700", "channel": "USSD"},
            },
        }
    }


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    assert answer.json["message"]
    return answer.status_code, answer.json["code"]


def test_a_charge_is_answered_with_what_was_asked_and_can_be_read_again(
    carrier: Carrier,
) -> None:
    answer = carrier.charge(charge())

    assert answer.status_code == 201
    assert answer.json == {
        "paymentId": "CB000000000000000000000000",
        "paymentStatus": "succeeded",
        "paymentCreationDate": "2026-11-21T12:00:00.000Z",
        "paymentDate": "2026-11-21T12:00:00.000Z",
        **charge(),
    }
    one = carrier.http.get(f"{PAYMENTS}/{answer.json['paymentId']}", headers=BEARER)
    assert one.json == answer.json
    assert carrier.listed().json == [answer.json]


def test_an_amount_is_told_to_the_last_digit(carrier: Carrier) -> None:
    text = json.dumps(charge()).replace(": 20,", ": 1234567.890,")
    answer = carrier.http.post(PAYMENTS, data=text, headers=BEARER)

    assert b'"amount":1234567.890,' in answer.data
    assert b'"amount":1234567.890,' in carrier.listed().data


@pytest.mark.parametrize("bearer", ["", "demo", "Bearer demo2", "Bearer dem\xf6"])
def test_nobody_is_served_without_the_token(carrier: Carrier, bearer: str) -> None:
    headers = {"Authorization": bearer}
    for answer in (
        carrier.http.post(PAYMENTS, json=charge(), headers=headers),
        carrier.http.get(PAYMENTS, headers=headers),
        carrier.http.get(f"{PAYMENTS}/CB", headers=headers),
    ):
        assert code(answer) == (401, "UNAUTHENTICATED")
    assert carrier.correlators() == []


@pytest.mark.parametrize("amount", ["0", "-1", "0.0001", "1e400", "true", '"nan"', "1e9", "{}"])
def test_an_amount_that_is_none_is_refused(carrier: Carrier, amount: str) -> None:
    text = json.dumps(charge()).replace(": 20,", f": {amount},")
    answer = carrier.http.post(PAYMENTS, data=text, headers=BEARER)

    assert code(answer) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"amountTransaction": {}}', '{"amountTransaction": "\xff"}', b"\xff\xff"],
)
def test_a_body_that_is_no_charge_is_refused(carrier: Carrier, body: str | bytes) -> None:
    answer = carrier.http.post(PAYMENTS, data=body, headers=BEARER)
    assert code(answer) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("field", "value"),
    [("currency", "EUR"), ("phoneNumber", "0711000001"), ("description", "")],
)
def test_a_field_that_says_nothing_is_refused(carrier: Carrier, field: str, value: str) -> None:
    body = charge()
    transaction = body["amountTransaction"]
    charging = transaction["paymentAmount"]["chargingInformation"]
    (charging if field in charging else transaction)[field] = value

    assert code(carrier.charge(body)) == (400, "INVALID_ARGUMENT")


def test_a_number_of_nobody_is_not_found_and_a_missing_one_cannot_be(carrier: Carrier) -> None:
    assert code(carrier.charge(charge(number=NOBODY))) == (404, "IDENTIFIER_NOT_FOUND")
    assert code(carrier.charge(charge(number=None))) == (422, "MISSING_IDENTIFIER")
    assert carrier.correlators() == []


def test_a_correlator_is_charged_once(carrier: Carrier) -> None:
    carrier.charge(charge())
    again = charge()
    again["amountTransaction"]["paymentAmount"]["chargingInformation"]["amount"] = 30

    assert code(carrier.charge(again)) == (409, "ALREADY_EXISTS")
    assert carrier.correlators() == ["visit:pin:4"]


def test_charges_outlive_the_program_and_its_mood_does_not(
    carrier: Carrier, tmp_path: Path
) -> None:
    carrier.charge(charge())
    carrier.feels(Mood.REFUSES)
    restarted = Carrier(tmp_path)

    assert restarted.correlators() == ["visit:pin:4"]
    assert code(restarted.charge(charge())) == (409, "ALREADY_EXISTS")
    assert restarted.http.get("/carrier/mood").json == {"mood": "answers"}


def test_a_list_is_cut_by_time_and_page_and_says_how_long_it_is(carrier: Carrier) -> None:
    for minute in range(5):
        carrier.now = NOON + timedelta(minutes=minute)
        carrier.charge(charge(str(minute)))
    since = {"paymentCreationDate.gte": "2026-11-21T15:01:00+03:00"}

    assert carrier.correlators() == ["4", "3", "2", "1", "0"]
    assert carrier.correlators(order="asc", **since) == ["1", "2", "3", "4"]
    until = {"paymentCreationDate.lte": "2026-11-21T12:02:00Z"}
    assert carrier.correlators(order="asc", **since, **until) == ["1", "2"]
    page = carrier.listed(order="asc", perPage="2", page="2", **since)
    assert [one["amountTransaction"]["clientCorrelator"] for one in page.json or []] == [
        "3",
        "4",
    ]
    assert page.headers["X-Total-Count"] == "4"
    assert carrier.correlators(page="2") == []


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"perPage": "101"},
        {"perPage": "ten"},
        {"order": "random"},
        {"paymentCreationDate.gte": "yesterday"},
        {"paymentCreationDate.gte": "2026-11-21T12:00:00"},
        {"paymentStatus": "succeeded"},
    ],
)
def test_a_query_that_is_not_served_is_no_empty_list(
    carrier: Carrier, query: dict[str, str]
) -> None:
    assert code(carrier.listed(**query)) == (400, "INVALID_ARGUMENT")


def test_a_payment_that_is_not_there_is_not_found(carrier: Carrier) -> None:
    answer = carrier.http.get(f"{PAYMENTS}/CB", headers=BEARER)
    assert code(answer) == (404, "NOT_FOUND")


def test_a_carrier_that_refuses_charges_nothing(carrier: Carrier) -> None:
    carrier.feels(Mood.REFUSES)

    assert code(carrier.charge(charge())) == (403, "CARRIER_BILLING.PAYMENT_DENIED")
    assert carrier.correlators() == []


@pytest.mark.parametrize(
    ("mood", "kept", "status"),
    [(Mood.SILENT, 0, 503), (Mood.SILENT_AFTER_CHARGING, 1, 201)],
)
def test_a_silent_carrier_holds_its_answer_back_before_or_after_the_charge(
    carrier: Carrier, mood: Mood, kept: int, status: int
) -> None:
    carrier.feels(mood)
    answer = carrier.charge(charge())

    assert (carrier.silences, carrier.kept_when_silent) == (1, kept)
    assert answer.status_code == status
    assert len(carrier.correlators()) == kept


def test_the_mood_is_one_of_four_and_said_in_json(carrier: Carrier) -> None:
    for mood in Mood:
        carrier.feels(mood)
        assert carrier.http.get("/carrier/mood").json == {"mood": mood.value}
    for bad in ({"mood": "angry"}, {}, ["silent"]):
        assert code(carrier.http.post("/carrier/mood", json=bad)) == (400, "INVALID_ARGUMENT")
    # A form is what another site's page could send.
    assert carrier.http.post("/carrier/mood", data={"mood": "silent"}).status_code == 415


def test_the_correlator_of_a_request_comes_back(carrier: Carrier) -> None:
    headers = {**BEARER, "x-correlator": "pay-1"}
    assert carrier.http.get(PAYMENTS, headers=headers).headers["x-correlator"] == "pay-1"
    for bad in ("a:b", "x" * 56):
        answer = carrier.http.get(PAYMENTS, headers={**BEARER, "x-correlator": bad})
        assert code(answer) == (400, "INVALID_ARGUMENT")
