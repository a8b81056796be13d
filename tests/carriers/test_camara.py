"""Carrier billing over real HTTP: against the simulated carrier, and against worse ones."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Response, request

from tests.simulators.stand_in import served
from ussd_gateway.carriers import camara
from ussd_gateway.carriers.camara import CamaraBilling, reference
from ussd_gateway.domain.book import Purchase
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Carrier, Standing, Supplied
from ussd_gateway.simulators.carrier import Charges, Mood, carrier_api

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ARTICLE = Purchase(
    key="0193f2ab-0000-7000-8000-000000000001:buy_pin:4",
    kind="content",
    subscriber_id=1,
    msisdn=Msisdn("+254711000001"),
    amount=Money(20_00, "KES"),
    merchant="700700",
    item="Article 7",
    asked_at_ms=int(NOON.timestamp() * 1000),
)
REFERENCE = reference(ARTICLE.key)
PATH = "/carrier-billing/v0.5/payments"
TOKEN = "moonlight"
AMPLE_S = 5.0
SHORT_S = 0.3


NAMES = {"700700": "Tamu Content"}


def billing(url: str, token: str = TOKEN) -> CamaraBilling:
    return CamaraBilling(base_url=url, token=token, merchant_name=NAMES.get)


# --- against the simulated carrier -----------------------------------------------------------


class Simulated:
    """The carrier on a port, its clock set by hand; a silence lasts until it is told to end."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.silence_ends = threading.Event()
        self.charges = Charges(folder / "carrier.sqlite")
        self.app = Flask("carrier")
        numbers = iter(range(10_000))
        self.app.register_blueprint(
            carrier_api(
                self.charges,
                token=TOKEN,
                octets=lambda count: next(numbers).to_bytes(count, "big"),
                now=lambda: self.now,
                hold=self._hold,
            )
        )
        self.url = ""

    def feels(self, mood: Mood) -> None:
        answer = requests.post(f"{self.url}/mood", json={"mood": mood.value}, timeout=5)
        assert answer.status_code == 200

    def payments(self) -> list[Any]:
        kept = self.charges.between("2000", "3000")
        return [json.loads(one) for one in kept]

    def _hold(self) -> None:
        self.silence_ends.wait(10)


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Simulated]:
    simulated = Simulated(tmp_path)
    with served(simulated.app) as url:
        simulated.url = f"{url}/carrier"
        yield simulated
        simulated.silence_ends.set()


@pytest.fixture
def billed(carrier: Simulated) -> Carrier:
    return billing(carrier.url)


def test_a_charge_is_done_once_and_found_again(carrier: Simulated, billed: Carrier) -> None:
    asked = billed.ask(ARTICLE, within_s=AMPLE_S)

    assert asked == Supplied(Standing.DONE, "CB000000000000000000000000", "succeeded")
    assert billed.find(ARTICLE, within_s=AMPLE_S) == asked
    [payment] = carrier.payments()
    assert payment["amountTransaction"] == {
        "phoneNumber": "+254711000001",
        "clientCorrelator": ARTICLE.key,
        "referenceCode": REFERENCE,
        "paymentAmount": {
            "chargingInformation": {
                "amount": 20.0,
                "currency": "KES",
                "description": "Article 7",
                "isTaxIncluded": True,
            },
            "chargingMetaData": {
                "merchantName": "Tamu Content",
                "merchantIdentifier": "700700",
                "channel": "USSD",
                "productId": "Article 7",
            },
        },
    }


def test_a_carrier_that_refuses_has_charged_nothing(
    carrier: Simulated, billed: Carrier
) -> None:
    carrier.feels(Mood.REFUSES)

    assert billed.ask(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.REFUSED, None, "403 CARRIER_BILLING.PAYMENT_DENIED"
    )
    assert billed.find(ARTICLE, within_s=AMPLE_S).standing is Standing.ABSENT


def test_a_number_that_is_nobodys_is_refused(billed: Carrier) -> None:
    nobody = replace(ARTICLE, msisdn=Msisdn("+254700000001"))

    assert billed.ask(nobody, within_s=AMPLE_S) == Supplied(
        Standing.REFUSED, None, "404 IDENTIFIER_NOT_FOUND"
    )


def test_a_silence_before_the_charge_is_unknown_and_then_absent(
    carrier: Simulated, billed: Carrier
) -> None:
    carrier.feels(Mood.SILENT)
    began_s = time.monotonic()

    assert billed.ask(ARTICLE, within_s=SHORT_S) == Supplied(
        Standing.UNKNOWN, None, "ReadTimeout"
    )
    assert time.monotonic() - began_s < SHORT_S + 2
    assert billed.find(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.ABSENT, None, "not among 0 payments"
    )


