"""One of all who decide wins; what nobody decides, or somebody refuses, is free again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.store.conftest import SetClock, started
from tests.store.orders.reversing import (
    approve,
    ask,
    held,
    journals,
    number,
    refuse,
    sent,
    spends,
    told,
)
from tests.store.orders.staffed import AMINAS, FEE, JUMAS, KES_1000, Office, by, kes
from tests.store.people import AMINA, JUMA
from tests.world import at_once
from ussd_gateway.domain.book import Outcome, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.ask_reversal import ASKED_FOR_MS
from ussd_gateway.store.days.clocks import SlowerClock

BARRED = [Status.FROZEN_IN, Status.FROZEN_BOTH, Status.DORMANT]


def test_who_asked_does_not_approve(office: Office) -> None:
    asked = ask(office, office.sends())

    own = office.reversals.approve(number(asked), None, by("njeri"))
    assert own.name == "own_order"
    assert held(office, asked) == ("pending", 0)


def test_what_is_refused_is_free_again_and_both_are_told(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    refused = office.reversals.refuse(number(asked), by("odhiambo", "it was a debt"))

    assert refused.name == "ok"
    assert held(office, asked) == ("voided", 0)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (500_00, (0, 0))
    said = {"original": receipt, "amount": kes(500_00)}
    assert told(office, "hold_released", "reversal_refused") == [(JUMA, said), (AMINA, said)]


def test_what_nobody_decides_in_time_is_not_approved_even_if_nobody_said_so_yet(
    office: Office, clock: SetClock
) -> None:
    asked = ask(office, office.sends())
    clock.wait(ASKED_FOR_MS / 1000)

    assert approve(office, asked).name == "overdue"
    assert held(office, asked) == ("pending", 0)


def test_a_scheduler_whose_clock_ran_ahead_alone_lets_nothing_go(
    office: Office, clock: SetClock
) -> None:
    """The database's clock is right."""
    clock.at = datetime.now(UTC)
    asked = ask(office, office.sends())
    ahead = SetClock(clock.at + timedelta(days=8))
    desk = replace(office.at, clock=SlowerClock(office.engine, ahead))
    assert replace(office, at=desk).overdue.expire() == 0
    assert held(office, asked) == ("pending", 0)

    assert replace(office, at=replace(office.at, clock=ahead)).overdue.expire() == 1


def test_the_scheduler_lets_go_what_is_overdue_and_nothing_before(
    office: Office, clock: SetClock
) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    clock.wait(ASKED_FOR_MS / 1000 - 1)
    assert office.overdue.expire() == 0
    clock.wait(1)

    assert office.overdue.expire() == 1
    assert office.overdue.expire() == 0
    assert held(office, asked) == ("expired", 0)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (500_00, (0, 0))
    assert [to for to, _ in told(office, "hold_released", "reversal_refused")] == [JUMA, AMINA]
    assert approve(office, asked).values["state"] == "expired"


def test_of_all_who_decide_at_once_one_wins(office: Office, clock: SetClock) -> None:
    asked = ask(office, office.sends())
    deeds = (lambda: approve(office, asked).name, lambda: refuse(office, asked).name)
    answers = at_once(*deeds, *deeds)
    assert sorted(answers) == ["decided", "decided", "decided", "ok"]

    late = ask(office, office.sends(100_00))
    clock.wait(ASKED_FOR_MS / 1000)
    at_once(office.overdue.expire, office.overdue.expire, office.overdue.expire)
    assert held(office, late) == ("expired", 0)


def test_of_two_processes_that_decide_at_once_one_wins(office: Office, clock: SetClock) -> None:
    """Approved, refused and let go by the scheduler, at the end of its time."""
    asked = [ask(office, office.sends(20_00)) for _ in range(8)]
    clock.wait(ASKED_FOR_MS / 1000 - 1)
    with started(office.engine, clock) as writer:
        other = Office(office.engine, office.writer, replace(office.at, ledger=writer))

        def decide(one: Outcome) -> list[str]:
            return at_once(lambda: approve(office, one).name, lambda: refuse(other, one).name)

        answers = [decide(one) for one in asked[:4]]
        late = at_once(
            *(lambda one=one: approve(office, one).name for one in asked[4:]),
            lambda: clock.wait(1),
            lambda: [str(other.overdue.expire()) for _ in range(8)],
        )
    assert {tuple(sorted(answer)) for answer in answers} == {("decided", "ok")}
    for _ in range(5):  # what a slow machine gave up is asked for again in the next minute
        clock.wait(60)
        office.overdue.expire()
    states = [held(office, one)[0] for one in asked]
    assert set(states[:4]) <= {"posted", "voided"}
    for answer, state in zip(late, states[4:], strict=False):
        assert (answer == "ok") == (state == "posted")
        assert state in ("posted", "expired")
    assert office.pending(JUMAS) == (0, 0)


