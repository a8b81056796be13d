"""The vendor's forms as values: strict about what is there, silent about what was typed."""

import pytest

from ussd_gateway.aggregators.africastalking import (
    Ended,
    Malformed,
    parse_callback,
    parse_end,
    write_reply,
)
from ussd_gateway.ports import Reply, Request

HOP = {
    "sessionId": "ATUid_0f",
    "phoneNumber": "+254711000001",
    "networkCode": "63902",
    "serviceCode": "*384#",
    "text": "1*0711000002",
}
END = {
    "date": "2026-11-21 09:00:00",
    "sessionId": "ATUid_0f",
    "serviceCode": "*384#",
    "networkCode": "63902",
    "phoneNumber": "+254711000001",
    "status": "Incomplete",
    "cost": "KES 0.00",
    "durationInMillis": "14000",
    "hopsCount": "4",
    "input": "1*0711000002*500*99999999",
    "lastAppResponse": "CON Enter PIN",
    "errorMessage": "",
}


def test_a_callback_becomes_a_request() -> None:
    found = parse_callback(HOP)

    assert isinstance(found, Request)
    assert (found.session_id, found.msisdn, found.text) == (
        "ATUid_0f",
        "+254711000001",
        "1*0711000002",
    )
    assert "0711000002" not in repr(found)


def test_a_plus_that_came_as_a_space_is_a_plus() -> None:
    found = parse_callback({**HOP, "phoneNumber": " 254711000001"})

    assert isinstance(found, Request)
    assert found.msisdn == "+254711000001"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sessionId", ""),
        ("sessionId", "a b"),
        ("sessionId", "x" * 101),
        ("phoneNumber", "0711000001x"),
        ("phoneNumber", ""),
        ("serviceCode", ""),
        ("serviceCode", "drop table"),
        ("networkCode", "Safaricom"),
        ("text", "1" * 501),
    ],
)
def test_a_malformed_field_is_named_and_its_value_is_not(field: str, value: str) -> None:
    found = parse_callback({**HOP, field: value})

    assert found == Malformed((field,))
    assert value == "" or value not in str(found)


def test_every_missing_field_is_named() -> None:
    assert parse_callback({}) == Malformed(("sessionId", "phoneNumber", "serviceCode", "text"))


def test_an_empty_text_is_the_first_hop_and_no_text_is_malformed() -> None:
    assert isinstance(parse_callback({**HOP, "text": ""}), Request)
    without = {name: value for name, value in HOP.items() if name != "text"}
    assert parse_callback(without) == Malformed(("text",))


def test_the_input_of_an_end_event_is_never_read() -> None:
    found = parse_end(END)

    assert found == Ended("ATUid_0f", "Incomplete", 4, 14_000)  # type: ignore[arg-type]
    assert "99999999" not in repr(found)


@pytest.mark.parametrize("change", [{"status": "Gone"}, {"sessionId": ""}])
def test_a_malformed_end_event_is_refused(change: dict[str, str]) -> None:
    assert isinstance(parse_end({**END, **change}), Malformed)


def test_counts_that_are_none_are_nought() -> None:
    found = parse_end({**END, "hopsCount": "many", "durationInMillis": ""})
    assert isinstance(found, Ended)
    assert (found.hops, found.duration_ms) == (0, 0)


def test_a_reply_says_whether_the_session_goes_on() -> None:
    assert write_reply(Reply("Pesa", ends=False)) == "CON Pesa"
    assert write_reply(Reply("Bye", ends=True)) == "END Bye"
