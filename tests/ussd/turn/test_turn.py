"""Whole turns on a real Valkey: callbacks as an aggregator sends them, and what holds then."""

from dataclasses import replace

import redis
from structlog.testing import capture_logs

from tests.ussd.stand_in import AT, JUMA, NOBODY, Bank
from tests.ussd.turn.turning import COMMIT, PROGRAM, TO_PIN, Phone, at_pin, turn_of
from ussd_gateway.ports import Reply, SessionId
from ussd_gateway.store.sessions import client as store
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn, acting, keeping


def test_amina_sends_juma_five_hundred(turn: Turn, bank: Bank) -> None:
    phone = at_pin(turn)
    assert phone.types("4826") == Reply(
        "RECEIPT001 Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00.",
        ends=True,
    )
    assert bank.sends == 1


def test_a_hop_asks_redis_twice(turn: Turn, server: redis.Redis) -> None:
    """Once to load, once to save: for a repeat, once."""

    def calls() -> int:
        stats = server.info("commandstats")
        return sum(
            stats[f"cmdstat_{name}"]["calls"]
            for name in ("eval", "evalsha")
            if f"cmdstat_{name}" in stats
        )

    Phone(turn).dials()
    before = calls()
    phone = at_pin(turn)
    phone.types("4826")
    assert calls() - before == 2 * (1 + len(TO_PIN) + 1)
    phone.repeats()
    assert calls() - before == 2 * (1 + len(TO_PIN) + 1) + 1


def test_the_key_names_the_visit_the_state_and_the_hop(turn: Turn, bank: Bank) -> None:
    at_pin(turn).types("4826")
    quote, send = bank.calls
    visit, state, hop = quote.key.split(":")
    assert (state, hop) == ("send_quote", "4")
    assert send.key == f"{visit}:send_pin:5"


def test_every_hop_repeated_gets_the_same_reply(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    replies = [(phone.dials(), phone.repeats(), phone.repeats())]
    replies += [
        (phone.types(text), phone.repeats(), phone.repeats())
        for text in (*TO_PIN, "0001", "0", "600", "4826")
    ]
    assert all(first == second == third for first, second, third in replies)
    assert bank.sends == 2
    assert replies[-1][0].ends


def test_a_session_that_ended_says_its_last_word_to_all_that_follows(
    turn: Turn, bank: Bank
) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    assert phone.repeats() == last
    assert phone.types("1") == last
    assert phone.types("4826", "4826") == last
    assert phone.repeats() == last
    assert bank.sends == 1


def test_an_empty_input_is_an_input_once_something_was_typed(turn: Turn) -> None:
    phone = Phone(turn)
    phone.dials()
    phone.types("1")
    assert phone.sends("1*").text.startswith("Not a phone number.")


def test_a_number_that_is_not_registered_is_told_so(turn: Turn) -> None:
    reply = Phone(turn, NOBODY).dials()
    assert not reply.ends
    assert reply.text.startswith("Welcome to Pesa. You are not registered yet.")
    assert Phone(turn, NOBODY).dials("1*0711000002*500") != Reply(COMMIT, ends=False)


def test_a_code_that_is_not_served_is_told_so(turn: Turn) -> None:
    phone = Phone(turn, JUMA)
    assert turn.answer(replace(phone.request, service_code="*999#")) == Reply(
        "Namba hii haitumiki. Hukutozwa.", ends=True
    )


def test_a_session_has_so_many_hops_and_no_more(turn: Turn) -> None:
    phone = Phone(turn)
    phone.dials()
    for _ in range(PROGRAM.hops_max - 1):
        assert phone.types("9").text.startswith("Not an option.")
    assert phone.types("9") == Reply("This session is too long. Please dial again.", ends=True)


def test_each_wait_is_shorter_than_the_one_around_it() -> None:
    lease_s = store.lease_ms / 1000
    assert acting.hop_s_max < lease_s < keeping.twin_waits_s_max
    assert keeping.twin_waits_s_max < AT.answer_within_s - acting.answer_margin_s
    assert store.connect_timeout_s + store.answer_timeout_s < lease_s


def test_an_action_is_told_how_long_it_may_take(turn: Turn, bank: Bank) -> None:
    at_pin(turn).types("4826")
    assert [call.within_s for call in bank.calls] == [3, 5]


def test_an_action_never_takes_longer_than_the_route_waits(
    bank: Bank, sessions: RedisSessions
) -> None:
    turn = turn_of(bank, sessions, answer_within_s=3)
    at_pin(turn).types("4826")
    assert all(call.within_s <= 2 for call in bank.calls)


def test_without_time_left_an_action_is_not_begun(bank: Bank, sessions: RedisSessions) -> None:
    turn = turn_of(bank, sessions, answer_within_s=1)
    phone = Phone(turn)
    phone.dials()
    reply = phone.types(*TO_PIN)
    assert reply.text == "The service is busy. Please dial again later. Nothing was charged."
    assert bank.calls == []


def test_the_end_of_a_session_is_logged(turn: Turn) -> None:
    with capture_logs() as logged:
        turn.ended("at", SessionId("S1"), status="Incomplete", hops=3, duration_ms=21_000)
    assert logged == [
        {
            "event": "session.ended",
            "log_level": "info",
            "route": "at",
            "session": "S1",
            "status": "Incomplete",
            "hops": 3,
            "duration_ms": 21_000,
        }
    ]
