"""What each answer of the vendor comes to, through the vendor's own SDK over real HTTP: first
the simulated vendor, then one that says whatever it is told to."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, Response, request

from tests.simulators.stand_in import served
from ussd_gateway.carriers.airtime import (
    AfricasTalkingAirtime,
    Validation,
    answer_octets_max,
    detail_characters_max,
    parse_status,
    parse_validation,
)
from ussd_gateway.domain.book import Purchase
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Standing, StatusReport, Supplied
from ussd_gateway.simulators.airtime_api import Moment, airtime_api
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.sms_api import Account

AMINA = Msisdn("+254711000001")
BOUGHT = Purchase(
    key="0193a5b0-buy-3",
    kind="airtime",
    subscriber_id=1,
    msisdn=AMINA,
    amount=Money(50_00, "KES"),
    merchant="",
    item="",
    asked_at_ms=0,
)
NOW = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)
TAKEN: dict[str, object] = {
    "phoneNumber": AMINA,
    "errorMessage": "None",
    "amount": "KES 50.0000",
    "status": "Sent",
    "requestId": "ATQid_1",
    "discount": "KES 2.0000",
}
FAILED = {
    **TAKEN,
    "status": "Failed",
    "requestId": "None",
    "errorMessage": "Value Outside The Allowed Limits",
}
DUPLICATE = "A duplicate request was received within the last 5 minutes"


class Held:
    """Holds the simulated vendor back at one moment, until it may go on."""

    def __init__(self) -> None:
        self.moment: Moment | None = None
        self.go_on = threading.Event()

    def __call__(self, moment: Moment) -> None:
        if moment is self.moment:
            self.go_on.wait(10)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox(tmp_path / "simulator.sqlite")
    yield inbox
    inbox.close()


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.go_on.set()


@pytest.fixture
def airtime(inbox: Inbox, held: Held) -> Iterator[AfricasTalkingAirtime]:
    """On the simulated vendor."""
    app = Flask("vendor")
    app.register_blueprint(
        airtime_api(
            inbox,
            Account("gateway", "secret"),
            status_delay_s=1.0,
            octets=lambda count: b"\x01" * count,
            now=lambda: NOW,
            hold=held,
        )
    )
    with served(app) as url:
        yield AfricasTalkingAirtime(username="gateway", api_key="secret", base_url=url)


class Vendor:
    """Answers what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: Response | Callable[[], Response] = Response()
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.app = Flask("vendor")
        self.app.post("/version1/airtime/send")(self._send)
        self.app.post("/elsewhere")(self._send)

    def _send(self) -> Response:
        self.forms.append(request.form.to_dict())
        self.headers.append(dict(request.headers))
        return self.answer if isinstance(self.answer, Response) else self.answer()


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def told(vendor: Vendor) -> Iterator[AfricasTalkingAirtime]:
    """On the vendor that says what it is told to."""
    with served(vendor.app) as url:
        yield AfricasTalkingAirtime(username="gateway", api_key="secret", base_url=url)


def answered(
    *responses: dict[str, object], sent: object = None, error: str = "None"
) -> Response:
    body = {
        "errorMessage": error,
        "numSent": len(responses) if sent is None else sent,
        "totalAmount": "KES 50.0000",
        "totalDiscount": "KES 2.0000",
        "responses": responses,
    }
    return Response(json.dumps(body), 201, content_type="application/json; charset=utf-8")


