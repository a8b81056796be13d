"""A PIN is found nowhere, and a log has no input and no whole number."""

import redis
from structlog.testing import capture_logs

from tests.ussd.stand_in import NOBODY, Bank, StillClock
from tests.ussd.turn.turning import CANARY, TO_PIN, Phone, at_pin, turn_of
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn


def test_two_pins_leave_the_same_row_byte_for_byte(
    sessions: RedisSessions, server: redis.Redis
) -> None:
    dumps = []
    for pin, wrong in (("4826", "0001"), ("9135", "7264")):
        turn = turn_of(Bank(pin=pin), sessions, clock=StillClock())
        phone = Phone(turn, session="same")
        phone.dials()
        rows = []
        for text in (*TO_PIN, wrong, "0", "500", pin, "1"):
            phone.types(text)
            rows.append(server.hgetall(phone.key))
        dumps.append(rows)
        server.delete(phone.key)
    assert dumps[0] == dumps[1]


def test_a_pin_is_found_nowhere(turn: Turn, bank: Bank, server: redis.Redis) -> None:
    with capture_logs() as logged:
        phone = at_pin(turn)
        replies = [phone.types(CANARY), phone.types(f"{CANARY[:4]} {CANARY[4:]}")]
        replies += [phone.types("4826"), phone.types(CANARY), phone.repeats()]
        for dialled in (f"1*0711000002*500*{CANARY}", f"5*1*{CANARY}", f"1*x*{CANARY}"):
            replies.append(Phone(turn).dials(dialled))
        odd = at_pin(turn)
        replies += [odd.sends(f"{odd.text}*{CANARY}*1"), odd.sends(CANARY)]
        replies.append(Phone(turn, NOBODY).dials(CANARY))
        assert CANARY not in repr(phone.request)

    kept = [server.hgetall(key) for key in server.scan_iter("ussd:at:*")]
    assert CANARY not in repr(kept)
    assert CANARY not in repr(logged)
    assert CANARY not in repr(replies)
    assert CANARY not in repr(bank.calls)


def test_a_reply_is_logged_with_a_masked_number_and_no_text(turn: Turn) -> None:
    with capture_logs() as logged:
        Phone(turn, session="logged").dials("1")
    (entry,) = logged
    assert entry.pop("ms") >= 0
    assert entry == {
        "event": "turn.replied",
        "log_level": "info",
        "route": "at",
        "session": "logged",
        "msisdn": "0711***001",
        "hop": 1,
        "screen": "send_to",
        "ends": False,
    }
