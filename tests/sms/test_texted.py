"""What people text to us over SMPP, from the SMSC to whoever answers it."""

import socket
import threading
import time
from typing import Any

import pytest

from tests.embedded.processes import eventually
from tests.sms.conftest import TERMS, Centre
from tests.sms.test_smpp import account, listening
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, Sms, SmsState
from ussd_gateway.simulators.pdus import Command, Pdu, read_pdu, texted
from ussd_gateway.sms.smpp.hearing import AGAIN
from ussd_gateway.sms.smpp.incoming import Texted, read_texted
from ussd_gateway.sms.smpp.link import texts_max
from ussd_gateway.sms.smpp.sender import SmppSms
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
        "segment": None,
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


def test_receipts_do_not_wait_behind_it(centre: Centre) -> None:
    """Its answer may take the database as long as it likes."""
    answered, reports = threading.Event(), list[DeliveryReport]()
    heard: list[Texted] = []

    def take(one: Texted) -> bool:
        heard.append(one)
        return answered.wait(20)

    def report(one: DeliveryReport) -> bool:
        reports.append(one)
        return True

    smsc = centre.start()
    with centre.bound(report, texted=take) as sender:
        for _ in range(20):
            smsc.text(AMINA, "20384", "BAL")
        assert eventually(lambda: bool(heard))
        assert sender.send(Sms(AMINA, "Hello")).state is SmsState.ACCEPTED
        assert eventually(lambda: [one.final for one in reports] == [False, True])
        assert len(heard) == 1
        answered.set()
        assert eventually(lambda: len(heard) == 20)


def test_what_comes_faster_than_it_is_answered_is_to_come_again() -> None:
    """And while it waits, receipts are taken."""
    answered = threading.Event()
    answers: list[Pdu | None] = []

    def serve(line: socket.socket) -> None:
        for number in range(1, texts_max + 3):
            body = texted("254711000001", "20384", b"BAL")
            line.sendall(Pdu(Command.DELIVER_SM, number, body=body).octets)
            # The first is in hand when the others come.
            if number == 1:
                time.sleep(0.3)
        told = b"id:7 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"
        body = texted("254711000001", "PESA", told, esm_class=0x04)
        line.sendall(Pdu(Command.DELIVER_SM, 999, body=body).octets)
        answers.extend(read_pdu(line) for _ in range(2))
        answered.set()
        answers.extend(read_pdu(line) for _ in range(texts_max + 1))

    def take(_: Texted) -> bool:
        return answered.wait(20)

    with (
        listening(serve) as port,
        SmppSms(account(port), TERMS, report=lambda _: True, texted=take),
    ):
        assert eventually(lambda: len(answers) == texts_max + 3)
    told = [(pdu.sequence, pdu.status) for pdu in answers if pdu]
    assert told[:2] == [(texts_max + 2, AGAIN), (999, 0)]
    assert told[2:] == [(number, 0) for number in range(1, texts_max + 2)]


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


@pytest.mark.parametrize(("segment", "first"), [(1, True), (2, False), (None, True)])
def test_and_so_it_does_where_its_part_is_told_beside_the_text(
    segment: int | None, first: bool
) -> None:
    one = read(segment=segment)
    assert one is not None
    assert one.first is first


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
