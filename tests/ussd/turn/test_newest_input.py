"""Routes that send the newest input only: what is the same again, and what comes next."""

import time

import pytest
import redis

from tests.ussd.stand_in import Bank
from tests.ussd.turn.turning import CANARY, COMMIT, DIAL_AGAIN, TO_PIN, NewestOnly
from ussd_gateway.ports import Reply, SessionId
from ussd_gateway.store.sessions import client as sessions
from ussd_gateway.ussd.turn import Turn, heard

HOME = "Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
SENT = "RECEIPT001 Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00."


def past_the_window() -> None:
    time.sleep(heard.repeat_within_ms / 1000 + 0.1)


@pytest.mark.parametrize("names_hops", [True, False])
def test_amina_sends_juma_five_hundred(turn: Turn, bank: Bank, names_hops: bool) -> None:
    phone = NewestOnly(turn, names_hops=names_hops)
    assert phone.dials() == Reply(HOME, ends=False)
    assert phone.types(*TO_PIN) == Reply(COMMIT, ends=False)
    assert phone.types("4826") == Reply(SENT, ends=True)
    assert bank.sends == 1


@pytest.mark.parametrize("names_hops", [True, False])
def test_every_hop_that_comes_again_at_once_is_answered_alike(
    turn: Turn, bank: Bank, names_hops: bool
) -> None:
    phone = NewestOnly(turn, names_hops=names_hops)
    assert phone.dials() == phone.repeats()
    for text in (*TO_PIN, "4826"):
        assert phone.types(text) == phone.repeats()
    assert bank.sends == 1


def test_a_named_hop_that_comes_again_late_is_answered_alike(turn: Turn, bank: Bank) -> None:
    phone = NewestOnly(turn, names_hops=True)
    phone.dials()
    first = phone.types("1")
    past_the_window()
    assert phone.repeats() == first
    # So is one from before: nothing of it is taken for the answer to a newer screen.
    shown = phone.types("0711000002")
    phone.hop -= 1
    assert phone.sends("1") == shown
    phone.hop += 1
    assert phone.types("500") == Reply(COMMIT, ends=False)
    assert phone.types("4826").ends
    past_the_window()
    assert phone.repeats() == Reply(SENT, ends=True)
    assert bank.sends == 1


def test_the_same_key_twice_is_two_answers_once_its_screen_could_have_been_read(
    turn: Turn,
) -> None:
    phone = NewestOnly(turn, names_hops=False)
    phone.dials()
    account = phone.types("5")
    past_the_window()
    assert phone.types("5") != account


def test_after_its_end_a_session_only_repeats_its_end(turn: Turn, bank: Bank) -> None:
    phone = NewestOnly(turn, names_hops=False)
    phone.dials()
    phone.types(*TO_PIN)
    sent = phone.types("4826")
    past_the_window()
    assert phone.types("4826") == sent
    assert phone.types("1") == sent
    assert bank.sends == 1


def used_long_ago(server: redis.Redis, phone: NewestOnly) -> None:
    at_ms = int(server.hget(phone.key, "at") or 0)
    server.hset(phone.key, "at", at_ms - sessions.reused_after_ms - 1)


@pytest.mark.parametrize("names_hops", [True, False])
def test_a_first_callback_that_comes_late_again_changes_nothing(
    turn: Turn, bank: Bank, names_hops: bool
) -> None:
    phone = NewestOnly(turn, names_hops=names_hops)
    phone.dials("1*0711000002*500")
    sent = phone.types("4826")
    past_the_window()
    # All of it once more, as by an aggregator that has lost our answers: nobody typed it.
    assert phone.dials("1*0711000002*500") == sent
    assert phone.types("4826") == sent
    assert bank.sends == 1


def test_nor_does_it_lead_an_open_session_astray(turn: Turn) -> None:
    phone = NewestOnly(turn, names_hops=False)
    phone.dials()
    asked = phone.types("1")
    past_the_window()
    assert phone.dials() == asked
    assert phone.types("0711000002").text == "Enter amount"


def test_a_name_that_is_used_again_later_is_a_new_session(
    turn: Turn, server: redis.Redis
) -> None:
    phone = NewestOnly(turn, names_hops=False)
    phone.dials()
    phone.types("1")
    used_long_ago(server, phone)
    assert phone.dials().text == HOME
    assert phone.types("5").text.startswith("My account")


def test_a_session_that_goes_on_and_is_not_known_was_lost(turn: Turn) -> None:
    phone = NewestOnly(turn, names_hops=True)
    assert phone.types("1") == DIAL_AGAIN


def test_of_a_lost_session_that_has_paid_the_truth_is_told(
    turn: Turn, bank: Bank, server: redis.Redis
) -> None:
    phone = NewestOnly(turn, names_hops=True)
    phone.dials()
    phone.types(*TO_PIN)
    phone.types("4826")
    server.flushdb()
    assert phone.repeats() == Reply(SENT, ends=True)
    assert bank.sends == 1


def test_a_dialled_string_is_walked(turn: Turn) -> None:
    phone = NewestOnly(turn, names_hops=False)
    assert phone.dials("1*0711000002*500") == Reply(COMMIT, ends=False)


@pytest.mark.parametrize("names_hops", [True, False])
def test_a_pin_is_found_nowhere(turn: Turn, server: redis.Redis, names_hops: bool) -> None:
    """Nothing that is kept depends on it but its length, wherever it was typed."""
    for before in (TO_PIN, (), ("1",)):
        marks = []
        for pin in (CANARY[:4], CANARY[4:]):
            server.flushdb()
            phone = NewestOnly(turn, names_hops=names_hops)
            phone.session = SessionId("one and the same")
            phone.dials()
            for text in (*before, pin):
                phone.types(text)
            marks.append(server.hget(phone.key, "mark"))
        assert marks[0] == marks[1]
