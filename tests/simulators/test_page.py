import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ussd_gateway.simulators.carrier import Mood
from ussd_gateway.simulators.sms_troubles import AnswerTrouble
from ussd_gateway.simulators.vendors import VENDORS

from .stand_in import COMMIT, SENT, StandIn

AMINA = "/phones/+254711000001"


@pytest.fixture
def browser(simulator: Flask) -> FlaskClient:
    return simulator.test_client()


def post(browser: FlaskClient, path: str, **body: str) -> dict[str, Any]:
    answer = browser.post(f"{AMINA}/{path}", json=body)
    assert answer.status_code == 200
    assert isinstance(answer.json, dict)
    return answer.json


def test_a_session_goes_from_dialling_to_the_end(browser: FlaskClient) -> None:
    post(browser, "dial", code="*384*1*0711000002#")
    state = post(browser, "enter", text="500")
    assert state["screen"] == {
        "text": COMMIT,
        "ends": False,
        "trouble": "",
        "coding": "GSM-7",
        "used": len(COMMIT),
        "safe": 160,
        "most": 182,
    }
    assert (state["session"]["open"], state["session"]["hops"]) == (True, 2)

    state = post(browser, "enter", text="4826")
    assert (state["screen"]["text"], state["session"]["open"]) == (SENT, False)
    assert browser.get(f"{AMINA}/state").json == state
    assert post(browser, "hang_up")["screen"] is None


def test_a_repeat_says_whether_the_answer_was_identical(browser: FlaskClient) -> None:
    post(browser, "dial", code="*384#")
    assert post(browser, "repeat")["repeat"]["identical"] is True
    post(browser, "dial", code="*503#")
    assert post(browser, "repeat")["repeat"] == {"identical": False, "text": "1"}


def test_the_state_carries_the_newest_messages_first_with_their_size(
    browser: FlaskClient,
) -> None:
    for text in ("Habari {Juma}", "Habari 😀" * 20):
        browser.post(
            "/version1/messaging",
            data={"username": "sandbox", "to": "+254711000001", "message": text},
            headers={"apiKey": "demo"},
        )
    state = browser.get(f"{AMINA}/state").json
    assert state is not None

    assert [(m["coding"], m["used"], m["segments"]) for m in state["messages"]] == [
        ("UCS-2", 180, 3),
        ("GSM-7", 15, 1),
    ]


def test_a_reply_without_a_session_is_a_conflict(browser: FlaskClient) -> None:
    answer = browser.post(f"{AMINA}/enter", json={"text": "1"})

    assert (answer.status_code, answer.json) == (409, {"error": "No session: dial first"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 384},
        {"code": "9" * 201},
        ["*384#"],
        {"code": "*384#", "route": "hubble"},
        {"code": "*384#", "route": ["hubtel"]},
    ],
)
def test_a_malformed_request_is_refused(browser: FlaskClient, body: object) -> None:
    assert browser.post(f"{AMINA}/dial", json=body).status_code == 400


def test_another_sites_form_cannot_press_keys(browser: FlaskClient, gateway: StandIn) -> None:
    for action in ("dial", "enter", "repeat", "hang_up"):
        assert browser.post(f"{AMINA}/{action}", data={"code": "*384#"}).status_code == 415
    assert gateway.callbacks == []


def test_only_our_own_files_may_run_on_the_page(browser: FlaskClient) -> None:
    answer = browser.get("/")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "Amina Wafula" in answer.text
    assert "style=" not in answer.text
    assert "://" not in answer.text


def test_the_page_offers_troubles_of_the_sms_provider(browser: FlaskClient) -> None:
    page = browser.get("/").text
    offered = re.findall(r'name="trouble" value="([^"]+)"', page)
    assert offered[0] == AnswerTrouble.NONE.value
    assert set(offered) < {trouble.value for trouble in AnswerTrouble}


def test_the_page_offers_every_mood_of_the_carrier(browser: FlaskClient) -> None:
    page = browser.get("/").text

    offered = re.findall(r'name="mood" value="([^"]+)"', page)
    assert offered == [mood.value for mood in Mood]


def test_the_page_offers_every_route(browser: FlaskClient) -> None:
    page = browser.get("/").text

    assert re.findall(r"<option>(\w+)</option>", page) == 2 * list(VENDORS)


def test_a_phone_keeps_the_route_that_it_dialled_by(browser: FlaskClient) -> None:
    assert post(browser, "dial", code="*384#")["route"] == "africastalking"
    # The gateway that stands in here knows of no other.
    state = post(browser, "dial", code="*384#", route="hubtel")
    assert (state["route"], state["screen"]["trouble"]) == ("hubtel", "HTTP status 404")
    assert post(browser, "hang_up")["route"] == "hubtel"


def test_each_phone_suggests_the_code_of_its_owner(browser: FlaskClient) -> None:
    page = browser.get("/").text

    for number, code in (("+254711000001", "*384#"), ("+254722000001", "*385#")):
        assert re.search(
            rf'value="{re.escape(number)}"[^>]*data-code="{re.escape(code)}"', page
        )


def test_nothing_that_is_typed_is_kept_on_disk(
    browser: FlaskClient, simulator: Flask, tmp_path: Any
) -> None:
    post(browser, "dial", code="*384*1*0711000002*500#")
    post(browser, "enter", text="90817263")
    simulator.extensions["reporter"].close()

    assert b"90817263" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_an_sms_to_the_short_code_is_sent_and_kept_nowhere(
    browser: FlaskClient, gateway: StandIn
) -> None:
    gateway.texts_refused = 1
    state = post(browser, "text", text="pin 4826")
    assert state["texted"] == {"taken": False, "trouble": "HTTP status 503"}
    assert post(browser, "text", text="BAL")["texted"] == {"taken": True, "trouble": ""}

    assert [sent["text"] for sent in gateway.texts] == ["BAL"]
    assert "4826" not in browser.get(f"{AMINA}/state").text
    assert browser.post(f"{AMINA}/text", json={"text": "x" * 201}).status_code == 400
