"""The vendor's SMS API, driven by the vendor's own SDK."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from africastalking.Service import AfricasTalkingException
from africastalking.SMS import SMSService

from ussd_gateway.simulators.inbox import Callback, Inbox
from ussd_gateway.simulators.main import create_app
from ussd_gateway.simulators.reports import Reporter, tries_max

from .stand_in import StandIn, StartSimulator, served

AMINA = "+254711000001"
JUMA = "+254711000002"

Eventually = Callable[[Callable[[], bool]], None]


class SimulatedSms(SMSService):  # type: ignore[misc]
    """The SDK's own service, pointed at the simulator."""

    def __init__(self, url: str, *, username: str = "sandbox", api_key: str = "demo") -> None:
        self._url = url
        super().__init__(username, api_key)

    def _init_service(self) -> None:
        self._baseUrl = self._contentUrl = f"{self._url}/version1"


@pytest.fixture
def sms(simulator_url: str) -> SimulatedSms:
    return SimulatedSms(simulator_url)


def inbox_of(url: str, number: str) -> list[dict[str, str]]:
    response = requests.get(f"{url}/phones/{number}/messages", timeout=5)
    assert response.status_code == 200
    return list(response.json())


def test_a_message_is_accepted_as_the_vendor_does_it(sms: SimulatedSms) -> None:
    answer = sms.send("Hello", [AMINA], "PESA")["SMSMessageData"]

    assert answer["Message"] == "Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1"
    [recipient] = answer["Recipients"]
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", recipient.pop("messageId"))
    assert recipient == {
        "statusCode": 101,
        "number": AMINA,
        "status": "Success",
        "cost": "KES 0.8000",
        "messageParts": 1,
    }


def test_each_recipient_gets_the_message_and_an_id_of_its_own(
    sms: SimulatedSms, simulator_url: str
) -> None:
    recipients = sms.send("x" * 161, [AMINA, JUMA])["SMSMessageData"]["Recipients"]

    assert [(one["number"], one["cost"]) for one in recipients] == [
        (AMINA, "KES 1.6000"),
        (JUMA, "KES 1.6000"),
    ]
    assert len({one["messageId"] for one in recipients}) == 2
    for number in (AMINA, JUMA):
        [message] = inbox_of(simulator_url, number)
        assert (message["from"], message["text"]) == ("AFRICASTKNG", "x" * 161)


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        ("+254711", 403, "InvalidPhoneNumber"),
        ("+2547110000011", 403, "InvalidPhoneNumber"),
        ("+254202222222", 404, "UnsupportedNumberType"),
    ],
)
def test_a_number_that_cannot_be_reached_is_refused_alone(
    sms: SimulatedSms, simulator_url: str, number: str, code: int, status: str
) -> None:
    answer = sms.send("Hello", [number, AMINA])["SMSMessageData"]

    assert answer["Message"] == "Sent to 1/2 Total Cost: KES 0.8000 Message parts: 1"
    assert answer["Recipients"][0] == {
        "statusCode": code,
        "number": number,
        "status": status,
        "cost": "0",
        "messageId": "None",
        "messageParts": 0,
    }
    assert len(inbox_of(simulator_url, AMINA)) == 1


def test_a_sender_that_is_no_sender_is_an_account_level_refusal(sms: SimulatedSms) -> None:
    answer = sms.send("Hello", [AMINA], "a sender of too many characters")

    assert answer == {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}


@pytest.mark.parametrize(
    "wrong", [{"api_key": "wrong"}, {"username": "wrong"}, {"api_key": ""}]
)
def test_wrong_credentials_are_refused_and_nothing_is_sent(
    simulator_url: str, wrong: dict[str, str]
) -> None:
    with pytest.raises(AfricasTalkingException, match="The supplied authentication is invalid"):
        SimulatedSms(simulator_url, **wrong).send("Hello", [AMINA])
    assert inbox_of(simulator_url, AMINA) == []


@pytest.mark.parametrize("missing", ["username", "to", "message"])
def test_a_missing_field_is_told_by_name(simulator_url: str, missing: str) -> None:
    form = {"username": "sandbox", "to": AMINA, "message": "Hello"}
    del form[missing]
    answer = requests.post(
        f"{simulator_url}/version1/messaging",
        data=form,
        headers={"apiKey": "demo"},
        timeout=5,
    )

    assert answer.status_code == 400
    assert answer.text == f"Request is missing required form field '{missing}'"