def test_a_silence_after_the_charge_is_unknown_and_then_done(
    carrier: Simulated, billed: Carrier
) -> None:
    carrier.feels(Mood.SILENT_AFTER_CHARGING)

    assert billed.ask(ARTICLE, within_s=SHORT_S).standing is Standing.UNKNOWN
    assert billed.find(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.DONE, "CB000000000000000000000000", "succeeded"
    )


@pytest.mark.parametrize("mood", Mood)
def test_a_duplicate_is_never_a_refusal(
    carrier: Simulated, billed: Carrier, mood: Mood
) -> None:
    billed.ask(ARTICLE, within_s=AMPLE_S)
    carrier.feels(mood)

    assert billed.ask(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.UNKNOWN, None, "409 ALREADY_EXISTS"
    )
    assert len(carrier.payments()) == 1


def test_a_wrong_token_says_nothing_about_the_charge(carrier: Simulated) -> None:
    stranger = billing(carrier.url, token="starlight")

    for said in (
        stranger.ask(ARTICLE, within_s=AMPLE_S),
        stranger.find(ARTICLE, within_s=AMPLE_S),
    ):
        assert said == Supplied(Standing.UNKNOWN, None, "401 UNAUTHENTICATED")


def test_a_payment_is_found_behind_many_others(billed: Carrier) -> None:
    for number in range(camara.page_size + 5):
        billed.ask(replace(ARTICLE, key=f"other:{number}"), within_s=AMPLE_S)
    assert billed.find(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.ABSENT, None, "not among 105 payments"
    )
    billed.ask(ARTICLE, within_s=AMPLE_S)

    assert billed.find(ARTICLE, within_s=AMPLE_S).standing is Standing.DONE


@pytest.mark.parametrize(
    ("carriers_clock", "standing"),
    [
        (NOON - camara.clock_skew_max, Standing.DONE),
        (NOON + timedelta(days=2), Standing.DONE),
        # Before the purchase was made: no payment of ours can be there.
        (NOON - camara.clock_skew_max - timedelta(seconds=1), Standing.ABSENT),
    ],
)
def test_a_payment_is_looked_for_from_a_little_before_the_purchase_on(
    carrier: Simulated, billed: Carrier, carriers_clock: datetime, standing: Standing
) -> None:
    carrier.now = carriers_clock
    billed.ask(ARTICLE, within_s=AMPLE_S)

    assert billed.find(ARTICLE, within_s=AMPLE_S).standing is standing


def test_each_thread_has_a_session_and_keeps_it(carrier: Simulated) -> None:
    made = []

    def session() -> requests.Session:
        made.append(requests.Session())
        return made[-1]

    kept = CamaraBilling(
        base_url=carrier.url, token=TOKEN, merchant_name=NAMES.get, sessions=session
    )
    for number in range(3):
        kept.ask(replace(ARTICLE, key=f"one:{number}"), within_s=AMPLE_S)
    other = threading.Thread(target=lambda: kept.find(ARTICLE, within_s=AMPLE_S))
    other.start()
    other.join()

    assert len(made) == 2


# --- against others --------------------------------------------------------------------------


