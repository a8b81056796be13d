"""One callback that is answered twice at the same time is one hop, whatever dies."""

import time
from dataclasses import replace

import pytest
import redis

from tests.ussd.stand_in import Bank
from tests.ussd.turn.turning import COMMIT, Phone, at_once, at_pin, turn_of
from ussd_gateway.ports import Reply, Secret
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn


def test_twenty_callbacks_of_the_pin_at_once_are_one_transfer_and_one_reply(
    turn: Turn, bank: Bank
) -> None:
    bank.before_send = lambda: time.sleep(0.05)
    phone = at_pin(turn)
    phone.text += "*4826"
    replies = at_once(20, phone.repeats)
    assert len(set(replies)) == 1
    assert replies[0].text.startswith("RECEIPT001 Sent KES 500.00")
    assert bank.sends == 1
    assert sum(call.secret is not None for call in bank.calls) == 1


def test_twenty_first_callbacks_at_once_are_one_visit(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    phone.text = "1*0711000002*500"
    replies = at_once(20, phone.repeats)
    assert set(replies) == {Reply(COMMIT, ends=False)}
    assert len(bank.calls) == 1


def test_two_processes_answer_a_session_as_one(bank: Bank, valkey_url: str) -> None:
    turns = [turn_of(bank, RedisSessions(valkey_url)) for _ in range(2)]
    phone = at_pin(turns[0])
    phone.text += "*4826"
    bank.before_send = lambda: time.sleep(0.05)
    turn_about = iter(range(10))

    def knock() -> Reply:
        return turns[next(turn_about) % 2].answer(phone.request)

    assert len(set(at_once(10, knock))) == 1
    assert bank.sends == 1


def test_the_twin_of_a_killed_process_does_the_hop_again_under_the_same_key(
    turn: Turn, bank: Bank, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    done = bank.actions["send_money"]

    class Killed(BaseException):
        pass

    def killed_after_commit() -> None:
        bank.before_send = lambda: None
        done.run(bank.calls[-1])
        raise Killed

    bank.before_send = killed_after_commit
    with pytest.raises(Killed):
        phone.types("4826")
    server.hset(phone.key, "until", 1)

    assert phone.repeats().text.startswith("RECEIPT001 Sent KES 500.00")
    assert bank.sends == 1


def test_a_twin_that_is_never_answered_tells_what_the_books_know(
    bank: Bank, sessions: RedisSessions, server: redis.Redis
) -> None:
    turn = turn_of(bank, sessions, answer_within_s=2)
    phone = at_pin(turn)
    lapses = round(time.time() * 1000) + 60_000
    server.hset(phone.key, mapping={"holder": "another", "until": lapses})
    assert phone.types("4826").text == (
        "We are still checking. Wait for the SMS; do not send again."
    )
    key = bank.calls[0].key.replace("send_quote:4", "send_pin:5")
    bank.actions["send_money"].run(replace(bank.calls[0], key=key, secret=Secret("4826")))
    assert phone.repeats().text.startswith("RECEIPT001 Sent KES 500.00")
