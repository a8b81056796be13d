"""What a hop counts: screens entered, answered, answered wrongly, and how soon."""

from datetime import datetime, timedelta

from tests.ussd.stand_in import Bank, StillClock
from tests.ussd.turn.turning import PROGRAM, Phone, turn_of
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn.counting import Count, Counting


class Ticking(StillClock):
    """Each look is a second later than the one before."""

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> datetime:
        self._looks += 1
        return super().now() + timedelta(seconds=self._looks)


def by_state(counting: Counting) -> dict[str, Count]:
    return {state: count for (_, _, state), count in counting.take().items()}


def test_screens_are_counted_as_people_walk_them(bank: Bank, sessions: RedisSessions) -> None:
    counting = Counting()
    phone = Phone(turn_of(bank, sessions, counting=counting))
    phone.dials()
    phone.types("1", "0711000002", "none", "500")
    phone.repeats()
    counted = by_state(counting)
    entered = {
        state: (each.entered, each.answered, each.wrong) for state, each in counted.items()
    }
    assert entered == {
        "home": (1, 1, 0),
        "send_to": (1, 1, 0),
        "send_amount": (1, 1, 1),
        "send_pin": (1, 0, 0),
    }
    assert counted["send_pin"].left == 1
    assert by_state(counting) == {}


def test_a_screen_that_is_come_back_to_is_entered_again(
    bank: Bank, sessions: RedisSessions
) -> None:
    counting = Counting()
    turn = turn_of(bank, sessions, counting=counting)
    phone = Phone(turn)
    phone.dials()
    phone.types("1", "0", "1")
    # The question whether to go on is no screen of the pack, nor is its answer one to it.
    again = Phone(turn)
    again.dials()
    again.types("1")
    counted = by_state(counting)
    assert (counted["home"].entered, counted["home"].answered) == (2, 2)
    assert (counted["send_to"].entered, counted["send_to"].answered) == (3, 1)


def test_the_time_to_answer_is_added_up(bank: Bank, sessions: RedisSessions) -> None:
    counting = Counting()
    phone = Phone(turn_of(bank, sessions, counting=counting, clock=Ticking()))
    phone.dials()
    phone.types("1", "0", "1")
    home = by_state(counting)["home"]
    assert home.answered_ms >= home.answered * 1_000


def test_versions_are_counted_apart(bank: Bank, sessions: RedisSessions) -> None:
    counting = Counting()
    Phone(turn_of(bank, sessions, counting=counting)).dials()
    assert set(counting.take()) == {("customer", PROGRAM.digest, "home")}
