"""Every route at the door: by its own method and path, answered in its own shape."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.aggregators.samples import ROUTES, Sample, sample
from ussd_gateway import web
from ussd_gateway.aggregators.wire import Sent
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.settings import Settings
from ussd_gateway.web.server import request_octets_max

HOME = "Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
NOT_SERVED = "This code is not in service. Nothing was charged."
CHECKING = "We are still checking. Wait for the SMS; do not send again."

# Where each has its screen, and what it says of one that ends.
SCREENS = {
    "hubtel": ("Message", "Type", "Release"),
    "nalo": ("MSG", "MSGTYPE", False),
    "arkesel": ("message", "continueSession", False),
    "beem": ("payload", "command", "terminate"),
    "moolre": ("message", "reply", False),
    "infobip": ("ussdMenu", "shouldClose", True),
}
OTHER_CODE = {
    "africastalking": {"serviceCode": "*999#"},
    "hubtel": {"ServiceCode": "999", "Message": "*999#"},
    "nalo": {"USERDATA": "*999#"},
    "arkesel": {"userData": "*999#"},
    "wigal": {"userdata": "*999#"},
    "moolre": {"extension": 999},
    "infobip": {"shortCode": "*999#", "text": "*999#"},
}
TELLING = ("africastalking", "hubtel", "wigal", "beem", "infobip")


def knock(client: FlaskClient, route: str, sent: Sent, token: str = "dev") -> TestResponse:
    path = f"/ussd/{route}/{token}" + (f"/{sent.path}" if sent.path else "")
    if not sent.body:
        return client.get(path, query_string=sent.query.decode())
    kind = "application/json" if sent.body[:1] == b"{" else "application/x-www-form-urlencoded"
    return client.post(path, data=sent.body, content_type=kind)


def read(route: str, answer: TestResponse) -> tuple[str, bool]:
    """The screen, and whether it ends the session."""
    assert answer.status_code == 200, answer.text
    if route == "africastalking":
        return answer.text[4:], answer.text.startswith("END ")
    if route == "wigal":
        values = answer.text.split("|")
        return values[4].replace("^", "\n"), values[1] == "END"
    found = json.loads(answer.text)
    name, mark, ends = SCREENS[route]
    screen = found[name]["request"] if isinstance(found[name], Mapping) else found[name]
    return screen, found[mark] == ends


def of(route: str, what: str) -> Sample:
    return sample(route, what)


@pytest.mark.parametrize("route", ROUTES)
def test_a_first_hop_is_answered_with_the_first_screen(client: FlaskClient, route: str) -> None:
    answer = knock(client, route, of(route, "first").sent)

    assert answer.content_type == of(route, "first").content_type
    assert read(route, answer) == (HOME, False)


@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_token_or_path_is_not_there(client: FlaskClient, route: str) -> None:
    sent = of(route, "first").sent

    assert knock(client, route, sent, token="wrong").status_code == 404
    assert knock(client, route, replace(sent, path="nothing")).status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_an_address_that_is_not_listed_is_not_let_in(client: FlaskClient, route: str) -> None:
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    answer = client.post(f"/ussd/{route}/dev", data=b"", environ_base=outside)
    assert answer.status_code == 403


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_malformed_is_told_by_its_fields(client: FlaskClient, route: str) -> None:
    sent = of(route, "later").sent
    answer = (
        knock(client, route, replace(sent, query=b"mode=MORE&userdata=4826"))
        if sent.query
        else client.post(f"/ussd/{route}/dev/{sent.path}".rstrip("/"), data=b'{"text": "4826"}')
    )

    assert answer.status_code == 400
    assert answer.text.startswith("missing or malformed: ")
    assert "4826" not in answer.text


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_is_too_large_is_not_read(client: FlaskClient, route: str) -> None:
    answer = client.post(f"/ussd/{route}/dev", data=b"1" * (request_octets_max + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("route", OTHER_CODE)
def test_a_code_that_is_not_ours_is_an_end(client: FlaskClient, route: str) -> None:
    sent = of(route, "first").with_fields(**OTHER_CODE[route])  # type: ignore[arg-type]
    assert read(route, knock(client, route, sent)) == (NOT_SERVED, True)


@pytest.mark.parametrize("route", TELLING)
def test_the_end_of_a_session_is_told_to_the_turn_and_answered(
    world: GatewayWorld, client: FlaskClient, route: str
) -> None:
    each = of(route, "ended")
    answer = knock(client, route, each.sent)

    assert (answer.status_code, answer.content_type) == (200, each.content_type)
    [line] = [line for line in world.logs if "session.ended" in line]
    assert f"route={route}" in line


@pytest.mark.parametrize("route", ROUTES)
def test_where_the_gateway_is_at_fault_the_phone_gets_a_screen_all_the_same(
    world: GatewayWorld, settings: Settings, route: str
) -> None:
    class Broken:
        def answer(self, _request: object) -> None:
            raise RuntimeError("a bug")

        broken = world.gateway.turn.broken

    gateway = replace(world.gateway, turn=Broken())  # type: ignore[arg-type]
    client = web.door(gateway, settings).test_client()

    answer = knock(client, route, of(route, "first").sent)
    assert read(route, answer) == (CHECKING, True)


@pytest.mark.parametrize("code", ["*385#", None], ids=["named once", "never named"])
def test_a_later_hop_without_its_code_goes_on_where_it_began(
    world: GatewayWorld, client: FlaskClient, code: str | None
) -> None:
    """Infobip calls the code optional; the one that it falls back to is not the agents'."""
    agent = world.people["Wanjiru"].msisdn
    first = of("infobip", "first").with_fields(msisdn=agent, text="*385#", shortCode=code)
    home, _ends = read("infobip", knock(client, "infobip", first))
    later = of("infobip", "later").with_fields(msisdn=agent, text="9", shortCode=None)

    assert home.startswith("Agent")
    again = f"Not an option. Try again.\n{home}"
    assert read("infobip", knock(client, "infobip", later)) == (again, False)


def test_a_number_that_json_cannot_say_is_malformed(client: FlaskClient) -> None:
    sent = of("nalo", "first").sent
    huge = replace(sent, body=sent.body.replace(b'"PESADEMO"', b"1e999"))
    answer = knock(client, "nalo", huge)

    assert b"1e999" in huge.body
    assert (answer.status_code, answer.text) == (400, "missing or malformed: body")


def test_a_put_is_taken_as_a_post(client: FlaskClient) -> None:
    sent = of("infobip", "first").sent
    answer = client.put(
        f"/ussd/infobip/dev/{sent.path}", data=sent.body, content_type="application/json"
    )
    assert read("infobip", answer) == (HOME, False)
