"""Each aggregator as it is simulated: it reaches a gateway by our own table of routes, and
takes nothing for an answer but what its vendor describes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, Response, abort, request

from ussd_gateway.aggregators.table import Table, load_table
from ussd_gateway.aggregators.wire import Asked, Ended, Sent
from ussd_gateway.ports import Reply, Request
from ussd_gateway.simulators.handset import Handset, Screen
from ussd_gateway.simulators.vendors import VENDORS
from ussd_gateway.simulators.vendors.vendor import Misread, Session

from .stand_in import served

ROOT = Path(__file__).parents[2]
AMINA = "+254711000001"
DOWN = "External application down. Please try again later."


def shipped() -> Table:
    source = (ROOT / "menus" / "routes.yaml").read_bytes()
    table = load_table(source, file="routes.yaml", packs={"customer", "agent"})
    assert isinstance(table, Table), table
    return table


@dataclass
class Gateway:
    """A gateway that answers by our table: what came, and ENDs where somebody types 9."""

    requests: list[Request] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    url: str = ""

    def application(self) -> Flask:
        wires = shipped().wires
        flask = Flask("by_our_table")

        @flask.route("/ussd/<route>/dev", methods=["GET", "POST"], defaults={"path": ""})
        @flask.route("/ussd/<route>/dev/<path:path>", methods=["GET", "POST"])
        def callback(route: str, path: str) -> Response:
            found = wires[route].read(Sent(path, request.query_string, request.get_data()))
            if isinstance(found, Ended):
                self.ends.append(found)
                return Response(found.answer.body, content_type=found.answer.content_type)
            if not isinstance(found, Asked):
                abort(400, str(found))
            self.requests.append(found.request)
            ends = found.request.text.rpartition("*")[2] == "9"
            reply = Reply("Bye\nfor now" if ends else f"Pesa\n{len(self.requests)}", ends)
            written = wires[route].write(found, reply)
            return Response(written.body, content_type=written.content_type)

        return flask

    def phone(self, route: str) -> Handset:
        return Handset(f"{self.url}/ussd/{route}/dev", AMINA)


@pytest.fixture
def by_our_table() -> Iterator[Gateway]:
    gateway = Gateway()
    with served(gateway.application()) as url:
        gateway.url = url
        yield gateway


@pytest.mark.parametrize("route", VENDORS)
def test_a_conversation_reaches_the_gateway_and_comes_back(
    route: str, by_our_table: Gateway
) -> None:
    phone = by_our_table.phone(route)
    assert phone.dial("*384#") == Screen("Pesa\n1", ends=False)
    assert phone.enter("0") == Screen("Pesa\n2", ends=False)
    assert phone.enter("9") == Screen("Bye\nfor now", ends=True)

    latest = [each.text.rpartition("*")[2] for each in by_our_table.requests]
    assert latest == ["", "0", "9"]
    assert {each.msisdn for each in by_our_table.requests} == {AMINA}
    # Some send it never, or in what is dialled only: it is the one that the session began with.
    first, *others = [each.service_code for each in by_our_table.requests]
    assert first == "*384#"
    assert set(others) == {"" if route in ("nalo", "arkesel", "wigal", "beem") else "*384#"}
    assert {each.session_id for each in by_our_table.requests} == {phone.session_id}


@pytest.mark.parametrize("route", VENDORS)
def test_a_dialled_string_comes_whole_where_the_vendor_sends_it(
    route: str, by_our_table: Gateway
) -> None:
    by_our_table.phone(route).dial("*384*1*0711000002#")
    assert by_our_table.requests[0].text == ("" if route == "beem" else "1*0711000002")


@pytest.mark.parametrize("route", VENDORS)
def test_a_repeat_is_the_same_request(route: str, by_our_table: Gateway) -> None:
    phone = by_our_table.phone(route)
    phone.dial("*384#")
    phone.enter("1")
    again = phone.repeat()

    assert by_our_table.requests[1] == by_our_table.requests[2]
    # This gateway counts; one that remembers would have given the same.
    assert (again.screen, again.identical) == (Screen("Pesa\n3", ends=False), False)


@pytest.mark.parametrize("route", VENDORS)
def test_a_session_that_is_given_up_is_told_where_the_vendor_tells(
    route: str, by_our_table: Gateway
) -> None:
    phone = by_our_table.phone(route)
    phone.dial("*384#")
    session_id = phone.session_id
    phone.hang_up()

    told = {
        "africastalking": ["Incomplete"],
        "hubtel": ["Release"],
        "wigal": ["END"],
        "beem": ["terminate"],
        "infobip": ["end"],
    }
    assert [each.status for each in by_our_table.ends] == told.get(route, [])
    assert all(each.session_id == session_id for each in by_our_table.ends)


@pytest.mark.parametrize("route", VENDORS)
def test_a_session_that_we_end_is_told_by_few(route: str, by_our_table: Gateway) -> None:
    by_our_table.phone(route).dial("*384*9#" if route != "beem" else "*384#")
    told = {"africastalking": ["Success"], "infobip": ["end"]}
    assert [each.status for each in by_our_table.ends] == told.get(route, [])


def test_a_phone_goes_over_to_another_route(by_our_table: Gateway) -> None:
    phone = by_our_table.phone("hubtel")
    phone.dial("*384#")
    phone.dial("*384#", by="wigal")
    phone.enter("1")

    assert [each.route for each in by_our_table.requests] == ["hubtel", "wigal", "wigal"]
    assert [each.status for each in by_our_table.ends] == ["Release"]


def session(route: str) -> Session:
    """One whose first hop was sent."""
    one = Session(
        id="s1",
        route=route,
        msisdn=AMINA,
        network="63902",
        dialled="*384#",
        service_code="*384#",
        inputs=[],
        began=datetime(2026, 11, 21, tzinfo=UTC),
        hops=1,
    )
    one.sent = VENDORS[route].hop(one)
    return one


# An answer of each that it takes.
TAKEN: dict[str, dict[str, object]] = {
    "hubtel": {
        "SessionId": "s1",
        "Type": "Response",
        "Message": "Pesa",
        "ClientState": "",
        "Label": "Pesa",
        "DataType": "input",
        "FieldType": "text",
    },
    "nalo": {"USERID": "PESADEMO", "MSISDN": "254711000001", "MSG": "Pesa", "MSGTYPE": True},
    "arkesel": {
        "sessionID": "s1",
        "userID": "PESA_DEMO",
        "msisdn": "254711000001",
        "message": "Pesa",
        "continueSession": True,
    },
    "beem": {
        "msisdn": "254711000001",
        "operator": "vodacom",
        "session_id": "s1",
        "command": "continue",
        "payload": {"request_id": 1, "request": "Pesa"},
    },
    "moolre": {"message": "Pesa", "reply": True},
    "infobip": {
        "ussdMenu": "Pesa",
        "shouldClose": False,
        "thirdPartyId": "",
        "responseExitCode": 200,
        "responseMessage": "",
    },
}
FIELDS = [(route, name) for route, answer in TAKEN.items() for name in answer]


@pytest.mark.parametrize("route", TAKEN)
def test_an_answer_as_the_vendor_describes_it_is_shown(route: str) -> None:
    read = VENDORS[route].read(session(route), json.dumps(TAKEN[route]).encode())
    assert read == Screen("Pesa", ends=False)


@pytest.mark.parametrize(("route", "name"), FIELDS)
@pytest.mark.parametrize("value", [None, 1.5, [], "missing"])
def test_a_field_that_is_not_as_described_is_not_taken(
    route: str, name: str, value: object
) -> None:
    answer = {**TAKEN[route], name: value}
    if value == "missing":
        del answer[name]
    with pytest.raises(Misread):
        VENDORS[route].read(session(route), json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("route", "change", "trouble"),
    [
        ("hubtel", {"Type": "Continue"}, "Type should be Response or Release"),
        ("hubtel", {"SessionId": "s2"}, "SessionId should come back as it was sent"),
        ("nalo", {"MSGTYPE": "true"}, "Response should have MSGTYPE, of type bool"),
        ("nalo", {"MSISDN": "+254711000001"}, "MSISDN should come back as it was sent"),
        ("arkesel", {"more": 1}, "Response should not have more"),
        ("beem", {"command": "end"}, "command should be continue or terminate"),
        (
            "beem",
            {"payload": {"request_id": 0, "request": "Pesa"}},
            "request_id should be another at each hop",
        ),
        ("moolre", {"reply": 1}, "Response should have reply, of type bool"),
        ("infobip", {"responseExitCode": 500}, "responseExitCode should be 200"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(
    route: str, change: dict[str, object], trouble: str
) -> None:
    answer = json.dumps({**TAKEN[route], **change}).encode()
    with pytest.raises(Misread, match=trouble):
        VENDORS[route].read(session(route), answer)


@pytest.mark.parametrize("route", TAKEN)
@pytest.mark.parametrize("body", [b"", b"CON Pesa", b"[]", b"\xff"])
def test_what_is_no_object_is_not_taken(route: str, body: bytes) -> None:
    with pytest.raises(Misread):
        VENDORS[route].read(session(route), body)


def wigal(screen: str, **changes: str) -> bytes:
    values = {
        "network": "MTN",
        "mode": "MORE",
        "msisdn": "254711000001",
        "sessionid": "s1",
        "userdata": screen,
        "username": "pesa_demo",
        "trafficid": "s1-1",
        "other": "NA",
    }
    return "|".join((values | changes).values()).encode()


def test_wigal_shows_160_characters_and_breaks_lines_at_its_sign() -> None:
    read = VENDORS["wigal"].read(session("wigal"), wigal("Pesa^1. Send"))
    assert read == Screen("Pesa\n1. Send", ends=False)
    long = VENDORS["wigal"].read(session("wigal"), wigal("x" * 200, mode="END"))
    assert long == Screen("x" * 160, ends=True)


@pytest.mark.parametrize(
    "body",
    [
        b"CON Pesa",
        wigal("a|b"),
        wigal("a\nb"),
        wigal("KES $5"),
        wigal("a & b"),
        wigal("a", mode="START"),
        wigal("a", trafficid="s1-2"),
        wigal("a", sessionid="s2"),
        wigal("a", other=""),
    ],
)
def test_wigal_takes_no_other_answer(body: bytes) -> None:
    with pytest.raises(Misread):
        VENDORS["wigal"].read(session("wigal"), body)