def test_messages_are_told_oldest_first_under_every_way_to_write_the_number(
    sms: SimulatedSms, simulator_url: str
) -> None:
    sms.send("first", [AMINA], "PESA")
    sms.send("second", [AMINA], "PESA")

    messages = inbox_of(simulator_url, AMINA)
    for number in ("%2B254711000001", "254711000001", "0711000001"):
        assert inbox_of(simulator_url, number) == messages
    assert [set(one) for one in messages] == [{"from", "text", "received_at"}] * 2
    assert [one["text"] for one in messages] == ["first", "second"]
    moment = datetime.fromisoformat(messages[0]["received_at"])
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_a_number_without_messages_has_none_and_what_is_no_number_is_not_found(
    simulator_url: str,
) -> None:
    assert inbox_of(simulator_url, "+254711000009") == []
    for wrong in ("amina", "12", "+0711000001", "1" * 16):
        answer = requests.get(f"{simulator_url}/phones/{wrong}/messages", timeout=5)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not a phone number"})


def test_messages_outlive_the_simulator(start_simulator: StartSimulator) -> None:
    with served(start_simulator()) as url:
        SimulatedSms(url).send("Kept", [AMINA], "PESA")
        before = inbox_of(url, AMINA)
    with served(start_simulator()) as url:
        assert inbox_of(url, AMINA) == before != []


def test_the_gateway_is_told_of_the_delivery(
    sms: SimulatedSms, gateway: StandIn, eventually: Eventually
) -> None:
    [sent] = sms.send("Hello", [AMINA])["SMSMessageData"]["Recipients"]
    eventually(lambda: len(gateway.reports) == 2)

    common = {
        "id": sent["messageId"],
        "phoneNumber": AMINA,
        "networkCode": "63902",
        "retryCount": "0",
    }
    assert gateway.reports == [
        {**common, "status": "Submitted"},
        {**common, "status": "Success"},
    ]


def test_a_number_that_belongs_to_nobody_fails_later(
    sms: SimulatedSms, gateway: StandIn, simulator_url: str, eventually: Eventually
) -> None:
    [sent] = sms.send("Hello", ["+254700000001"])["SMSMessageData"]["Recipients"]
    eventually(lambda: len(gateway.reports) == 2)

    assert sent["status"] == "Success"
    assert gateway.reports[1]["status"] == "Failed"
    assert gateway.reports[1]["failureReason"] == "UserDoesNotExist"
    assert inbox_of(simulator_url, "+254700000001") == []


def test_a_report_that_is_not_taken_is_sent_again(
    sms: SimulatedSms, gateway: StandIn, eventually: Eventually
) -> None:
    gateway.reports_refused = 1
    sms.send("Hello", [AMINA])
    eventually(lambda: len(gateway.reports) == 2)

    assert {(r["status"], r["retryCount"]) for r in gateway.reports} == {
        ("Submitted", "1"),
        ("Success", "0"),
    }


def test_reports_still_owed_are_sent_after_a_restart(
    start_simulator: StartSimulator, gateway: StandIn, eventually: Eventually
) -> None:
    gateway.reports_refused = 2
    with served(start_simulator()) as url:
        SimulatedSms(url).send("Hello", [AMINA])
        eventually(lambda: gateway.reports_refused == 0)
    start_simulator()

    eventually(lambda: {r["status"] for r in gateway.reports} == {"Submitted", "Success"})


def test_a_report_is_given_up_after_so_many_tries(
    tmp_path: Path, gateway: StandIn, eventually: Eventually
) -> None:
    refusals = gateway.reports_refused = 100
    inbox = Inbox(tmp_path / "simulator.sqlite")
    start = datetime.now(UTC)
    inbox.take([], [Callback("sms", {"id": "ATXid_1"}, start)])
    later = (start + timedelta(minutes=minute) for minute in range(10_000))
    urls = {"sms": f"{gateway.url}/sms/africastalking/dev/reports"}
    reporter = Reporter(inbox, urls, now=lambda: next(later))
    reporter.start()
    eventually(lambda: inbox.due(start + timedelta(days=99), 1) == [])
    reporter.close()

    assert refusals - gateway.reports_refused == tries_max


def test_a_seed_gives_the_same_ids_in_a_new_folder_and_others_in_a_used_one(
    gateway: StandIn, tmp_path: Path
) -> None:
    def message_id(folder: str) -> str:
        app = create_app(
            gateway_url=gateway.url,
            callback_token="dev",
            username="sandbox",
            api_key="demo",
            data_dir=tmp_path / folder,
            people=(),
            seed=7,
        )
        answer = app.test_client().post(
            "/version1/messaging",
            data={"username": "sandbox", "to": AMINA, "message": "Hello"},
            headers={"apiKey": "demo"},
        )
        app.extensions["reporter"].close()
        assert answer.json is not None
        return str(answer.json["SMSMessageData"]["Recipients"][0]["messageId"])

    assert message_id("new") == message_id("other")
    assert message_id("new") != message_id("other/inner")