@contextmanager
def hanging_up() -> Iterator[str]:
    """A server that takes one connection and what is sent, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(5)

        def cut() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)

        cutting = pool.submit(cut)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        cutting.result()


def test_what_the_vendor_takes_is_pending_under_its_own_name(
    airtime: AfricasTalkingAirtime, inbox: Inbox
) -> None:
    supplied = airtime.ask(BOUGHT, within_s=5)

    assert supplied == Supplied(Standing.PENDING, f"ATQid_{'01' * 16}", "Sent")
    [message] = inbox.messages(AMINA)
    assert message.text == "You received KES 50.00 airtime."


def test_asked_twice_it_is_sent_once_and_the_second_answer_is_unknown(
    airtime: AfricasTalkingAirtime, inbox: Inbox
) -> None:
    airtime.ask(BOUGHT, within_s=5)
    again = airtime.ask(BOUGHT, within_s=5)

    assert again == Supplied(Standing.UNKNOWN, None, DUPLICATE)
    assert len(inbox.messages(AMINA)) == 1


def test_an_amount_that_the_vendor_does_not_sell_is_refused(
    airtime: AfricasTalkingAirtime,
) -> None:
    supplied = airtime.ask(replace(BOUGHT, amount=Money(4_99, "KES")), within_s=5)

    detail = "Failed Value Outside The Allowed Limits"
    assert supplied == Supplied(Standing.REFUSED, None, detail)


def test_a_wrong_key_is_a_refusal(inbox: Inbox) -> None:
    app = Flask("vendor")
    app.register_blueprint(
        airtime_api(
            inbox,
            Account("gateway", "another"),
            status_delay_s=1.0,
            octets=bytes,
            now=lambda: NOW,
        )
    )
    with served(app) as url:
        airtime = AfricasTalkingAirtime(username="gateway", api_key="secret", base_url=url)
        supplied = airtime.ask(BOUGHT, within_s=5)

    assert supplied == Supplied(Standing.REFUSED, None, "HTTP 401")
    assert "secret" not in repr(supplied)


@pytest.mark.parametrize("moment", Moment)
def test_a_vendor_that_is_late_may_have_taken_it(
    airtime: AfricasTalkingAirtime, held: Held, moment: Moment
) -> None:
    held.moment = moment
    began = time.monotonic()
    supplied = airtime.ask(BOUGHT, within_s=0.3)

    assert supplied == Supplied(Standing.UNKNOWN, None, "ReadTimeout")
    assert time.monotonic() - began < 2


def test_the_vendor_cannot_be_asked_what_became_of_it(airtime: AfricasTalkingAirtime) -> None:
    airtime.ask(BOUGHT, within_s=5)
    assert airtime.find(BOUGHT, within_s=5).standing is Standing.UNKNOWN


def test_the_form_is_the_vendors_and_holds_no_wish_for_retries(
    vendor: Vendor, told: AfricasTalkingAirtime
) -> None:
    told.ask(BOUGHT, within_s=5)

    assert vendor.forms == [
        {
            "username": "gateway",
            "recipients": '[{"phoneNumber": "+254711000001", "amount": "KES 50"}]',
        }
    ]
    assert vendor.headers[0]["Apikey"] == "secret"


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(50_00, "KES"), "KES 50"),
        (Money(50_50, "KES"), "KES 50.50"),
        (Money(5_05, "KES"), "KES 5.05"),
        (Money(1_234_567_89, "KES"), "KES 1234567.89"),
        (Money(9_007_199_254_740_993, "KES"), "KES 90071992547409.93"),
        (Money(500, "UGX"), "UGX 500"),
    ],
)
def test_an_amount_is_written_exactly(
    vendor: Vendor, told: AfricasTalkingAirtime, amount: Money, written: str
) -> None:
    told.ask(replace(BOUGHT, amount=amount), within_s=5)
    assert json.loads(vendor.forms[0]["recipients"])[0]["amount"] == written


def test_each_purchase_goes_under_its_own_key(
    vendor: Vendor, told: AfricasTalkingAirtime
) -> None:
    told.ask(BOUGHT, within_s=5)
    told.ask(replace(BOUGHT, key="another"), within_s=5)

    keys = [headers["Idempotency-Key"] for headers in vendor.headers]
    assert keys == [BOUGHT.key, "another"]


@pytest.mark.parametrize(
    ("answer", "supplied"),
    [
        (answered(TAKEN), Supplied(Standing.PENDING, "ATQid_1", "Sent")),
        (
            answered(FAILED, sent=0, error="Invalid Requests"),
            Supplied(Standing.REFUSED, None, "Failed Value Outside The Allowed Limits"),
        ),
        (
            answered(sent=0, error="Airtime is not enabled for this account"),
            Supplied(Standing.REFUSED, None, "Airtime is not enabled for this account"),
        ),
        (answered(sent=0, error=DUPLICATE), Supplied(Standing.UNKNOWN, None, DUPLICATE)),
        (
            answered({**FAILED, "errorMessage": DUPLICATE}, sent=0),
            Supplied(Standing.UNKNOWN, None, f"Failed {DUPLICATE}"),
        ),
    ],
    ids=["sent", "number refused", "account refused", "duplicate", "number duplicate"],
)
def test_a_clear_answer_is_what_it_says(
    vendor: Vendor, told: AfricasTalkingAirtime, answer: Response, supplied: Supplied
) -> None:
    vendor.answer = answer
    assert told.ask(BOUGHT, within_s=5) == supplied


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_a_request_that_was_turned_away_is_a_refusal(
    vendor: Vendor, told: AfricasTalkingAirtime, status: int
) -> None:
    vendor.answer = Response("no", status)
    assert told.ask(BOUGHT, within_s=5).standing is Standing.REFUSED


@pytest.mark.parametrize(
    "answer",
    [
        Response("oops", 500),
        Response("oops", 502),
        Response("oops", 404),
        Response("", 201),
        Response("<html>", 201),
        Response(b'{"numSent": 0, "errorMessage": "\xff", "responses": []}', 201),
        Response("[" * 60_000, 201),
        Response(b'{"numSent": 0, "x": ' + b"[" * 60_000, 201),
        Response(" " * (answer_octets_max + 1), 201),
        answered(),
        answered(sent=0),
        answered(sent="0", error="Airtime is not enabled for this account"),
        answered(sent=1, error="Airtime is not enabled for this account"),
        answered(TAKEN, TAKEN),
        answered({**TAKEN, "phoneNumber": "+254711000002"}),
        answered({**TAKEN, "amount": "KES 500.0000"}),
        answered({**TAKEN, "amount": "KES 50.0001"}),
        answered({**TAKEN, "amount": "UGX 5000"}),
        answered({**TAKEN, "amount": 50}),
        answered({**TAKEN, "requestId": "None"}),
        answered({**TAKEN, "requestId": None}),
        answered({**TAKEN, "requestId": "AT" * 40}),
        answered({**FAILED, "requestId": "no id"}, sent=0),
        answered(FAILED, sent=1),
        answered({**FAILED, "amount": "KES 5.0000"}, sent=0),
    ],
    ids=[
        "500",
        "502",
        "404",
        "nothing",
        "html",
        "no utf-8",
        "brackets",
        "brackets within",
        "without end",
        "nobody, and no reason",
        "none sent, and no reason",
        "count as text",
        "sent, and a reason",
        "two answers",
        "another number",
        "another amount",
        "a hundredth of a cent more",
        "another currency",
        "amount as number",
        "sent without an id",
        "sent with a null id",
        "sent with an id too long",
        "failed with an id that is none",
        "failed, and sent",
        "refused another amount",
    ],
)
def test_an_answer_that_is_not_clear_is_unknown(
    vendor: Vendor, told: AfricasTalkingAirtime, answer: Response
) -> None:
    vendor.answer = answer
    supplied = told.ask(BOUGHT, within_s=5)

    assert (supplied.standing, supplied.supplier_id) == (Standing.UNKNOWN, None)


@pytest.mark.parametrize("status", ["Queued", "Failed"])
def test_an_unclear_answer_with_an_id_keeps_it_for_the_callback(
    vendor: Vendor, told: AfricasTalkingAirtime, status: str
) -> None:
    vendor.answer = answered({**TAKEN, "status": status})
    assert told.ask(BOUGHT, within_s=5) == Supplied(Standing.UNKNOWN, "ATQid_1", status)


def test_a_redirect_is_not_followed(vendor: Vendor, told: AfricasTalkingAirtime) -> None:
    vendor.answer = Response(status=307, headers={"Location": "/elsewhere"})

    assert told.ask(BOUGHT, within_s=5) == Supplied(Standing.UNKNOWN, None, "HTTP 307")
    assert len(vendor.forms) == 1


def test_an_answer_that_never_ends_is_left_in_time(
    vendor: Vendor, told: AfricasTalkingAirtime
) -> None:
    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield b" "

    vendor.answer = lambda: Response(drops(), 201)
    began = time.monotonic()
    supplied = told.ask(BOUGHT, within_s=0.3)

    assert supplied == Supplied(Standing.UNKNOWN, None, "ReadTimeout")
    assert time.monotonic() - began < 2


def test_a_connection_that_is_refused_took_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    airtime = AfricasTalkingAirtime(
        username="gateway", api_key="secret", base_url=f"http://127.0.0.1:{port}"
    )
    supplied = airtime.ask(BOUGHT, within_s=5)

    assert supplied == Supplied(Standing.REFUSED, None, "no connection: ConnectionError")


def test_a_connection_that_is_cut_may_have_taken_it() -> None:
    with hanging_up() as url:
        airtime = AfricasTalkingAirtime(username="gateway", api_key="secret", base_url=url)
        supplied = airtime.ask(BOUGHT, within_s=5)

    assert supplied == Supplied(Standing.UNKNOWN, None, "ConnectionError")


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("Success", Standing.DONE),
        ("Failed", Standing.REFUSED),
        ("Queued", Standing.PENDING),
    ],
)
def test_a_status_callback_is_read(status: str, standing: Standing) -> None:
    form = {
        "requestId": "ATQid_1",
        "status": status,
        "phoneNumber": AMINA,
        "description": "In the vendor's words",
        "value": "KES 50.0000",
        "discount": "KES 2.0000",
    }
    detail = f"{status} In the vendor's words"
    assert parse_status(form) == StatusReport(
        "ATQid_1", standing, AMINA, Money(50_00, "KES"), detail
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"requestId": ""},
        {"requestId": "None"},
        {"requestId": "AT" * 40},
        {"status": ""},
        {"phoneNumber": ""},
        {"phoneNumber": "Amina"},
    ],
)
def test_a_malformed_status_callback_is_none(wrong: dict[str, str]) -> None:
    good = {"requestId": "ATQid_1", "status": "Success", "phoneNumber": " 254711000001"}
    assert parse_status(good) == StatusReport("ATQid_1", Standing.DONE, AMINA, None, "Success")
    assert parse_status({**good, **wrong}) is None


def test_the_vendors_words_are_cut_to_what_a_database_takes() -> None:
    form = {"requestId": "ATQid_1", "status": "Failed", "phoneNumber": AMINA}
    report = parse_status({**form, "description": "a\0b\ud800c\n" + "x" * 300})

    assert report is not None
    assert report.detail == "Failed a b c " + "x" * (detail_characters_max - 13)


@pytest.mark.parametrize("amount", ["50", "50.0", "50.00", "50.0000"])
def test_a_validation_callback_is_read_exactly(amount: str) -> None:
    form = {"phoneNumber": AMINA, "currencyCode": "KES", "amount": amount}
    assert parse_validation(form) == Validation(AMINA, Money(50_00, "KES"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"phoneNumber": "Amina"},
        {"currencyCode": ""},
        {"currencyCode": "USD"},
        {"amount": ""},
        {"amount": "nan"},
        {"amount": "-50"},
        {"amount": "1e3"},
        {"amount": "50.001"},
    ],
)
def test_a_malformed_validation_callback_is_none(wrong: dict[str, str]) -> None:
    form = {"phoneNumber": AMINA, "currencyCode": "KES", "amount": "50.00"}
    assert parse_validation({**form, **wrong}) is None
