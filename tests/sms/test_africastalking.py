"""What each answer of the vendor comes to, through the vendor's own SDK over real HTTP."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from flask import Flask, Response, request

from tests.simulators.stand_in import served
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.africastalking import (
    AfricasTalkingSms,
    answer_octets_max,
    parse_report,
    throttled_s,
    throttled_s_max,
)
from ussd_gateway.sms.provider import NotCarried, Throttled

AMINA = Msisdn("+254711000001")
SMS = Sms(AMINA, "DYQ28DNNRC Sent KES 500.00")


class Vendor:
    """Answers what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer = Response()
        self.form: dict[str, str] = {}
        self.key = ""
        self.wait_s = 0.0
        self.asked = 0
        self.app = Flask("vendor")
        self.app.post("/version1/messaging")(self._messaging)

    def _messaging(self) -> Response:
        self.form, self.key = request.form.to_dict(), request.headers["apiKey"]
        self.asked += 1
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

    taken = SmsResult(
        SmsState.ACCEPTED, "africastalking", "ATXid_1", f"{code} {status}", "KES 0.8000"
    )
    assert sender.send(SMS) == taken
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
        (403, "InvalidPhoneNumber"),
        (404, "UnsupportedNumberType"),
        (406, "UserInBlacklist"),
        (502, "RejectedByGateway"),
    ],
)
def test_a_number_that_is_refused_is_never_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))
    result = sender.send(SMS)
    assert (result.state, result.provider_id) == (SmsState.REFUSED, None)
    assert re.fullmatch(rf"[a-z].+ \({code} {status}\)", result.detail)


def test_a_code_that_is_not_known_says_nothing(
    vendor: Vendor, sender: AfricasTalkingSms
) -> None:
    vendor.answer = answered(recipient(599, "Whatever"))
    unknown = SmsResult(SmsState.UNKNOWN, "africastalking", None, "599 Whatever")
    assert sender.send(SMS) == unknown


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (405, "InsufficientBalance"),
        (500, "InternalServerError"),
        (501, "GatewayError"),
    ],
)
def test_trouble_of_the_account_or_the_vendor_is_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))
    with pytest.raises(DoorError, match=f"{code} {status}"):
        sender.send(SMS)


@pytest.mark.parametrize(("code", "status"), [(402, "InvalidSenderId"), (407, "CouldNotRoute")])
def test_a_number_that_it_does_not_serve_is_for_another_provider(
    vendor: Vendor, sender: AfricasTalkingSms, code: int, status: str
) -> None:
    vendor.answer = answered(recipient(code, status))
    with pytest.raises(NotCarried):
        sender.send(SMS)


def test_a_sender_that_is_not_registered_is_trouble_of_its_own_numbers_only(
    vendor: Vendor, sender: AfricasTalkingSms
) -> None:
    vendor.answer = answered(message="InvalidSenderId")
    with pytest.raises(NotCarried, match="nobody was sent to: InvalidSenderId"):
        sender.send(SMS)


def test_no_recipients_is_trouble_of_the_account(
    vendor: Vendor, sender: AfricasTalkingSms
) -> None:
    vendor.answer = answered(message="InsufficientBalance")
    with pytest.raises(DoorError, match="InsufficientBalance"):
        sender.send(SMS)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 408, 413, 501, 503])
def test_an_answer_that_took_nothing_is_tried_again(
    vendor: Vendor, sender: AfricasTalkingSms, status: int
) -> None:
    vendor.answer = Response("no", status)
    with pytest.raises(DoorError):
        sender.send(SMS)


@pytest.mark.parametrize(
    ("header", "after_s"),
    [
        ("7", 7.0),
        ("86400", throttled_s_max),
        ("", throttled_s),
        ("-1", throttled_s),
        ("Sat, 21 Nov 2026 09:00:00 GMT", throttled_s),
    ],
)
def test_a_vendor_that_is_asked_too_much_is_left_alone_for_a_while(
    vendor: Vendor, sender: AfricasTalkingSms, header: str, after_s: float
) -> None:
    vendor.answer = Response("slow down", 429, headers={"Retry-After": header})
    with pytest.raises(Throttled) as raised:
        sender.send(SMS)
    assert raised.value.after_s == after_s


