"""Versions that are no more, and actions that are stopped: where a session is taken then."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.ussd.listed_pack import LISTED, listed
from tests.ussd.stand_in import AMINA, Bank, StillClock, kes
from tests.ussd.turn.turning import COMMIT, PROGRAM, TO_PIN, Phone, Shelf, at_pin, turn_of
from ussd_gateway.ports import Reply, VarType
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Screen, Session, Wanted
from ussd_gateway.ussd.menu import Program

HOME = "Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
NOTICE = "The menu has changed."
MAPPED = replace(PROGRAM, digest="mapped", moves={"send_amount": "send_amount"})


def retiring(bank: Bank, sessions: RedisSessions, successor: Program) -> tuple[Phone, Shelf]:
    """A phone that is asked for an amount by a version that is then retired."""
    shelf = Shelf(PROGRAM)
    phone = Phone(turn_of(bank, sessions, packs=shelf))
    phone.dials()
    assert phone.types("1", "0711000002").text == "Enter amount"
    shelf.programs, shelf.gone = (successor,), (PROGRAM,)
    return phone, shelf


def test_without_a_map_a_session_begins_anew_with_a_notice(
    bank: Bank, sessions: RedisSessions
) -> None:
    phone, _ = retiring(bank, sessions, replace(PROGRAM, digest="next"))
    assert phone.types("500") == Reply(f"{NOTICE}\n{HOME}", ends=False)
    assert phone.types("1").text == "Enter phone number"
    assert bank.calls == []


def test_with_a_map_it_goes_on_with_what_it_knew_and_what_was_typed_is_not_heard(
    bank: Bank, sessions: RedisSessions
) -> None:
    phone, _ = retiring(bank, sessions, MAPPED)
    assert phone.types("500") == Reply(f"{NOTICE}\nEnter amount", ends=False)
    assert phone.types("200").text.startswith("Send KES 200.00 to Juma Otieno")


def test_a_screen_that_is_full_is_shown_without_the_notice(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf, septets_max=len(COMMIT) + len(NOTICE))
    phone = at_pin(turn)
    shelf.programs, shelf.gone = (
        (replace(MAPPED, moves={"send_pin": "send_quote"}),),
        (PROGRAM,),
    )
    assert phone.types("4826") == Reply(COMMIT, ends=False)
    assert bank.sends == 0


def test_a_type_that_does_not_agree_undoes_the_map(bank: Bank, sessions: RedisSessions) -> None:
    names = {**PROGRAM.names, "to": VarType("digits", 12, least=9)}
    phone, _ = retiring(bank, sessions, replace(MAPPED, names=names))
    assert phone.types("500") == Reply(f"{NOTICE}\n{HOME}", ends=False)


def test_a_version_of_which_nothing_is_known_undoes_the_map(
    bank: Bank, sessions: RedisSessions
) -> None:
    phone, shelf = retiring(bank, sessions, MAPPED)
    shelf.gone = ()
    assert phone.types("500") == Reply(f"{NOTICE}\n{HOME}", ends=False)


def test_a_pin_for_a_version_that_is_no_more_is_not_heard_and_kept_nowhere(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    phone = at_pin(turn_of(bank, sessions, packs=shelf))
    shelf.programs = (MAPPED,)
    assert phone.types("4826") == Reply(f"{NOTICE}\n{HOME}", ends=False)
    assert bank.sends == 0
    # Whoever types it once more, at the menu, has not paid either.
    assert phone.types("4826").text.startswith("Not an option.")


def test_a_lost_session_of_a_version_that_is_no_more_is_not_offered(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    at_pin(turn)
    shelf.programs = (MAPPED,)
    assert Phone(turn).dials().text == HOME


def test_a_moved_list_is_read_anew_and_one_that_was_asked_begins_anew() -> None:
    old = listed()
    new = listed(LISTED.replace("states:", "map: {chosen: choose}\nstates:", 1))
    assert isinstance(old, Program)
    assert isinstance(new, Program)
    session = engine.begin(old, AMINA)
    values = {**session.values, "payee.item": "1", "payee.name": "X", "payee.price": kes(1)}
    chosen = Session("chosen", "en", values, (), 0)
    _, shown = engine.moved(new, chosen, old, 160)
    assert isinstance(shown, Wanted)
    asked = Session("chosen", "en", values, (), 0, paused=True)
    _, shown = engine.moved(new, asked, old, 160)
    assert isinstance(shown, Screen)
    assert shown.text.startswith("Home")


# --- actions that are stopped ----------------------------------------------------------------

NOT_NOW = Reply(
    "This service is stopped for a while. Please try later. Nothing was charged.", ends=True
)


@pytest.mark.parametrize("stopped", ["send_money", "send_money.quote"])
def test_an_action_that_is_stopped_is_told_of_before_the_pin(
    bank: Bank, sessions: RedisSessions, stopped: str
) -> None:
    shelf = Shelf(PROGRAM)
    shelf.stops = frozenset({stopped})
    phone = Phone(turn_of(bank, sessions, packs=shelf))
    phone.dials()
    assert phone.types(*TO_PIN) == NOT_NOW
    assert bank.calls == []


def test_who_was_at_the_pin_already_is_told_instead_of_served(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    phone = at_pin(turn_of(bank, sessions, packs=shelf))
    shelf.stops = frozenset({"send_money"})
    assert phone.types("4826") == NOT_NOW
    assert bank.sends == 0
    shelf.stops = frozenset()
    assert at_pin(turn_of(bank, sessions, packs=shelf)).types("4826").ends
    assert bank.sends == 1


def test_others_go_on(bank: Bank, sessions: RedisSessions) -> None:
    shelf = Shelf(PROGRAM)
    shelf.stops = frozenset({"withdraw", "send"})
    phone = Phone(turn_of(bank, sessions, packs=shelf))
    phone.dials()
    assert phone.types(*TO_PIN) == Reply(COMMIT, ends=False)


# --- silence ---------------------------------------------------------------------------------


class SettableClock(StillClock):
    def __init__(self) -> None:
        self.ahead_s = 0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)


def test_an_answer_that_comes_after_the_idle_time_is_not_heard(
    bank: Bank, sessions: RedisSessions
) -> None:
    clock = SettableClock()
    phone = at_pin(turn_of(bank, sessions, clock=clock))
    clock.ahead_s = PROGRAM.idle_s + 1
    assert phone.types("4826") == Reply("Please dial again. Nothing was charged.", ends=True)
    assert bank.sends == 0
