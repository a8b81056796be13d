"""The vendor's airtime API, driven by the vendor's own SDK."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest
import requests
from africastalking.Airtime import AirtimeService
from flask import Flask, Response
from flask.testing import FlaskClient

from ussd_gateway.simulators.airtime_api import Moment, airtime_api
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.sms_api import Account

from .stand_in import StandIn, StartSimulator, served

AMINA = "+254711000001"
JUMA = "+254711000002"
NOBODY = "+254700000001"
SEND = "/version1/airtime/send"
DUPLICATE = {
    "errorMessage": "A duplicate request was received within the last 5 minutes",
    "numSent": 0,
    "totalAmount": "0",
    "totalDiscount": "0",
    "responses": [],
}

Eventually = Callable[[Callable[[], bool]], None]


class SimulatedAirtime(AirtimeService):  # type: ignore[misc]
    """The SDK's own service, pointed at the simulator."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__("sandbox", "demo")

    def _init_service(self) -> None:
        self._baseUrl = f"{self._url}/version1/airtime"


@pytest.fixture
def airtime(simulator_url: str) -> SimulatedAirtime:
    return SimulatedAirtime(simulator_url)


class Time:
    """Stands, until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def moments() -> list[Moment]:
    return []


@pytest.fixture
def client(tmp_path: Path, clock: Time, moments: list[Moment]) -> Iterator[FlaskClient]:
    """The API alone, in this process."""
    inbox = Inbox(tmp_path / "alone.sqlite")
    app = Flask("vendor")
    app.register_blueprint(
        airtime_api(
            inbox,
            Account("sandbox", "demo"),
            status_delay_s=1.0,
            octets=token_bytes,
            now=lambda: clock.now,
            hold=moments.append,
        )
    )
    yield app.test_client()
    inbox.close()


def posted(
    client: FlaskClient, amount: str = "KES 50", number: str = AMINA, key: str | None = None
) -> dict[str, Any]:
    recipients = json.dumps([{"phoneNumber": number, "amount": amount}])
    headers = {"apiKey": "demo"} | ({"Idempotency-Key": key} if key else {})
    answer = client.post(
        SEND, data={"username": "sandbox", "recipients": recipients}, headers=headers
    )
    assert answer.status_code == 201
    assert isinstance(answer.json, dict)
    return answer.json


def inbox_of(url: str, number: str) -> list[dict[str, str]]:
    return list(requests.get(f"{url}/phones/{number}/messages", timeout=5).json())


def test_airtime_is_sent_as_the_vendor_does_it(
    airtime: SimulatedAirtime, simulator_url: str
) -> None:
    answer = airtime.send(phone_number=AMINA, amount="50.50", currency_code="KES")

    [response] = answer.pop("responses")
    assert re.fullmatch(r"ATQid_[0-9a-f]{32}", response.pop("requestId"))
    assert response == {
        "phoneNumber": AMINA,
        "errorMessage": "None",
        "amount": "KES 50.5000",
        "status": "Sent",
        "discount": "KES 2.0200",
    }
    assert answer == {
        "errorMessage": "None",
        "numSent": 1,
        "totalAmount": "KES 50.5000",
        "totalDiscount": "KES 2.0200",
    }
    [message] = inbox_of(simulator_url, AMINA)
    assert (message["from"], message["text"]) == ("AIRTIME", "You received KES 50.50 airtime.")


def test_several_are_sent_at_once_and_one_is_refused_alone(
    airtime: SimulatedAirtime, simulator_url: str
) -> None:
    answer = airtime.send(
        recipients=[
            {"phoneNumber": number, "amount": "100", "currency_code": "KES"}
            for number in (AMINA, "+254202222222", JUMA)
        ]
    )
    assert [one["status"] for one in answer["responses"]] == ["Sent", "Failed", "Sent"]
    assert (answer["numSent"], answer["totalAmount"]) == (2, "KES 200.0000")
    assert len(inbox_of(simulator_url, AMINA)) == len(inbox_of(simulator_url, JUMA)) == 1


def test_the_gateway_is_told_that_it_arrived(
    airtime: SimulatedAirtime, gateway: StandIn, eventually: Eventually
) -> None:
    [sent] = airtime.send(phone_number=AMINA, amount="50", currency_code="KES")["responses"]
    eventually(lambda: len(gateway.statuses) == 1)

    assert gateway.statuses == [
        {
            "requestId": sent["requestId"],
            "status": "Success",
            "phoneNumber": AMINA,
            "description": "Airtime Delivered Successfully",
            "value": "KES 50.0000",
            "discount": "KES 2.0000",
        }
    ]


def test_airtime_for_a_number_that_belongs_to_nobody_fails_later(
    airtime: SimulatedAirtime, gateway: StandIn, simulator_url: str, eventually: Eventually
) -> None:
    [sent] = airtime.send(phone_number=NOBODY, amount="50", currency_code="KES")["responses"]
    eventually(lambda: len(gateway.statuses) == 1)

    assert sent["status"] == "Sent"
    assert gateway.statuses[0]["status"] == "Failed"
    assert inbox_of(simulator_url, NOBODY) == []


def test_the_same_key_is_a_repeat_whatever_it_asks_for(client: FlaskClient) -> None:
    assert posted(client, key="buy-1")["numSent"] == 1
    assert posted(client, "KES 60", JUMA, key="buy-1") == DUPLICATE


def test_the_same_amount_for_the_same_number_is_a_repeat_under_any_key(
    client: FlaskClient,
) -> None:
    assert posted(client, key="buy-1")["numSent"] == 1
    assert posted(client, "KES 50.00", key="buy-2") == DUPLICATE
    assert posted(client, "KES 51", key="buy-2")["numSent"] == 1
    assert posted(client, "KES 50", JUMA, key="buy-3")["numSent"] == 1


def test_a_repeat_is_forgotten_after_five_minutes(client: FlaskClient, clock: Time) -> None:
    posted(client, key="buy-1")
    clock.now += timedelta(minutes=5, seconds=-1)
    assert posted(client, key="buy-1") == DUPLICATE
    clock.now += timedelta(seconds=1)
    assert posted(client, key="buy-1")["numSent"] == 1


def test_a_repeat_is_known_after_a_restart(start_simulator: StartSimulator) -> None:
    for sent in (1, 0):
        with served(start_simulator()) as url:
            airtime = SimulatedAirtime(url)
            answer = airtime.send(
                phone_number=AMINA, amount="50", currency_code="KES", idempotency_key="buy-1"
            )
        assert answer["numSent"] == sent


@pytest.mark.parametrize(
    ("number", "amount", "reason"),
    [
        ("+254711", "KES 50", "Invalid Phone Number"),
        ("+254202222222", "KES 50", "Invalid Phone Number"),
        (AMINA, "50", "Invalid Amount"),
        (AMINA, "UGX 5000", "Invalid Amount"),
        (AMINA, "KES nan", "Invalid Amount"),
        (AMINA, "KES -50", "Invalid Amount"),
        (AMINA, "KES 50.001", "Invalid Amount"),
        (AMINA, "KES 4.99", "Value Outside The Allowed Limits"),
        (AMINA, "KES 10000.01", "Value Outside The Allowed Limits"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_is_no_repeat(
    client: FlaskClient, number: str, amount: str, reason: str
) -> None:
    answer = posted(client, amount, number, key="buy-1")

    [response] = answer["responses"]
    assert (response["status"], response["requestId"]) == ("Failed", "None")
    assert response["errorMessage"] == reason
    assert (answer["errorMessage"], answer["numSent"]) == ("Invalid Requests", 0)
    assert answer["totalAmount"] == "0"
    assert posted(client, key="buy-1")["numSent"] == 1


@pytest.mark.parametrize(
    "recipients", ["", "AMINA", "{}", "[]", "[1]", '["AMINA"]', "[" * 5000, '[{"amount": 1}]']
)
def test_malformed_recipients_are_told_so(client: FlaskClient, recipients: str) -> None:
    form = {"username": "sandbox", "recipients": recipients}
    answer = client.post(SEND, data=form, headers={"apiKey": "demo"})

    assert answer.status_code == 400
    assert "'recipients'" in answer.text


def test_a_wrong_key_is_refused(client: FlaskClient, moments: list[Moment]) -> None:
    form = {"username": "sandbox", "recipients": "[]"}
    answer = client.post(SEND, data=form, headers={"apiKey": "wrong"})

    assert (answer.status_code, answer.text) == (401, "The supplied authentication is invalid")
    assert moments == []


def test_it_can_be_held_back_before_and_after_it_takes_an_order(
    client: FlaskClient, moments: list[Moment]
) -> None:
    posted(client)
    assert moments == [Moment.ASKED, Moment.TAKEN]


def test_the_gateway_is_asked_whether_it_meant_it(
    airtime: SimulatedAirtime, gateway: StandIn
) -> None:
    gateway.validation = Response('{"status": "Validated"}', content_type="application/json")
    [sent] = airtime.send(phone_number=AMINA, amount="1234.50", currency_code="KES")[
        "responses"
    ]
    assert sent["status"] == "Sent"
    assert gateway.validations == [
        {
            "transactionId": sent["requestId"],
            "phoneNumber": AMINA,
            "sourceIpAddress": "127.0.0.1",
            "currencyCode": "KES",
            "amount": "1234.50",
        }
    ]


def test_what_the_gateway_did_not_mean_is_not_sent(
    airtime: SimulatedAirtime, gateway: StandIn, simulator_url: str
) -> None:
    gateway.validation = Response('{"status": "Failed"}', content_type="application/json")
    answer = airtime.send(phone_number=AMINA, amount="50", currency_code="KES")

    assert answer["numSent"] == 0
    assert answer["responses"][0]["errorMessage"] == "Validation Failed"
    assert inbox_of(simulator_url, AMINA) == []


@pytest.mark.parametrize("answer", [None, Response(status=500), Response("broken")])
def test_a_gateway_that_validates_nothing_stops_nothing(
    airtime: SimulatedAirtime, gateway: StandIn, answer: Response | None
) -> None:
    gateway.validation = answer
    answered = airtime.send(phone_number=AMINA, amount="50", currency_code="KES")
    assert answered["numSent"] == 1
