"""What does not follow ends politely, moves nothing, and learns nothing."""

import pytest
import redis
from structlog.testing import capture_logs

from tests.ussd.stand_in import JUMA, Bank
from tests.ussd.turn.turning import COMMIT, DIAL_AGAIN, Phone, at_pin
from ussd_gateway.ports import Reply
from ussd_gateway.ussd.turn import Turn


@pytest.mark.parametrize(
    "text",
    [
        "1*0711000002*500*4826*1",
        "1*0711000002*600*4826",
        "2*0711000002*500*4826",
        "1*0711000002*5004826",
        "1*0711000002*501",
        "1*0711000002",
        "",
    ],
)
def test_a_text_that_cannot_follow_ends_politely_and_moves_nothing(
    turn: Turn, bank: Bank, text: str
) -> None:
    phone = at_pin(turn)
    with capture_logs() as logged:
        assert phone.sends(text) == DIAL_AGAIN
        assert phone.sends(text) == DIAL_AGAIN
    assert bank.sends == 0
    assert logged[0]["event"] == "turn.anomaly"
    assert "0711000002*" not in repr(logged)


def test_a_callback_from_before_leaves_the_session_as_it_is(turn: Turn) -> None:
    phone = at_pin(turn)
    now = phone.text
    assert phone.sends("1*0711000002") == DIAL_AGAIN
    phone.text = now
    assert phone.repeats() == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001")


def test_another_phone_learns_nothing_of_a_session(turn: Turn) -> None:
    phone = at_pin(turn)
    phone.types("4826")
    stranger = Phone(turn, JUMA, session=phone.session)
    for text in (phone.text, f"{phone.text}*1", ""):
        assert stranger.sends(text).text == "Tafadhali piga tena. Hukutozwa."


def test_an_anomaly_after_the_money_tells_the_truth(turn: Turn) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    assert phone.sends("1") == last


def test_a_row_that_cannot_be_read_is_a_lost_session(
    turn: Turn, bank: Bank, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    server.hset(phone.key, "row", b"\x93not a row")
    assert phone.repeats() == DIAL_AGAIN
    assert phone.types("4826") == DIAL_AGAIN
    assert bank.sends == 0