class Stranger:
    """Answers what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer = Response()
        self.body = b""
        self.headers: Mapping[str, str] = {}
        self.queries: list[dict[str, str]] = []
        self.pages: Callable[[int], Response] = lambda _page: self.answer
        self.app = Flask("stranger")
        self.app.post(PATH)(self._charge)
        self.app.get(PATH)(self._list)
        self.app.post("/elsewhere")(self._charge)

    def _charge(self) -> Response:
        self.body, self.headers = request.get_data(), dict(request.headers)
        return self.answer

    def _list(self) -> Response:
        self.queries.append(request.args.to_dict())
        return self.pages(int(request.args["page"]))


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture
def door(stranger: Stranger) -> Iterator[Carrier]:
    with served(stranger.app) as url:
        yield billing(url)


def payment(
    status: str = "succeeded",
    *,
    amount: str = "20.00",
    wrong: Mapping[str, object] | None = None,
) -> str:
    """One that answers ARTICLE, but for what is `wrong` of its transaction."""
    transaction = {
        "phoneNumber": ARTICLE.msisdn,
        "clientCorrelator": ARTICLE.key,
        "referenceCode": REFERENCE,
        "paymentAmount": {"chargingInformation": {"amount": "AMOUNT", "currency": "KES"}},
        **(wrong or {}),
    }
    body = {
        "paymentId": "CB1",
        "paymentStatus": status,
        "paymentCreationDate": "2026-11-21T12:00:00Z",
        "amountTransaction": {k: v for k, v in transaction.items() if v is not None},
    }
    return json.dumps(body).replace('"AMOUNT"', amount)


def listed(*payments: str, total: str | None) -> Response:
    response = Response(f"[{','.join(payments)}]", content_type="application/json")
    if total is not None:
        response.headers["X-Total-Count"] = total
    return response


def error(status: int, code: str) -> Response:
    body = {"status": status, "code": code, "message": "0711000001 may not"}
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("succeeded", Standing.DONE),
        ("processing", Standing.PENDING),
        ("denied", Standing.REFUSED),
        ("cancelled", Standing.REFUSED),
        ("pending_validation", Standing.UNKNOWN),
        ("reserved", Standing.UNKNOWN),
        ("SUCCEEDED", Standing.UNKNOWN),
        ("", Standing.UNKNOWN),
    ],
)
def test_each_status_of_a_payment_has_its_standing(
    stranger: Stranger, door: Carrier, status: str, standing: Standing
) -> None:
    stranger.answer = Response(payment(status), 201)
    asked = door.ask(ARTICLE, within_s=AMPLE_S)
    stranger.answer = listed(payment(status), total="1")

    assert (asked.standing, asked.supplier_id) == (standing, "CB1")
    assert door.find(ARTICLE, within_s=AMPLE_S) == asked


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "CARRIER_BILLING.PAYMENT_DENIED"),
        (404, "IDENTIFIER_NOT_FOUND"),
        (422, "SERVICE_NOT_APPLICABLE"),
        (422, "MISSING_IDENTIFIER"),
        (422, "UNNECESSARY_IDENTIFIER"),
        (422, "CARRIER_BILLING.UNAUTHORIZED_AMOUNT"),
        (422, "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED"),
    ],
)
def test_a_refusal_is_final(stranger: Stranger, door: Carrier, status: int, code: str) -> None:
    stranger.answer = error(status, code)

    assert door.ask(ARTICLE, within_s=AMPLE_S) == Supplied(
        Standing.REFUSED, None, f"{status} {code}"
    )


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "INVALID_ARGUMENT"),
        error(401, "AUTHENTICATION_REQUIRED"),
        error(403, "PERMISSION_DENIED"),
        error(404, "NOT_FOUND"),
        error(409, "ALREADY_EXISTS"),
        error(409, "CARRIER_BILLING.PAYMENT_DENIED"),
        error(422, "payment_denied"),
        error(429, "TOO_MANY_REQUESTS"),
        error(500, "CARRIER_BILLING.PAYMENT_DENIED"),
        Response("<html>Forbidden</html>", 403),
        Response("not found", 404),
        Response("", 502),
        Response("", 503),
        Response("", 504),
        Response(payment(), 202),
        Response("", 204),
    ],
)
def test_what_is_no_refusal_and_no_payment_is_unknown(
    stranger: Stranger, door: Carrier, answer: Response
) -> None:
    stranger.answer = answer
    for said in (
        door.ask(ARTICLE, within_s=AMPLE_S),
        door.find(ARTICLE, within_s=AMPLE_S),
    ):
        assert said.standing is Standing.UNKNOWN
        assert said.detail.startswith(str(answer.status_code))
        assert "0711000001" not in said.detail


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "{}", "[]", "null", "20", '{"paymentId": "CB1"', '{"paymentId": 1}', "\xff"],
)
def test_an_answer_that_cannot_be_read_is_unknown(
    stranger: Stranger, door: Carrier, body: str
) -> None:
    stranger.answer = Response(body.encode("latin-1"), 201)

    assert door.ask(ARTICLE, within_s=AMPLE_S).standing is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (payment(amount="20.01"), "amount"),
        (payment(amount="2000"), "amount"),
        (payment(amount="-20"), "amount"),
        (payment(amount="1e400"), "amount"),
        (payment(amount='"sNaN"'), "amount"),
        (payment(wrong={"phoneNumber": "+254711000002"}), "phoneNumber"),
        (payment(wrong={"clientCorrelator": "another"}), "clientCorrelator"),
        (payment(wrong={"clientCorrelator": None}), "clientCorrelator"),
        (payment(wrong={"referenceCode": "another"}), "referenceCode"),
        (payment().replace("KES", "UGX"), "currency"),
        (payment().replace("CB1", ""), "paymentId"),
    ],
)
def test_a_payment_that_is_not_what_was_asked_for_is_unknown(
    stranger: Stranger, door: Carrier, answer: str, named: str
) -> None:
    stranger.answer = Response(answer, 201)
    asked = door.ask(ARTICLE, within_s=AMPLE_S)
    stranger.answer = listed(answer, total="1")

    assert (asked.standing, asked.detail) == (Standing.UNKNOWN, f"another {named}")
    assert door.find(ARTICLE, within_s=AMPLE_S) == asked


@pytest.mark.parametrize("amount", ["20", "20.0", "20.000", "2e1"])
def test_an_amount_may_be_written_in_any_way(
    stranger: Stranger, door: Carrier, amount: str
) -> None:
    stranger.answer = Response(payment(amount=amount), 201)

    assert door.ask(ARTICLE, within_s=AMPLE_S).standing is Standing.DONE


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(20_00, "KES"), b"20.00"),
        (Money(1, "KES"), b"0.01"),
        (Money(1_234_567_89, "KES"), b"1234567.89"),
        (Money(9_007_199_254_740_993_01, "KES"), b"9007199254740993.01"),
        (Money(1_500, "UGX"), b"1500"),
    ],
)
def test_an_amount_is_written_to_the_last_digit_and_compared_so(
    stranger: Stranger, door: Carrier, money: Money, written: bytes
) -> None:
    bought = replace(ARTICLE, amount=money)
    text = payment(amount=written.decode()).replace("KES", money.currency)
    stranger.answer = Response(text, 201)

    assert door.ask(bought, within_s=AMPLE_S).standing is Standing.DONE
    assert b'"amount":' + written + b"," in stranger.body


def test_a_replayed_duplicate_says_what_the_first_one_did(
    stranger: Stranger, door: Carrier
) -> None:
    stranger.answer = Response(payment(), 200)

    assert door.ask(ARTICLE, within_s=AMPLE_S) == Supplied(Standing.DONE, "CB1", "succeeded")


def test_a_request_carries_the_token_and_one_correlator_that_is_allowed(
    stranger: Stranger, door: Carrier
) -> None:
    stranger.answer = Response(payment(), 201)
    door.ask(ARTICLE, within_s=AMPLE_S)

    assert stranger.headers["Authorization"] == f"Bearer {TOKEN}"
    assert stranger.headers["X-Correlator"] == REFERENCE
    assert stranger.headers["Content-Type"] == "application/json"
    assert REFERENCE == "pay-22a4b4e880568e5bb48b58a7db8faa05"


def test_a_redirect_charges_nobody_elsewhere(stranger: Stranger, door: Carrier) -> None:
    stranger.answer = Response("", 307, headers={"Location": "/elsewhere"})

    assert door.ask(ARTICLE, within_s=AMPLE_S).standing is Standing.UNKNOWN


# --- lists -----------------------------------------------------------------------------------


def others(count: int, start: int = 0) -> list[str]:
    stranger_to_us = {"clientCorrelator": "theirs", "referenceCode": "theirs"}
    text = payment(wrong=stranger_to_us)
    return [text.replace("CB1", f"X{start + number}") for number in range(count)]


@pytest.mark.parametrize(
    ("answer", "standing", "detail"),
    [
        (listed(total="0"), Standing.ABSENT, "not among 0 payments"),
        (listed(*others(2), total="2"), Standing.ABSENT, "not among 2 payments"),
        # A carrier may cut its pages shorter than it was asked to: a short one is no end.
        (listed(total=None), Standing.UNKNOWN, "a list that does not say how long it is"),
        (listed(total="many"), Standing.UNKNOWN, "a list that does not say how long it is"),
        (listed(total="-1"), Standing.UNKNOWN, "a list that does not say how long it is"),
        (listed(total="1"), Standing.UNKNOWN, "a list that is shorter than it says"),
        # The same page again and again.
        (
            listed(*others(2), total="3"),
            Standing.UNKNOWN,
            "a list that is shorter than it says",
        ),
        (Response("{}"), Standing.UNKNOWN, "a list that cannot be read"),
        (Response("[{}]"), Standing.UNKNOWN, "a list that cannot be read"),
        (
            listed(payment(), payment().replace("CB1", "CB2"), total="2"),
            Standing.UNKNOWN,
            "several payments under one correlator",
        ),
        (listed(*others(3), payment(), total=None), Standing.DONE, "succeeded"),
    ],
)
def test_only_a_whole_list_without_it_says_that_it_is_absent(
    stranger: Stranger, door: Carrier, answer: Response, standing: Standing, detail: str
) -> None:
    stranger.answer = answer
    said = door.find(ARTICLE, within_s=AMPLE_S)

    assert (said.standing, said.detail) == (standing, detail)


def test_pages_are_read_in_order_to_the_end_and_no_further(
    stranger: Stranger, door: Carrier
) -> None:
    stranger.pages = lambda page: listed(*others(7, start=7 * page), total="21")

    assert door.find(ARTICLE, within_s=AMPLE_S).standing is Standing.ABSENT
    assert stranger.queries == [
        {
            "paymentCreationDate.gte": "2026-11-21T11:50:00.000+00:00",
            "order": "asc",
            "page": str(page),
            "perPage": "100",
        }
        for page in (1, 2, 3)
    ]


def test_a_list_without_an_end_is_given_up(stranger: Stranger, door: Carrier) -> None:
    stranger.pages = lambda page: listed(*others(2, start=2 * page), total="999999")
    said = door.find(ARTICLE, within_s=AMPLE_S)

    assert said == Supplied(Standing.UNKNOWN, None, "a list of more than 10 pages")
    assert len(stranger.queries) == camara.pages_max


# --- lines that break ------------------------------------------------------------------------


def read_request(line: socket.socket) -> None:
    """All of it: hanging up on what was not read would be a reset."""
    with line.makefile("rb") as octets:
        length = 0
        while (header := octets.readline()).strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        octets.read(length)


@contextmanager
def wire(*answer: bytes, pause_s: float = 0.0) -> Iterator[str]:
    """A carrier that reads a request, sends these octets with pauses between them, and hangs
    up; for each connection again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    read_request(line)
                    try:
                        for piece in answer:
                            line.sendall(piece)
                            time.sleep(pause_s)
                    except OSError:
                        pass  # the client has gone

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


