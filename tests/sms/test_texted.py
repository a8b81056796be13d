"""What people text to us over SMPP, from the SMSC to whoever answers it."""

from typing import Any

import pytest

from tests.embedded.processes import eventually
from tests.sms.conftest import Centre
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Sms, SmsState
from ussd_gateway.sms.smpp.incoming import Texted, read_texted
from ussd_gateway.sms.smpp.words import encoded

AMINA = Msisdn("+254711000001")
HAS_HEADER = 0x40


def read(text: str = "BAL", **its: Any) -> Texted | None:
    data_coding, octets = encoded(text)
    given: dict[str, Any] = {
        "source": b"254711000001",
        "destination": b"20384",
        "esm_class": 0,
        "data_coding": data_coding,
        "octets": octets,
        "reference": None,
    }
    return read_texted(**(given | its))


@pytest.mark.parametrize("text", ["BAL", "check QCM7HK2P9X 500", "ሂሳብ", "{€}"])
def test_it_comes_as_it_was_typed(centre: Centre, text: str) -> None:
    heard: list[Texted] = []

    def take(one: Texted) -> bool:
        heard.append(one)
        return True

    smsc = centre.start()
    with centre.bound(texted=take):
        smsc.text(AMINA, "20384", text)
        assert eventually(lambda: bool(heard))
    (one,) = heard
    assert (one.sender, one.to, one.text) == (AMINA, "20384", text)


def test_what_reads_like_a_receipt_is_answered_by_nobody(centre: Centre) -> None:
    heard: list[Texted] = []

    def take(one: Texted) -> bool:
        heard.append(one)
        return True

    smsc = centre.start()
    with centre.bound(texted=take):
        smsc.text(AMINA, "20384", "id:7 sub:001 dlvrd:001 stat:DELIVRD err:000 text:Sent KES")
        smsc.text(AMINA, "20384", "BAL")
        assert eventually(lambda: bool(heard))
    assert [one.text for one in heard] == ["BAL"]


def test_what_is_not_taken_now_comes_again_as_the_same(centre: Centre) -> None:
    heard: list[Texted] = []

    def take(one: Texted) -> bool:
        heard.append(one)
        return len(heard) > 1

    smsc = centre.start()
    with centre.bound(texted=take):
        smsc.text(AMINA, "20384", "BAL")
        assert eventually(lambda: len(heard) == 2)
    assert heard[0] == heard[1]


def test_whoever_breaks_on_it_gets_it_again_and_messages_go_out_meanwhile(
    centre: Centre,
) -> None:
    heard: list[Texted] = []

    def take(one: Texted) -> bool:
        heard.append(one)
        if len(heard) == 1:
            raise RuntimeError(one.text)
        return True

    smsc = centre.start()
    with centre.bound(texted=take) as sender:
        smsc.text(AMINA, "20384", "BAL")
        assert sender.send(Sms(AMINA, "Hello")).state is SmsState.ACCEPTED
        assert eventually(lambda: len(heard) == 2)


def test_other_words_numbers_codes_and_counts_are_other_messages() -> None:
    marks = [
        read(),
        read("STMT"),
        read(source=b"254711000002"),
        read(destination=b"20385"),
        read(reference=1),
        read(reference=2),
    ]
    assert len({one.mark for one in marks if one}) == len(marks)


@pytest.mark.parametrize("data_coding", [1, 3])
def test_a_text_in_latin_letters_is_read(data_coding: int) -> None:
    one = read(octets=b"STMT caf\xe9", data_coding=data_coding)
    assert one is not None
    assert one.text == "STMT café"


@pytest.mark.parametrize(
    ("header", "first"),
    [
        (b"\x05\x00\x03\x07\x02\x01", True),
        (b"\x05\x00\x03\x07\x02\x02", False),
        (b"\x06\x08\x04\x00\x07\x02\x01", True),
        (b"\x06\x08\x04\x00\x07\x02\x02", False),
        (b"\x02\x25\x00", True),
    ],
)
def test_of_a_long_text_the_first_part_counts(header: bytes, first: bool) -> None:
    one = read(esm_class=HAS_HEADER, octets=header + b"BAL")
    assert one is not None
    assert (one.text, one.first) == ("BAL", first)


@pytest.mark.parametrize(
    "its",
    [
        {"source": b"MPESA"},
        {"source": b"20385"},
        {"source": b""},
        {"destination": b""},
        {"destination": b"25471100000100000"},
        {"data_coding": 8, "octets": b"\x12"},
        {"esm_class": HAS_HEADER, "octets": b""},
        {"esm_class": HAS_HEADER, "octets": b"\x09BAL"},
    ],
)
def test_what_is_from_nobody_or_cannot_be_read_is_nothing(its: dict[str, Any]) -> None:
    assert read(**its) is None


def test_what_was_typed_is_in_no_repr() -> None:
    assert "4826" not in repr(read("BAL 4826"))