@pytest.mark.parametrize(
    "answer",
    [
        Response("oops", 500),
        Response("bad gateway", 502),
        Response("gateway time-out", 504),
        Response("<html>", 201),
        Response("{}", 201, content_type="application/json"),
        Response('{"SMSMessageData": []}', 201, content_type="application/json"),
        Response("[" * 100_000, 201, content_type="application/json"),
        Response("x" * (answer_octets_max + 1), 201, content_type="application/json"),
    ],
    ids=["500", "502", "504", "html", "empty", "list", "deep", "long"],
)
def test_an_answer_that_says_nothing_is_unknown(
    vendor: Vendor, sender: AfricasTalkingSms, answer: Response
) -> None:
    vendor.answer = answer
    assert sender.send(SMS).state is SmsState.UNKNOWN


def test_an_answer_about_another_number_is_unknown(
    vendor: Vendor, sender: AfricasTalkingSms
) -> None:
    vendor.answer = answered({**recipient(101, "Success"), "number": "+254711000002"})
    assert sender.send(SMS).state is SmsState.UNKNOWN
    vendor.answer = answered(recipient(101, "Success"), recipient(101, "Success"))
    assert sender.send(SMS).state is SmsState.UNKNOWN


@pytest.mark.parametrize(
    ("cost", "kept"),
    [
        ("KES 0.8000", "KES 0.8000"),
        ("UGX 35", "UGX 35"),
        ("0", None),
        ("KES 0.0000", None),
        ("KES nan", None),
        ("KES 1e9", None),
        ("KES -1.0000", None),
        ("KES \u0661", None),
        (0.8, None),
        (None, None),
    ],
)
def test_a_cost_is_an_amount_of_money_or_none(
    vendor: Vendor, sender: AfricasTalkingSms, cost: object, kept: str | None
) -> None:
    vendor.answer = answered({**recipient(101, "Success"), "cost": cost})
    result = sender.send(SMS)
    assert (result.state, result.cost) == (SmsState.ACCEPTED, kept)


@pytest.mark.parametrize("given", ["None", "", None, 7, "x" * 65])
def test_a_message_that_is_taken_without_an_id_is_taken(
    vendor: Vendor, sender: AfricasTalkingSms, given: object
) -> None:
    vendor.answer = answered({**recipient(101, "Success"), "messageId": given})
    result = sender.send(SMS)
    assert (result.state, result.provider_id) == (SmsState.ACCEPTED, None)


def test_it_says_from_whom_the_message_is(vendor: Vendor, sender: AfricasTalkingSms) -> None:
    vendor.answer = answered(recipient(101, "Success"))
    sender.send(Sms(AMINA, "Hello", sender="PESA"))
    assert vendor.form["from"] == "PESA"


def test_a_redirect_is_not_followed(vendor: Vendor, sender: AfricasTalkingSms) -> None:
    vendor.answer = Response("", 307, headers={"Location": "/version1/messaging"})
    with pytest.raises(DoorError):
        sender.send(SMS)
    assert vendor.asked == 1


def test_a_vendor_that_is_not_there_took_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    sender = AfricasTalkingSms(
        username="gateway", api_key="secret", base_url=f"http://127.0.0.1:{port}"
    )
    with pytest.raises(DoorError):
        sender.send(SMS)


def test_a_vendor_that_nobody_knows_the_address_of_took_nothing() -> None:
    sender = AfricasTalkingSms(
        username="gateway", api_key="secret", base_url="http://nowhere.invalid"
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


def test_an_answer_that_never_ends_is_given_up() -> None:
    with trickling() as url:
        sender = AfricasTalkingSms(
            username="gateway", api_key="secret", base_url=url, timeout_s=(0.2, 0.3)
        )
        begun = time.monotonic()
        assert sender.send(SMS).state is SmsState.UNKNOWN
        assert time.monotonic() - begun < 2


def test_a_line_that_is_cut_after_the_request_may_have_brought_it() -> None:
    with cutting() as url:
        sender = AfricasTalkingSms(username="gateway", api_key="secret", base_url=url)
        assert sender.send(SMS).state is SmsState.UNKNOWN


def test_a_thread_keeps_its_connection() -> None:
    body = answered(recipient(101, "Success")).get_data()
    head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(body)}\r\n\r\n"

    def answer(connection: socket.socket, _over: threading.Event) -> None:
        for _ in range(3):  # a second connection would never be accepted
            asked = b""
            while not asked.endswith(b"bulkSMSMode=1"):
                asked += connection.recv(65536)
            connection.sendall(head.encode() + body)

    with speaking(answer) as url:
        sender = AfricasTalkingSms(
            username="gateway", api_key="secret", base_url=url, timeout_s=(1.0, 1.0)
        )
        results = [sender.send(SMS) for _ in range(3)]
    assert [one.state for one in results] == [SmsState.ACCEPTED] * 3