WHOLE = b"HTTP/1.1 201 Created\r\nContent-Length: 5000\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        (),
        (b"HTTP/1.1 201 Cre",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (WHOLE,),
        (WHOLE + payment().encode()[:90],),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",),
    ],
    ids=[
        "nothing",
        "half a line",
        "no HTTP",
        "no body",
        "half a body",
        "half a chunk",
        "no chunk",
    ],
)
def test_a_connection_that_is_cut_is_unknown(answer: tuple[bytes, ...]) -> None:
    with wire(*answer) as url:
        assert billing(url).ask(ARTICLE, within_s=AMPLE_S).standing is Standing.UNKNOWN
        assert billing(url).find(ARTICLE, within_s=AMPLE_S).standing is Standing.UNKNOWN


def test_an_answer_that_drips_is_waited_for_no_longer() -> None:
    with wire(WHOLE, *[b"{"] * 100, pause_s=0.05) as url:
        began_s = time.monotonic()

        assert billing(url).ask(ARTICLE, within_s=SHORT_S) == Supplied(
            Standing.UNKNOWN, None, "ReadTimeout"
        )
        assert time.monotonic() - began_s < SHORT_S + 2


def test_an_answer_without_an_end_is_not_read_to_its_end() -> None:
    endless = b"HTTP/1.1 201 Created\r\n\r\n" + b" " * (camara.answer_octets_max + 1)
    with wire(endless) as url:
        assert billing(url).ask(ARTICLE, within_s=AMPLE_S) == Supplied(
            Standing.UNKNOWN, None, "an answer without an end"
        )


