"""A phone that was cut off dials again: it is asked whether to go on, and told the truth."""

from dataclasses import replace

import pytest
import redis

from tests.ussd.stand_in import JUMA, Bank
from tests.ussd.turn.turning import (
    COMMIT,
    DIAL_AGAIN,
    PROGRAM,
    TO_PIN,
    WITHOUT_SENDING,
    NewestOnly,
    Phone,
    Shelf,
    at_pin,
    turn_of,
)
from ussd_gateway.ports import Reply
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn

HOME = "Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
ASKS = Reply("You were cut off before you finished.\n1. Continue\n2. Start again", ends=False)


def test_who_was_cut_off_is_asked_and_goes_on_at_the_same_screen(turn: Turn) -> None:
    lost = Phone(turn)
    lost.dials()
    lost.types("1", "0711000002")
    again = Phone(turn)
    assert again.dials() == ASKS
    assert again.types("1") == Reply("Enter amount", ends=False)
    assert again.types("500") == Reply(COMMIT, ends=False)
    assert again.types("4826").ends


def test_the_way_back_is_still_there(turn: Turn) -> None:
    lost = Phone(turn)
    lost.dials()
    lost.types("1", "0711000002")
    again = Phone(turn)
    again.dials()
    assert again.types("1", "0").text == "Enter phone number"


def test_a_commit_screen_is_come_back_to_with_a_fresh_quote(turn: Turn, bank: Bank) -> None:
    at_pin(turn)
    again = Phone(turn)
    assert again.dials() == ASKS
    assert again.types("1") == Reply(COMMIT, ends=False)
    first, second = bank.calls
    assert first.args == second.args
    assert first.key != second.key
    assert again.types("4826").ends
    assert bank.sends == 1


def test_who_starts_again_begins_anew(turn: Turn, bank: Bank) -> None:
    at_pin(turn)
    again = Phone(turn)
    again.dials()
    assert again.types("2") == Reply(HOME, ends=False)
    assert again.types("1", "0").text == HOME
    assert bank.sends == 0


