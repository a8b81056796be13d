"""A session goes on in the version that it began in, while that is to be found."""

from dataclasses import replace

from tests.ussd.stand_in import Bank
from tests.ussd.turn.turning import (
    COMMIT,
    DIAL_AGAIN,
    PROGRAM,
    TO_PIN,
    WITHOUT_SENDING,
    Phone,
    Shelf,
    at_pin,
    turn_of,
)
from ussd_gateway.ports import Reply
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn


def test_a_session_goes_on_in_the_version_it_began_in(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = Phone(turn)
    phone.dials()
    shelf.programs = (WITHOUT_SENDING, PROGRAM)

    assert phone.types(*TO_PIN) == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001 Sent KES 500.00")
    assert "Send money" not in Phone(turn).dials().text


def test_a_session_whose_version_is_not_to_be_found_goes_on_at_the_entry_of_its_successor(
    turn: Turn, bank: Bank, sessions: RedisSessions
) -> None:
    phone = at_pin(turn)
    edited = turn_of(bank, sessions, packs=Shelf(replace(PROGRAM, digest="edited")))
    moved = edited.answer(replace(phone.request, text=f"{phone.text}*4826"))
    assert moved.text.startswith("The menu has changed.\nPesa\n1. Send money")
    assert not moved.ends
    assert bank.sends == 0


def test_what_was_answered_is_repeated_whatever_became_of_its_version(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = at_pin(turn)
    paid = phone.types("4826")
    shelf.programs, shelf.lost = (WITHOUT_SENDING,), True

    assert phone.repeats() == paid
    assert phone.types("1") == paid


def test_the_truth_of_an_anomaly_is_told_in_the_version_of_its_session(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = at_pin(turn)
    paid = phone.types("4826")
    shelf.programs = (WITHOUT_SENDING, PROGRAM)

    assert phone.sends("1") == paid


def test_while_its_version_cannot_be_asked_for_nothing_moves(
    turn: Turn, bank: Bank, sessions: RedisSessions
) -> None:
    phone = at_pin(turn)
    shelf = Shelf(WITHOUT_SENDING)
    shelf.lost = True
    edited = turn_of(bank, sessions, packs=shelf)
    assert edited.answer(replace(phone.request, text=f"{phone.text}*4826")) == DIAL_AGAIN
    assert bank.sends == 0
