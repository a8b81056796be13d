"""The public contract at the door: which knock gets which answer."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient

from ussd_gateway import app, web
from ussd_gateway.cli.stage.world import GatewayWorld, StillClock
from ussd_gateway.settings import Settings
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.web.server import request_octets_max

USSD = "/ussd/africastalking/dev"
REPORTS = "/sms/africastalking/dev/reports"
HOP = {
    "sessionId": "ATUid_0f",
    "phoneNumber": "+254711000001",
    "networkCode": "63902",
    "serviceCode": "*384#",
    "text": "",
}


def test_a_hop_is_answered_with_a_screen(client: FlaskClient) -> None:
    answer = client.post(USSD, data=HOP)

    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.text == (
        "CON Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/ussd/africastalking/wrong",
        "/ussd/elsewhere/dev",
        "/ussd/africastalking/wrong/events",
        "/sms/africastalking/wrong/reports",
        "/sms/elsewhere/dev/reports",
        "/nothing",
    ],
)
def test_a_wrong_token_or_route_is_not_there(client: FlaskClient, path: str) -> None:
    assert client.post(path, data=HOP).status_code == 404


def test_an_address_that_is_not_listed_is_not_let_in(client: FlaskClient) -> None:
    outside = {"REMOTE_ADDR": "203.0.113.9"}

    assert client.post(USSD, data=HOP, environ_base=outside).status_code == 403
    assert client.post(REPORTS, data={}, environ_base=outside).status_code == 403


def test_a_listed_address_is_believed_from_our_proxy_only(
    world: GatewayWorld, settings: Settings
) -> None:
    behind = settings.model_copy(
        update={
            "allowed_ips": (ip_network("196.201.0.0/16"),),
            "trusted_proxies": (ip_network("127.0.0.1"),),
        }
    )
    client = web.door(world.gateway, behind).test_client()
    forwarded = {"X-Forwarded-For": "196.201.1.1"}

    assert client.post(USSD, data=HOP, headers=forwarded).status_code == 200
    assert client.post(USSD, data=HOP).status_code == 403
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    stranger = client.post(USSD, data=HOP, headers=forwarded, environ_base=elsewhere)
    assert stranger.status_code == 403


@pytest.mark.parametrize("missing", ["sessionId", "phoneNumber", "serviceCode", "text"])
def test_a_missing_field_is_named(client: FlaskClient, missing: str) -> None:
    answer = client.post(USSD, data={name: HOP[name] for name in HOP if name != missing})

    assert answer.status_code == 400
    assert answer.text == f"missing or malformed: {missing}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe=1",
        b"sessionId=%FF",
        b"text=1&text=2",
        b"&".join(b"f%d=1" % n for n in range(40)),
        b'{"sessionId": "x"}',
    ],
    ids=["empty", "not utf-8", "not utf-8 within", "twice", "many fields", "json"],
)
def test_a_body_that_is_no_form_is_malformed(client: FlaskClient, body: bytes) -> None:
    assert client.post(USSD, data=body).status_code == 400


def test_a_get_lacks_every_field(client: FlaskClient) -> None:
    assert client.get(USSD, query_string=HOP).status_code == 400


def test_a_body_that_is_too_large_is_not_read(client: FlaskClient) -> None:
    long = {**HOP, "text": "1" * request_octets_max}

    assert client.post(USSD, data=long).status_code == 413


def test_a_service_code_that_is_not_ours_is_an_end(client: FlaskClient) -> None:
    answer = client.post(USSD, data={**HOP, "serviceCode": "*999#"})

    assert answer.status_code == 200
    assert answer.text.startswith("END ")


def test_the_end_of_a_session_is_taken(client: FlaskClient) -> None:
    end = {"sessionId": "ATUid_0f", "status": "Incomplete", "input": "1*4826"}

    assert client.post(f"{USSD}/events", data=end).status_code == 200
    assert client.post(f"{USSD}/events", data={"sessionId": "x"}).status_code == 400


def test_a_report_is_taken_whosever_it_is(client: FlaskClient) -> None:
    assert client.post(REPORTS, data={"id": "ATXid_9", "status": "Success"}).status_code == 200
    assert client.post(REPORTS, data={"status": "Success"}).status_code == 400


def test_health_readiness_and_figures(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "up"
    assert client.get("/readyz").text == "ready"
    assert "gateway_outbox_messages" in client.get("/metrics").text


def test_it_is_not_ready_without_its_parts(world: GatewayWorld, settings: Settings) -> None:
    lost = settings.model_copy(update={"redis_url": "unix:///nowhere.sock"})
    world.gateway.writer.stop()
    answer = web.door(world.gateway, lost).test_client().get("/readyz")

    assert answer.status_code == 503
    assert "the ledger's writer has stopped" in answer.text
    assert "Redis does not answer" in answer.text


def test_it_is_not_ready_on_a_day_that_is_closed(
    world: GatewayWorld, settings: Settings
) -> None:
    """As one looks to a clock that was set back."""
    ahead = StillClock()
    ahead.wait(timedelta(days=2))
    market = app.market(settings)
    while EndOfDay(world.gateway.engine, ahead, market).close_next():
        pass
    client = web.door(world.gateway, settings).test_client()

    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "by this clock today is closed: no payments until 2026-11-23"
    inputs = ("", "1", "0711000002", "100", "4826")
    texts = ("*".join(inputs[1 : last + 1]) for last in range(len(inputs)))
    screens = [client.post(USSD, data=HOP | {"text": text}).text for text in texts]
    assert screens[-1].startswith("END The service is busy.")
    world.clock.wait(timedelta(days=2))
    assert client.get("/readyz").text == "ready"


def test_a_phone_gets_a_screen_even_where_the_gateway_is_at_fault(
    world: GatewayWorld, settings: Settings
) -> None:
    class Broken:
        def answer(self, _request: object) -> None:
            raise RuntimeError("a bug")

        broken = world.gateway.turn.broken

    gateway = replace(world.gateway, turn=Broken())  # type: ignore[arg-type]
    answer = web.door(gateway, settings).test_client().post(USSD, data=HOP)

    assert answer.status_code == 200
    assert answer.text == ("END We are still checking. Wait for the SMS; do not send again.")
