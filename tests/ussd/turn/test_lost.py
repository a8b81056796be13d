"""Where Redis loses a session, its phone is told the truth."""

from dataclasses import replace

import pytest
import redis
from structlog.testing import capture_logs

from tests.ussd.stand_in import Bank
from tests.ussd.turn.turning import COMMIT, DIAL_AGAIN, Phone, at_pin, turn_of
from ussd_gateway.ports import Knock, Loaded, Reply, Saved, SessionId, Sessions, SessionsLost
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn


def test_a_lost_session_whose_money_moved_tells_the_truth(
    turn: Turn, server: redis.Redis, bank: Bank
) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    server.delete(phone.key)
    assert phone.repeats() == last
    assert phone.types("1") == last
    assert bank.sends == 1


def test_a_lost_session_before_its_pin_is_never_fed_the_pin(
    turn: Turn, server: redis.Redis, bank: Bank
) -> None:
    phone = at_pin(turn)
    server.delete(phone.key)
    assert phone.types("4826").text.startswith("Dial again, unless an SMS says")
    assert bank.sends == 0


def test_a_lost_session_in_mid_menu_goes_on_as_if_it_was_dialled(
    turn: Turn, server: redis.Redis
) -> None:
    phone = Phone(turn)
    phone.dials()
    phone.types("1", "0711000002")
    server.delete(phone.key)
    assert phone.types("500") == Reply(COMMIT, ends=False)


def test_without_a_session_store_the_truth_is_told_or_that_nothing_was_charged(
    turn: Turn, bank: Bank
) -> None:
    nowhere = turn_of(bank, RedisSessions("redis://127.0.0.1:1"))
    phone = at_pin(turn)
    with capture_logs() as logged:
        assert nowhere.answer(phone.request) == DIAL_AGAIN
    assert logged[0]["event"] == "sessions.lost"
    last = phone.types("4826")
    assert nowhere.answer(phone.request) == last


class LosesSaves:
    """Sessions on a store that goes away between load and save."""

    def __init__(self, store: Sessions, *, raises: bool) -> None:
        self._store = store
        self._raises = raises

    def load(
        self, route: str, session_id: SessionId, *, knock: Knock, phone: str, holder: str
    ) -> Loaded:
        return self._store.load(route, session_id, knock=knock, phone=phone, holder=holder)

    def save(self, *_: object, **__: object) -> Saved:
        if self._raises:
            raise SessionsLost("gone")
        return Saved.NOT_OURS


@pytest.mark.parametrize("raises", [True, False])
def test_the_true_screen_is_shown_whether_or_not_it_could_be_kept(
    turn: Turn,
    bank: Bank,
    sessions: RedisSessions,
    raises: bool,
) -> None:
    phone = at_pin(turn)
    losing = turn_of(bank, LosesSaves(sessions, raises=raises))
    with capture_logs() as logged:
        reply = losing.answer(replace(phone.request, text=f"{phone.text}*4826"))
    assert reply.text.startswith("RECEIPT001 Sent KES 500.00")
    assert logged[0]["event"] == ("sessions.lost" if raises else "turn.unsaved")