def test_what_is_held_of_a_frozen_account_is_let_go_all_the_same(
    office: Office, clock: SetClock
) -> None:
    for decide in (lambda one: refuse(office, one), lambda _one: office.overdue.expire()):
        asked = ask(office, office.sends(100_00))
        office.statuses.set_status((JUMA,), Status.FROZEN_BOTH, by())
        clock.wait(ASKED_FOR_MS / 1000)
        decide(asked)

        assert held(office, asked)[0] in ("voided", "expired")
        assert office.pending(JUMAS) == (0, 0)
        office.statuses.set_status((JUMA,), Status.ACTIVE, by())


def test_who_got_it_back_may_not_hold_more_than_their_cap(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt, whole=True)
    low = Money(KES_1000 - FEE, "KES")  # the hold fits, the fee beside it does not
    assert office.statuses.set_cap((AMINA,), low, by()).name == "ok"

    assert approve(office, asked).name == "target_full"


@pytest.mark.parametrize("status", BARRED)
@pytest.mark.parametrize("whole", [False, True])
def test_money_comes_back_out_of_a_frozen_account_which_its_holder_cannot_use_meanwhile(
    office: Office, status: Status, whole: bool
) -> None:
    receipt = office.sends(500_00)
    assert office.statuses.set_status((JUMA,), status, by()).name == "ok"
    asked = ask(office, receipt, whole=whole)
    assert not spends(office, 1)
    assert approve(office, asked).name == "ok"

    assert not spends(office, 1)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (0, (0, 0))
    assert office.balance(AMINAS) == KES_1000 - (0 if whole else FEE)
    said = "refunded_with_fee" if whole else "refunded"
    [(to, params)] = told(office, said)
    assert (to, params["amount"]) == (AMINA, kes(500_00))


@pytest.mark.parametrize("status", BARRED)
def test_what_was_asked_for_before_the_freeze_is_approved_behind_it(
    office: Office, status: Status
) -> None:
    asked = ask(office, office.sends(500_00))
    office.statuses.set_status((JUMA,), status, by())
    assert approve(office, asked, 200_00).name == "ok"

    assert held(office, asked) == ("part_posted", 200_00)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (300_00, (0, 0))
    assert spends(office, 1) is status.pays_out


@pytest.mark.parametrize("status", [Status.FROZEN_BOTH, Status.DORMANT])
def test_what_is_let_go_of_a_barred_account_is_not_told_to_be_free(
    office: Office, clock: SetClock, status: Status
) -> None:
    receipt = office.sends(500_00)
    office.statuses.set_status((JUMA,), status, by())
    assert refuse(office, ask(office, receipt)).name == "ok"
    assert approve(office, ask(office, receipt), 200_00).name == "ok"
    ask(office, receipt)
    clock.wait(ASKED_FOR_MS / 1000)
    assert office.overdue.expire() == 1

    assert not spends(office, 1)
    assert sent(office, "hold_released") == 0
    assert sent(office, "reversal_refused") == 2


def test_a_closed_account_gives_nothing_back(office: Office) -> None:
    receipt = office.sends(500_00)
    assert spends(office, 500_00)
    assert office.statuses.set_status((JUMA,), Status.CLOSED, by()).name == "ok"

    assert ask(office, receipt).name == "source_barred"


@pytest.mark.parametrize("status", BARRED)
def test_nothing_is_held_for_a_payer_who_takes_nothing_in(
    office: Office, status: Status
) -> None:
    receipt = office.sends()
    office.statuses.set_status((AMINA,), status, by())

    assert ask(office, receipt).name == "target_barred"
    assert office.pending(JUMAS) == (0, 0)


@pytest.mark.parametrize("status", BARRED)
def test_what_is_held_for_a_payer_who_is_barred_by_now_waits(
    office: Office, status: Status
) -> None:
    asked = ask(office, office.sends())
    office.statuses.set_status((AMINA,), status, by())
    assert approve(office, asked).name == "target_barred"
    assert held(office, asked) == ("pending", 0)

    office.statuses.set_status((AMINA,), Status.ACTIVE, by())
    assert approve(office, asked).name == "ok"


def test_an_order_that_comes_twice_is_carried_out_once(office: Office) -> None:
    receipt, order = office.sends(), by()
    once = office.reversals.ask(receipt, None, order, whole=False)
    assert once.name == "ok"

    checked = by("odhiambo")
    twice = [office.reversals.approve(number(once), None, checked) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(journals(office, "refund")) == 1
