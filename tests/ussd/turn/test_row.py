"""A session comes back from its row as it was."""

import pytest

from tests.ussd.stand_in import AMINA, kes, shipped_pack
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Mark, Session
from ussd_gateway.ussd.turn import row
from ussd_gateway.ussd.turn.heard import Heard
from ussd_gateway.ussd.turn.row import Row

PROGRAM = shipped_pack()
HEARD = Heard(17, ((13, 4),), b"m" * 16)


def test_money_truth_and_numbers_survive() -> None:
    session = Session(
        "send_pin",
        "sw",
        {"amount": kes(500), "me.can_send": True, "count": 2, "to": "+254711000002"},
        (Mark("home", {}), Mark("send_to", {"to": None, "amount": kes(1)})),
        1,
    )
    kept = Row("customer", PROGRAM.digest, "at", "S1", "a visit", 1_000, HEARD, "CON", session)
    assert row.unpack(row.pack(kept)) == kept


def test_an_ended_session_keeps_its_last_word_only() -> None:
    kept = Row(
        "customer", PROGRAM.digest, "at", "S1", "a visit", 1_000, HEARD, "The end.", None
    )
    assert row.unpack(row.pack(kept)) == kept
    began = Row(
        "customer",
        PROGRAM.digest,
        "at",
        "S1",
        "a visit",
        1_000,
        HEARD,
        "",
        engine.begin(PROGRAM, AMINA),
    )
    assert AMINA.msisdn.encode() in row.pack(began)
    assert AMINA.msisdn.encode() not in row.pack(kept)


@pytest.mark.parametrize("octets", [b"", b"\x93\x01", b"\xff" * 9, b"\x95\xa0\xa0\xc0\xa0\xc0"])
def test_what_is_no_row_is_none(octets: bytes) -> None:
    assert row.unpack(octets) is None
