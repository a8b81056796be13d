import re
import threading
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from ussd_gateway.simulators.handset import Busy, Handset, NoSession, Screen

from .stand_in import COMMIT, HOME, SENT, StandIn

AMINA = "+254711000001"


@pytest.fixture
def amina(gateway: StandIn) -> Handset:
    return Handset(gateway.callback_url, AMINA)


def test_the_first_callback_is_the_vendors_form_with_empty_text(
    gateway: StandIn, amina: Handset
) -> None:
    screen = amina.dial("*384#")

    assert screen == Screen(HOME, ends=False)
    assert parse_qsl(gateway.bodies[0].decode(), keep_blank_values=True) == [
        ("sessionId", amina.session_id),
        ("phoneNumber", AMINA),
        ("networkCode", "63902"),
        ("serviceCode", "*384#"),
        ("text", ""),
    ]


def test_a_session_id_looks_like_the_vendors_and_is_kept_for_the_session(
    gateway: StandIn, amina: Handset
) -> None:
    amina.dial("*384#")
    amina.enter("1")
    first = amina.session_id
    amina.dial("*384#")

    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", first or "")
    assert [sent["sessionId"] == first for sent in gateway.callbacks] == [True, True, False]


def test_each_callback_carries_every_input_so_far(gateway: StandIn, amina: Handset) -> None:
    amina.dial("*384#")
    amina.enter("1")
    amina.enter("0711000002")
    screen = amina.enter("500")

    assert [sent["text"] for sent in gateway.callbacks] == [
        "",
        "1",
        "1*0711000002",
        "1*0711000002*500",
    ]
    assert screen == amina.screen == Screen(COMMIT, ends=False)


def test_a_dialled_string_delivers_on_the_first_hop_what_typing_delivers(
    gateway: StandIn, amina: Handset
) -> None:
    assert amina.dial("*384*1*0711000002*500#").text == COMMIT
    amina.enter("4826")

    assert [(sent["serviceCode"], sent["text"]) for sent in gateway.callbacks] == [
        ("*384#", "1*0711000002*500"),
        ("*384#", "1*0711000002*500*4826"),
    ]


def test_a_finished_session_is_told_as_success(gateway: StandIn, amina: Handset) -> None:
    amina.dial("*384*1*0711000002*500#")
    screen = amina.enter("4826")

    assert screen == Screen(SENT, ends=True)
    assert not amina.open
    [event] = gateway.events
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", event.pop("date"))
    assert int(event.pop("durationInMillis")) >= 0
    assert event == {
        "sessionId": amina.session_id,
        "serviceCode": "*384#",
        "networkCode": "63902",
        "phoneNumber": AMINA,
        "status": "Success",
        "cost": "KES 0.10",
        "hopsCount": "2",
        "input": "1*0711000002*500*4826",
        "lastAppResponse": f"END {SENT}",
        "errorMessage": "",
    }


def test_hanging_up_ends_the_session_incomplete_and_clears_the_display(
    gateway: StandIn, amina: Handset
) -> None:
    amina.dial("*384#")
    amina.hang_up()
    amina.hang_up()

    assert amina.screen is None
    assert not amina.open
    assert [(e["status"], e["lastAppResponse"]) for e in gateway.events] == [
        ("Incomplete", f"CON {HOME}")
    ]


def test_dialling_again_hangs_up_first(gateway: StandIn, amina: Handset) -> None:
    amina.dial("*384#")
    amina.dial("*384#")

    assert [event["status"] for event in gateway.events] == ["Incomplete"]


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("*500#", "HTTP status 500"),
        ("*501#", "Response should start with a CON or an END"),
        ("*502#", "HTTP status 302"),
        ("*504#", "The application did not answer in 0.3 s"),
    ],
)
def test_any_other_answer_ends_the_session_as_failed(
    gateway: StandIn, code: str, trouble: str
) -> None:
    phone = Handset(gateway.callback_url, AMINA, answer_timeout_s=0.3)
    screen = phone.dial(code)

    assert screen == Screen(
        "External application down. Please try again later.", ends=True, trouble=trouble
    )
    assert not phone.open
    assert [(e["status"], e["errorMessage"]) for e in gateway.events] == [("Failed", trouble)]


def test_a_gateway_that_is_not_there_ends_the_session() -> None:
    phone = Handset("http://127.0.0.1:9/ussd/africastalking/dev", AMINA)

    assert phone.dial("*384#").trouble == "Could not connect to the application"
    assert not phone.open


@pytest.mark.parametrize("typed", ["384", "*384", "#", "*abc#", ""])
def test_what_is_no_code_reaches_nobody(gateway: StandIn, amina: Handset, typed: str) -> None:
    assert amina.dial(typed).text == "Connection problem or invalid MMI code."
    assert not amina.open
    assert gateway.callbacks == gateway.events == []


def test_a_repeat_is_the_same_callback_byte_for_byte(gateway: StandIn, amina: Handset) -> None:
    amina.dial("*384#")
    amina.enter("1")
    before = amina.screen
    again = amina.repeat()

    assert again.identical
    assert again.screen == before == amina.screen
    assert gateway.bodies[1] == gateway.bodies[2]
    assert amina.hops == 2


def test_a_repeat_tells_when_the_answer_differs(amina: Handset) -> None:
    amina.dial("*503#")

    assert not amina.repeat().identical


def test_the_last_callback_can_be_repeated_after_the_end(amina: Handset) -> None:
    amina.dial("*384*1*0711000002*500*4826#")

    assert amina.repeat().identical


def test_without_a_session_there_is_nothing_to_reply_to_or_to_repeat(amina: Handset) -> None:
    with pytest.raises(NoSession):
        amina.enter("1")
    with pytest.raises(NoSession):
        amina.repeat()
    amina.dial("*384*1*0711000002*500*4826#")
    with pytest.raises(NoSession):
        amina.enter("1")


def test_while_an_answer_is_awaited_a_person_can_only_hang_up(
    gateway: StandIn, amina: Handset, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    dialling = threading.Thread(target=amina.dial, args=("*504#",))
    dialling.start()
    eventually(lambda: amina.waiting and bool(gateway.callbacks))
    with pytest.raises(Busy):
        amina.enter("1")
    with pytest.raises(Busy):
        amina.repeat()

    amina.hang_up()
    gateway.go_on.set()
    dialling.join()

    assert amina.screen is None
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


def test_what_was_typed_is_in_no_repr(amina: Handset) -> None:
    amina.dial("*384#")
    amina.enter("90817263")

    assert "90817263" not in repr(vars(amina))


def test_an_sms_goes_to_the_gateway_as_the_vendors_form(
    gateway: StandIn, amina: Handset
) -> None:
    assert (amina.text("BAL"), amina.text("HELP", to="40404")) == ("", "")

    first, second = gateway.texts
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", first["id"])
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", first["date"])
    assert {name: first[name] for name in ("from", "text", "to", "networkCode", "linkId")} == {
        "from": AMINA,
        "text": "BAL",
        "to": "20384",
        "networkCode": "63902",
        "linkId": "",
    }
    assert (second["text"], second["to"]) == ("HELP", "40404")
    assert first["id"] != second["id"]


def test_an_sms_that_did_not_go_says_why_and_leaves_the_session_alone(
    gateway: StandIn, amina: Handset
) -> None:
    amina.dial("*384#")
    gateway.texts_refused = 1

    assert amina.text("BAL") == "HTTP status 503"
    assert amina.open
    assert Handset("http://127.0.0.1:9/ussd/hubtel/dev", AMINA).text("BAL") == (
        "Could not connect to the application"
    )
