"""What each answer of the vendor comes to, through the vendor's own SDK over real HTTP."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from tests.simulators.stand_in import served
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms import africastalking
from ussd_gateway.sms.africastalking import AfricasTalkingSms, parse_report

SMS = Sms(Msisdn("+254711000001"), "DYQ28DNNRC Sent KES 500.00")


class Vendor:
    """Answers what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer = Response()
        self.form: dict[str, str] = {}
        self.key = ""
        self.wait_s = 0.0
        self.app = Flask("vendor")
        self.app.post("/version1/messaging")(self._messaging)

    def _messaging(self) -> Response:
        self.form, self.key = request.form.to_dict(), request.headers["apiKey"]
        time.sleep(self.wait_s)
        return self.answer


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def sender(vendor: Vendor) -> Iterator[AfricasTalkingSms]:
    with served(vendor.app) as url:
        yield AfricasTalkingSms(username="gateway", api_key="secret", base_url=url)


def answered(*recipients: dict[str, object], message: str = "Sent to 1/1") -> Response:
    body = {"SMSMessageData": {"Message": message, "Recipients": list(recipients)}}
    return Response(json.dumps(body), 201, content_type="application/json; charset=utf-8")


def recipient(code: int, status: str) -> dict[str, object]:
    return {
        "statusCode": code,
        "number": SMS.to,
        "status": status,
        "cost": "KES 0.8000",
        "messageId": "ATXid_1" if code < 400 else "None",
    }


@pytest.mark.parametrize(
    ("code", "status"), [(100, "Processed"), (101, "Success"), (102, "Queued")]
)
def test_a_message_that_is_taken_has_an_id_and_a_cost(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))

    assert sender.send(SMS) == SmsResult(SmsState.ACCEPTED, "ATXid_1", status, "KES 0.8000")
    assert vendor.key == "secret"
    assert vendor.form == {
        "username": "gateway",
        "to": SMS.to,
        "message": SMS.text,
        "bulkSMSMode": "1",
    }


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (401, "RiskHold"),
        (402, "InvalidSenderId"),
        (403, "InvalidPhoneNumber"),
        (404, "UnsupportedNumberType"),
        (406, "UserInBlacklist"),
        (407, "CouldNotRoute"),
        (502, "RejectedByGateway"),
    ],
)
def test_a_number_that_is_refused_is_never_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))
    assert sender.send(SMS) == SmsResult(SmsState.REFUSED, None, f"{code} {status}")


@pytest.mark.parametrize(
    ("code", "status"),
    [(405, "InsufficientBalance"), (500, "InternalServerError"), (501, "GatewayError")],
)
def test_trouble_of_the_account_or_the_vendor_is_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))
    with pytest.raises(DoorError):
        sender.send(SMS)


def test_no_recipients_is_trouble_of_the_account(
    vendor: Vendor, sender: AfricasTalkingSms
) -> None:
    vendor.answer = answered(message="InvalidSenderId")
    with pytest.raises(DoorError, match="InvalidSenderId"):
        sender.send(SMS)


@pytest.mark.parametrize("status", [401, 403, 429, 502, 503, 504])
def test_an_answer_that_took_nothing_is_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, status: int
) -> None:
    vendor.answer = Response("no", status)
    with pytest.raises(DoorError):
        sender.send(SMS)


@pytest.mark.parametrize(
    "answer",
    [
        Response("oops", 500),
        Response("<html>", 201),
        Response("{}", 201, content_type="application/json"),
        Response('{"SMSMessageData": []}', 201, content_type="application/json"),
    ],
    ids=["500", "html", "empty", "list"],
)
def test_an_answer_that_says_nothing_is_unknown(
    vendor: Vendor, sender: AfricasTalkingSms, answer: Response
) -> None:
    vendor.answer = answer
    assert sender.send(SMS).state is SmsState.UNKNOWN


def test_a_vendor_that_is_not_there_took_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    sender = AfricasTalkingSms(
        username="gateway", api_key="secret", base_url=f"http://127.0.0.1:{port}"
    )
    with pytest.raises(DoorError):
        sender.send(SMS)


def test_a_vendor_that_stays_silent_may_have_taken_it(vendor: Vendor) -> None:
    vendor.wait_s = 0.5
    with served(vendor.app) as url:
        sender = AfricasTalkingSms(
            username="gateway", api_key="secret", base_url=url, timeout_s=(1.0, 0.1)
        )
        assert sender.send(SMS).state is SmsState.UNKNOWN


def test_the_time_out_is_shorter_than_a_lease() -> None:
    from ussd_gateway.store.waiting.outbox import SENDING_LEASE_MS

    assert sum(africastalking.TIMEOUT_S) * 1000 < SENDING_LEASE_MS


@pytest.mark.parametrize(
    ("form", "report"),
    [
        (
            {"id": "ATXid_1", "status": "Success", "phoneNumber": "+254711000001"},
            DeliveryReport("ATXid_1", "Success", final=True, delivered=True, reason=""),
        ),
        (
            {"id": "ATXid_1", "status": "Failed", "failureReason": "UserIsInactive"},
            DeliveryReport(
                "ATXid_1", "Failed", final=True, delivered=False, reason="UserIsInactive"
            ),
        ),
        (
            {"id": "ATXid_1", "status": "Buffered"},
            DeliveryReport("ATXid_1", "Buffered", final=False, delivered=False, reason=""),
        ),
        ({"status": "Success"}, None),
        ({"id": "ATXid_1"}, None),
    ],
)
def test_a_report_is_read_by_its_id_and_status(
    form: dict[str, str], report: DeliveryReport | None
) -> None:
    assert parse_report(form) == report