def test_where_no_connection_comes_about_nothing_was_charged() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = billing(f"http://127.0.0.1:{closed.getsockname()[1]}")

        asked = nobody.ask(ARTICLE, within_s=AMPLE_S)
        found = nobody.find(ARTICLE, within_s=AMPLE_S)

    assert asked == Supplied(Standing.REFUSED, None, "no connection: ConnectionError")
    # A question that was not put has no answer.
    assert found.standing is Standing.UNKNOWN


def test_where_no_time_is_left_nothing_is_said(stranger: Stranger, door: Carrier) -> None:
    assert door.find(ARTICLE, within_s=0) == Supplied(
        Standing.UNKNOWN, None, "no answer in time"
    )
    assert stranger.queries == []


def test_only_content_goes_on_a_phone_bill(door: Carrier) -> None:
    with pytest.raises(AssertionError):
        door.ask(replace(ARTICLE, kind="airtime"), within_s=AMPLE_S)


def test_the_token_is_in_no_log_and_no_repr(
    stranger: Stranger, door: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stranger.answer = Response("", 500)
    said = [
        door.ask(ARTICLE, within_s=AMPLE_S),
        door.find(ARTICLE, within_s=AMPLE_S),
        door.ask(ARTICLE, within_s=0),
    ]

    assert caplog.records
    assert TOKEN not in f"{caplog.text} {said} {door!r} {vars(door)}"
    assert ARTICLE.msisdn[1:] not in f"{caplog.text} {said}"
