"""Delivery receipts as carriers write them."""

import pytest

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport
from ussd_gateway.sms.smpp.reports import (
    is_receipt,
    read_receipt,
    reads_like_receipt,
    submitted_id,
)

TEXT = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2611210905 done date:2611210906"
    " stat:DELIVRD err:000 text:DYQ28DNNRC Sent"
)


def read(
    text: str = TEXT,
    *,
    source: bytes = b"254711000001",
    tag: bytes | None = None,
    state: int | None = None,
    decimal_ids: bool = False,
) -> DeliveryReport | None:
    return read_receipt(
        source=source,
        text=text.encode("latin-1"),
        receipted_id=tag,
        state=state,
        decimal_ids=decimal_ids,
    )


def test_a_receipt_says_of_which_message_and_what() -> None:
    assert read() == DeliveryReport(
        provider="smpp",
        provider_id="0123456789",
        msisdn=Msisdn("+254711000001"),
        status="DELIVRD",
        final=True,
        delivered=True,
        reason="",
    )


@pytest.mark.parametrize(
    ("stat", "final", "delivered", "says"),
    [
        ("ENROUTE", False, False, ""),
        ("ACCEPTD", False, False, ""),
        ("UNKNOWN", False, False, ""),
        ("DELIVRD", True, True, ""),
        ("EXPIRED", True, False, "the phone was away"),
        ("DELETED", True, False, "the network has deleted it"),
        ("UNDELIV", True, False, "the network could not deliver it"),
        ("REJECTD", True, False, "the network has rejected it"),
        ("undeliv", True, False, "the network could not deliver it"),
        ("WEIRD", False, False, ""),
    ],
)
def test_a_state_is_the_last_word_or_not(
    stat: str, final: bool, delivered: bool, says: str
) -> None:
    found = read(TEXT.replace("DELIVRD", stat))
    assert found is not None
    assert (found.status, found.final, found.delivered) == (stat.upper(), final, delivered)
    assert found.reason.startswith(says)
    assert bool(found.reason) == bool(says)


def test_the_carriers_code_goes_with_the_reason() -> None:
    found = read(TEXT.replace("DELIVRD err:000", "UNDELIV err:027"))
    assert found is not None
    assert found.reason == "the network could not deliver it (its code 027)"


def test_the_parameters_count_more_than_the_text() -> None:
    found = read("stat:ENROUTE", tag=b"a1b2\0", state=2)
    assert found is not None
    assert (found.provider_id, found.status) == ("a1b2", "DELIVRD")


def test_the_text_of_the_message_itself_says_nothing() -> None:
    found = read("id:1 stat:UNDELIV err:1 text:id:2 stat:DELIVRD")
    assert found is not None
    assert (found.provider_id, found.status) == ("1", "UNDELIV")
    assert read("text:id:2 stat:DELIVRD") is None


@pytest.mark.parametrize(
    ("given", "written"), [("1F", "31"), ("1f", "0000000031"), ("0000001F", "31")]
)
def test_an_id_given_in_hex_is_known_in_decimals(given: str, written: str) -> None:
    name = submitted_id(given.encode() + b"\0", decimal_ids=True)
    found = read(f"id:{written} stat:DELIVRD", decimal_ids=True)
    assert found is not None
    assert found.provider_id == name == "31"


def test_the_parameter_repeats_the_id_as_it_was_given() -> None:
    found = read("stat:DELIVRD", tag=b"1F", decimal_ids=True)
    assert found is not None
    assert found.provider_id == "31"


@pytest.mark.parametrize(
    "text",
    ["", "stat:DELIVRD", "id:7", "id: stat:DELIVRD", "hello", f"id:{'7' * 65} stat:DELIVRD"],
)
def test_a_receipt_of_no_message_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("message_id", [None, b"", b"\0", b"x" * 65, b"a\x01b"])
def test_an_id_that_is_none_is_none(message_id: bytes | None) -> None:
    assert submitted_id(message_id, decimal_ids=False) is None


@pytest.mark.parametrize("message_id", [b"", b"xyz", b"F" * 17, b"-1"])
def test_an_id_that_is_no_number_is_none_where_ids_are_numbers(message_id: bytes) -> None:
    assert submitted_id(message_id, decimal_ids=True) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"id:7f3a sub:001 dlvrd:001 submit date:2611210905 stat:DELIVRD err:000 text:", True),
        (b"ID: 7 SUB:001 STAT:UNDELIV err:027 Text:", True),
        (b"CHECK UDP2KW5VQP", False),
        (b"my id: 7 sub: what is stat", False),
        (b"", False),
    ],
)
def test_a_receipt_that_does_not_say_so_is_not_answered(text: bytes, told: bool) -> None:
    assert reads_like_receipt(text) is told


@pytest.mark.parametrize("source", [b"", b"Safaricom", b"0711000001\xff"])
def test_a_source_that_is_no_number_is_none(source: bytes) -> None:
    found = read(source=source)
    assert found is not None
    assert found.msisdn is None


@pytest.mark.parametrize(
    ("esm_class", "tag", "told"),
    [
        (0x04, None, True),
        (0x20, None, True),
        (0x44, None, True),
        (0x00, b"7", True),
        (0x00, None, False),
        (0x40, None, False),
        (None, None, False),
    ],
)
def test_a_receipt_is_told_from_a_persons_message(
    esm_class: int | None, tag: bytes | None, told: bool
) -> None:
    assert is_receipt(esm_class, tag) is told