def test_who_starts_again_begins_in_the_version_of_today(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    for answer, shown in (("1", COMMIT), ("2", "Pesa")):
        shelf.programs = (PROGRAM,)
        at_pin(turn)
        shelf.programs = (WITHOUT_SENDING, PROGRAM)
        again = Phone(turn)
        assert again.dials() == ASKS
        assert again.types(answer).text == shown
        again.types("0", "0", "0")


def test_no_other_answer_is_taken(turn: Turn) -> None:
    at_pin(turn)
    again = Phone(turn)
    again.dials()
    assert again.types("4826") == Reply(f"Not an option. Try again.\n{ASKS.text}", ends=False)
    assert again.types("1").text == COMMIT


def test_who_is_cut_off_at_the_question_is_asked_again(turn: Turn) -> None:
    at_pin(turn)
    Phone(turn).dials()
    third = Phone(turn)
    assert third.dials() == ASKS
    assert third.types("1").text == COMMIT


def test_a_dialled_string_is_an_answer_by_itself(turn: Turn) -> None:
    at_pin(turn)
    assert Phone(turn).dials("5").text.startswith("My account")


@pytest.mark.parametrize("inputs", [(), ("1", "0")])
def test_who_has_chosen_nothing_is_not_asked(turn: Turn, inputs: tuple[str, ...]) -> None:
    lost = Phone(turn)
    lost.dials()
    for text in inputs:
        lost.types(text)
    assert Phone(turn).dials().text == HOME


def test_nobody_is_asked_about_a_session_that_has_ended(turn: Turn) -> None:
    at_pin(turn).types("4826")
    assert Phone(turn).dials().text == HOME


def test_nobody_goes_on_with_the_session_of_another(turn: Turn) -> None:
    at_pin(turn)
    assert Phone(turn, JUMA).dials().text.startswith("Pesa")


def test_the_same_on_a_route_that_sends_the_newest_input_only(turn: Turn, bank: Bank) -> None:
    lost = NewestOnly(turn, names_hops=True)
    lost.dials()
    lost.types(*TO_PIN)
    again = NewestOnly(turn, names_hops=True)
    assert again.dials() == ASKS
    assert again.types("1").text == COMMIT
    assert again.types("4826").ends
    assert bank.sends == 1


def test_if_the_money_had_moved_the_receipt_is_told(
    turn: Turn, bank: Bank, sessions: RedisSessions, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    before = server.dump(phone.key)
    assert before is not None
    paid = phone.types("4826")
    # The process was killed between the commit and the save.
    server.delete(phone.key)
    server.restore(phone.key, 0, before)
    server.set(f"ussd:left:customer:{phone.request.msisdn}", phone.key)
    assert Phone(turn_of(bank, sessions)).dials() == paid
    assert "RECEIPT001" in paid.text
    # Told once; whoever dials again wants something else.
    assert Phone(turn).dials().text == HOME
    assert bank.sends == 1


def test_while_the_pin_is_being_answered_nothing_else_is_offered(
    turn: Turn, bank: Bank
) -> None:
    phone = at_pin(turn)
    seen: list[Reply] = []
    bank.before_send = lambda: seen.append(Phone(turn).dials())
    assert phone.types("4826").ends
    assert [each.ends for each in seen] == [True]
    assert "still checking" in seen[0].text
    assert bank.sends == 1


def test_without_a_window_nobody_is_asked(bank: Bank, sessions: RedisSessions) -> None:
    turn = turn_of(bank, sessions, packs=Shelf(replace(PROGRAM, resume_s=0)))
    at_pin(turn)
    assert Phone(turn).dials().text == HOME


def test_an_open_session_goes_on_though_the_phone_has_dialled_again(
    turn: Turn, bank: Bank
) -> None:
    first = at_pin(turn)
    Phone(turn).dials()
    assert first.types("4826").ends
    assert bank.sends == 1


# --- the session that was left, when its phone has gone on without it ------------------------


@pytest.mark.parametrize("answer", ["1", "2"])
def test_a_pin_of_the_lost_session_that_comes_late_pays_nothing(
    turn: Turn, bank: Bank, answer: str
) -> None:
    lost = at_pin(turn)
    again = Phone(turn)
    again.dials()
    again.types(answer)
    if answer == "2":
        again.types(*TO_PIN)
    assert again.types("4826").ends
    assert lost.types("4826") == DIAL_AGAIN
    assert bank.sends == 1


def test_nor_does_it_where_only_the_newest_input_comes(turn: Turn, bank: Bank) -> None:
    lost = NewestOnly(turn, names_hops=False)
    lost.dials()
    lost.types(*TO_PIN)
    again = NewestOnly(turn, names_hops=False)
    again.dials()
    again.types("1")
    assert lost.types("4826") == DIAL_AGAIN
    assert bank.sends == 0


def test_what_was_answered_before_is_still_repeated_to_it(turn: Turn) -> None:
    lost = at_pin(turn)
    again = Phone(turn)
    again.dials()
    again.types("1")
    assert lost.repeats() == Reply(COMMIT, ends=False)


def test_a_pin_that_comes_between_question_and_answer_pays_and_its_receipt_is_told(
    turn: Turn, bank: Bank
) -> None:
    lost = at_pin(turn)
    again = Phone(turn)
    assert again.dials() == ASKS
    paid = lost.types("4826")
    assert again.types("1") == paid
    assert again.repeats() == paid
    assert bank.sends == 1


def test_one_that_is_being_answered_at_that_moment_is_waited_for_by_the_person(
    turn: Turn, bank: Bank
) -> None:
    lost = at_pin(turn)
    again = Phone(turn)
    again.dials()
    seen: list[Reply] = []
    bank.before_send = lambda: seen.append(again.types("1"))
    assert lost.types("4826").ends
    assert [each.ends for each in seen] == [True]
    assert "still checking" in seen[0].text
    assert bank.sends == 1


def test_one_that_has_gone_on_elsewhere_is_not_gone_on_with_twice(
    turn: Turn, bank: Bank
) -> None:
    lost = Phone(turn)
    lost.dials()
    lost.types("1", "0711000002")
    again = Phone(turn)
    again.dials()
    lost.types("500")
    assert again.types("1") == DIAL_AGAIN
    assert lost.types("4826").ends
    assert bank.sends == 1


def test_of_two_questions_about_one_session_one_is_answered(turn: Turn, bank: Bank) -> None:
    lost = at_pin(turn)
    second, third = Phone(turn), Phone(turn)
    second.dials()
    third.dials()
    assert third.types("1").text == COMMIT
    assert second.types("1") == DIAL_AGAIN
    assert third.types("4826").ends
    assert lost.types("4826") == DIAL_AGAIN
    assert bank.sends == 1
