"""What the vendor posts of SMS that come to us, and of people who want no more."""

from datetime import UTC, datetime, timedelta

import pytest

from ussd_gateway.sms.incoming import parse_incoming, parse_opt_out

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ARRIVED = {
    "date": "2026-11-21T05:59:30+00:00",
    "from": "+254711000001",
    "id": "ATXid_1",
    "linkId": "",
    "text": "pin 4826",
    "to": "20384",
    "networkCode": "63902",
}
OPTED_OUT = {"senderId": "PESA", "phoneNumber": "+254711000001"}


def test_an_sms_is_read_from_the_vendors_form_and_its_text_is_in_no_repr() -> None:
    found = parse_incoming(ARRIVED, NOW)

    assert found is not None
    assert (found.provider, found.id, found.sender) == (
        "africastalking",
        "ATXid_1",
        "+254711000001",
    )
    assert (found.to, found.text) == ("20384", "pin 4826")
    assert found.at == NOW - timedelta(seconds=30)
    assert "4826" not in repr(found)


@pytest.mark.parametrize("missing", ["from", "id", "text", "to"])
def test_without_its_fields_it_is_malformed(missing: str) -> None:
    form = {name: value for name, value in ARRIVED.items() if name != missing}
    assert parse_incoming(form, NOW) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from", "MPESA"),
        ("from", "40404"),
        ("from", "+254711000001\x00"),
        ("from", ""),
        ("id", ""),
        ("id", "ATXid 1"),
        ("id", "x" * 65),
        ("to", ""),
        ("to", "x" * 17),
        ("to", "20384\x00"),
    ],
)
def test_what_comes_from_no_phone_or_has_no_name_is_malformed(name: str, value: str) -> None:
    assert parse_incoming({**ARRIVED, name: value}, NOW) is None


@pytest.mark.parametrize("number", ["254711000001", " 254711000001"])
def test_a_plus_that_was_lost_on_the_way_is_put_back(number: str) -> None:
    found = parse_incoming({**ARRIVED, "from": number}, NOW)
    assert found is not None
    assert found.sender == "+254711000001"


def test_an_empty_sms_is_one_too() -> None:
    found = parse_incoming({**ARRIVED, "text": ""}, NOW)
    assert found is not None
    assert found.text == ""


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("2026-11-21 05:59:00", 60),
        ("2026-11-21T05:59:00Z", 60),
        ("2026-11-21T08:59:00+03:00", 60),
        ("2026-11-21T07:00:00Z", 0),
        ("yesterday", 0),
        ("", 0),
    ],
)
def test_a_date_is_read_where_it_can_be_and_is_never_to_come(date: str, seconds: int) -> None:
    found = parse_incoming({**ARRIVED, "date": date}, NOW)
    assert found is not None
    assert found.at == NOW - timedelta(seconds=seconds)


def test_an_opt_out_names_a_number_and_a_sender() -> None:
    assert parse_opt_out(OPTED_OUT) == ("+254711000001", "PESA")
    for wrong in (
        {},
        {**OPTED_OUT, "senderId": ""},
        {**OPTED_OUT, "senderId": "x" * 17},
        {**OPTED_OUT, "phoneNumber": "PESA"},
    ):
        assert parse_opt_out(wrong) is None
