"""What is said where a process was killed with a PIN in its hands, or the books are away: never
that nothing was charged, where something was or may have been."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.ussd.stand_in import JUMA, Bank, StillClock
from tests.ussd.turn.turning import COMMIT, DIAL_AGAIN, PROGRAM, Phone, Shelf, at_pin, turn_of
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import BooksLost, Origin, Profile, Reply, Settled
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.turn import Turn, row

PAID = "RECEIPT001 Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00."
CHECKING = Reply("We are still checking. Wait for the SMS; do not send again.", ends=True)
NEXT = replace(PROGRAM, digest="next")


class Office(Bank):
    """A bank that can be away."""

    away = False

    def profile(self, msisdn: Msisdn) -> Profile:
        self._answers()
        return super().profile(msisdn)

    def settled(self, origin: Origin) -> Settled | None:
        self._answers()
        return super().settled(origin)

    def _answers(self) -> None:
        if self.away:
            raise BooksLost("of the test")


@pytest.fixture
def bank() -> Office:
    return Office()


def killed_after(phone: Phone, server: redis.Redis, does: Callable[[], object]) -> None:
    """At the PIN, somebody else does that, and is killed: their lock lapses."""
    before = server.dump(phone.key)
    assert before is not None
    left = server.get(f"ussd:left:customer:{phone.request.msisdn}")
    does()
    server.restore(phone.key, 0, before, replace=True)
    server.hset(phone.key, mapping={"holder": "killed", "until": 1})
    assert left is not None
    server.set(f"ussd:left:customer:{phone.request.msisdn}", left)


def lost_after_paying(phone: Phone, server: redis.Redis, pin: str = "4826") -> None:
    text = phone.text
    killed_after(phone, server, lambda: phone.types(pin))
    phone.text = text


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(PROGRAM)


@pytest.fixture
def turn(bank: Office, sessions: RedisSessions, shelf: Shelf) -> Turn:
    return turn_of(bank, sessions, packs=shelf)


# --- the twin of a killed one


def test_an_action_that_was_stopped_meanwhile_is_answered_as_it_was(
    turn: Turn, bank: Office, shelf: Shelf, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    lost_after_paying(phone, server)
    shelf.stops = frozenset({"send_money"})
    assert phone.types("4826") == Reply(PAID, ends=True)
    assert bank.sends == 1


def test_what_nobody_knows_of_may_still_come(
    turn: Turn, bank: Office, shelf: Shelf, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    killed_after(phone, server, lambda: None)
    shelf.stops = frozenset({"send_money"})
    assert phone.types("4826") == CHECKING
    assert bank.sends == 0


@pytest.mark.parametrize("gone", [(), (PROGRAM,)])
def test_a_version_that_was_retired_meanwhile_hides_no_receipt(
    turn: Turn,
    shelf: Shelf,
    server: redis.Redis,
    gone: tuple[Program, ...],
) -> None:
    phone = at_pin(turn)
    lost_after_paying(phone, server)
    shelf.programs, shelf.gone = (NEXT,), gone
    assert phone.types("4826") == Reply(PAID, ends=True)


def test_without_time_to_ask_it_is_answered_as_it_was(
    bank: Office, sessions: RedisSessions, server: redis.Redis
) -> None:
    turn = turn_of(bank, sessions)
    phone = at_pin(turn)
    lost_after_paying(phone, server)
    hasty = turn_of(bank, sessions, answer_within_s=1)
    assert hasty.answer(replace(phone.request, text=f"{phone.text}*4826")).text == PAID


def test_without_time_to_ask_and_nothing_known_it_may_still_come(
    bank: Office, sessions: RedisSessions, server: redis.Redis
) -> None:
    turn = turn_of(bank, sessions)
    phone = at_pin(turn)
    killed_after(phone, server, lambda: None)
    hasty = turn_of(bank, sessions, answer_within_s=1)
    reply = hasty.answer(replace(phone.request, text=f"{phone.text}*4826"))
    assert reply.ends
    assert "Nothing was charged" not in reply.text
    assert bank.sends == 0


# --- the phone that dials again


@pytest.mark.parametrize("outcome", ["unknown", "low_balance", "pin_locked"])
def test_whatever_ended_the_session_is_told(
    turn: Turn, bank: Office, server: redis.Redis, outcome: str
) -> None:
    phone = at_pin(turn)
    bank.outcome = outcome
    ends: list[Reply] = []
    text = phone.text
    killed_after(phone, server, lambda: ends.append(phone.types("4826")))
    phone.text = text
    assert [Phone(turn).dials()] == ends
    assert bank.sends == 1


def test_who_was_asked_for_the_pin_again_goes_on(turn: Turn, server: redis.Redis) -> None:
    phone = at_pin(turn)
    lost_after_paying(phone, server, pin="0000")
    again = Phone(turn)
    assert again.dials().text.startswith("You were cut off")
    assert again.types("1").text == COMMIT


def test_whom_a_name_belonged_to_before_is_told_nothing(
    turn: Turn, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    # Their aggregator has used the name of Juma's session for hers.
    server.set(f"ussd:left:customer:{JUMA.msisdn}", phone.key)
    assert Phone(turn, JUMA).dials().text.startswith("Pesa\n1. Tuma pesa")


def test_a_pin_that_is_typed_at_the_question_is_kept_nowhere(
    bank: Office, sessions: RedisSessions, server: redis.Redis
) -> None:
    kept = []
    for pin in ("4826", "9135"):
        server.flushdb()
        turn = turn_of(bank, sessions, clock=StillClock())
        at_pin(turn)
        again = Phone(turn, session="again")
        again.dials()
        again.types(pin)
        octets = server.hget(again.key, "row")
        assert isinstance(octets, bytes)
        found = row.unpack(octets)
        assert found is not None
        kept.append(found.heard)
    assert kept[0] == kept[1]


# --- the books are away


def test_who_dials_plainly_has_lost_nothing(turn: Turn, bank: Office) -> None:
    bank.away = True
    assert Phone(turn).dials() == DIAL_AGAIN


def test_who_has_left_a_pin_behind_may_have_paid(
    turn: Turn, bank: Office, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    lost_after_paying(phone, server)
    bank.away = True
    assert Phone(turn).dials() == CHECKING
    # The next dial finds it still, and tells what came of it.
    bank.away = False
    assert Phone(turn).dials() == Reply(PAID, ends=True)


def test_whose_session_is_lost_may_have_paid(
    turn: Turn, bank: Office, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    phone.types("4826")
    server.flushdb()
    bank.away = True
    assert phone.repeats() == CHECKING
    bank.away = False
    assert bank.sends == 1


def test_the_twin_of_a_killed_one_may_have_paid(
    turn: Turn, bank: Office, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    lost_after_paying(phone, server)
    bank.away = True
    assert phone.types("4826") == CHECKING


def test_nobody_waits_for_the_lock_of_who_could_not_ask(turn: Turn, shelf: Shelf) -> None:
    phone = Phone(turn)
    phone.dials()
    shelf.programs, shelf.lost = (NEXT,), True
    assert phone.types("1") == DIAL_AGAIN
    began = time.monotonic()
    assert phone.repeats() == DIAL_AGAIN
    assert time.monotonic() - began < 2