@pytest.mark.parametrize(
    ("form", "report"),
    [
        (
            {"id": "ATXid_1", "status": "Success", "phoneNumber": AMINA},
            DeliveryReport(
                provider="africastalking",
                provider_id="ATXid_1",
                msisdn=AMINA,
                status="Success",
                final=True,
                delivered=True,
                reason="",
            ),
        ),
        (
            {"id": "ATXid_1", "status": "Failed", "failureReason": "UserDoesNotExist"},
            DeliveryReport(
                provider="africastalking",
                provider_id="ATXid_1",
                msisdn=None,
                status="Failed",
                final=True,
                delivered=False,
                reason="nobody has this number",
            ),
        ),
    ],
)
def test_a_report_is_read(form: dict[str, str], report: DeliveryReport) -> None:
    assert parse_report(form) == report


@pytest.mark.parametrize(
    ("status", "final", "delivered"),
    [
        ("Sent", False, False),
        ("Submitted", False, False),
        ("Buffered", False, False),
        ("Success", True, True),
        ("Rejected", True, False),
        ("Failed", True, False),
        ("Whatever", False, False),
    ],
)
def test_a_status_is_the_last_word_or_not(status: str, final: bool, delivered: bool) -> None:
    report = parse_report({"id": "ATXid_1", "status": status})
    assert report is not None
    assert (report.status, report.final, report.delivered) == (status, final, delivered)


@pytest.mark.parametrize(
    ("status", "failure", "says"),
    [
        ("Failed", "UserIsInactive", "the number is not in use, or its phone was away"),
        ("Failed", "PhoneOnFire", "the network says: PhoneOnFire"),
        ("Rejected", "", "the network did not take it"),
        ("Success", "DeliveryFailure", ""),
        ("Submitted", "", ""),
    ],
)
def test_a_reason_is_in_words(status: str, failure: str, says: str) -> None:
    report = parse_report({"id": "ATXid_1", "status": status, "failureReason": failure})
    assert report is not None
    assert report.reason.startswith(says)
    assert bool(report.reason) == bool(says)


@pytest.mark.parametrize(
    ("number", "msisdn"),
    [
        (AMINA, AMINA),
        (" 254711000001", AMINA),
        ("254711000001", AMINA),
        ("0711000001", None),
        ("", None),
        ("+2547110000010000000", None),
    ],
)
def test_the_number_of_a_report_is_one_or_none(number: str, msisdn: Msisdn | None) -> None:
    report = parse_report({"id": "ATXid_1", "status": "Sent", "phoneNumber": number})
    assert report is not None
    assert report.msisdn == msisdn


@pytest.mark.parametrize(
    "form",
    [
        {"status": "Success"},
        {"id": "ATXid_1"},
        {"id": "None", "status": "Success"},
        {"id": "x" * 65, "status": "Success"},
        {"id": "a\x00b", "status": "Success"},
    ],
)
def test_a_report_of_no_message_is_none(form: dict[str, str]) -> None:
    assert parse_report(form) is None


@contextmanager
def trickling() -> Iterator[str]:
    """A vendor whose answer comes an octet at a time, for ever."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 60000\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b" ")

    with speaking(answer) as url:
        yield url


@contextmanager
def cutting() -> Iterator[str]:
    """A vendor that hears the request, and hangs up."""

    def answer(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(65536)

    with speaking(answer) as url:
        yield url


@contextmanager
def speaking(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            answer(connection, over)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join(5)
