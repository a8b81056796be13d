"""Holds, one row a no: each differs from a good one in one place."""

from dataclasses import replace

import pytest

from tests.services.orders.at_the_desk import AMINAS, HOLD, JUMAS, NOW_MS, book, kes, wallet
from ussd_gateway.domain.book import Book, HoldDecided, HoldPlaced, Status
from ussd_gateway.domain.journal import HoldState
from ussd_gateway.services.orders.desk import Objected, Objection
from ussd_gateway.services.orders.hold_money import expire, place, post, void

DECIDED = [
    replace(HOLD, state=HoldState.VOIDED),
    replace(HOLD, posted=500, state=HoldState.POSTED),
]
OVER = replace(HOLD, expires_at_ms=NOW_MS)
CLOSED_JUMA = wallet(JUMAS, 500, status=Status.CLOSED)
FROZEN_AMINA = wallet(AMINAS, 0, status=Status.FROZEN_IN)
FULL_AMINA = wallet(AMINAS, 9_501)


def test_a_hold_is_placed_where_the_money_is_and_fits() -> None:
    assert place(HOLD, book()) == HoldPlaced(HOLD)


@pytest.mark.parametrize("status", [Status.FROZEN_IN, Status.FROZEN_BOTH, Status.DORMANT])
def test_a_status_bars_a_holder_and_not_those_who_take_back(status: Status) -> None:
    frozen = wallet(JUMAS, 500, status=status)

    assert place(HOLD, book(frozen)) == HoldPlaced(HOLD)
    posted = HoldDecided(HOLD.id, HoldState.POSTED, 500)
    assert post(HOLD.id, 500, book(frozen, hold=HOLD)) == posted


@pytest.mark.parametrize(
    ("objection", "rows"),
    [
        (Objection.SOURCE_BARRED, book(CLOSED_JUMA)),
        (Objection.TARGET_BARRED, book(FROZEN_AMINA)),
        (Objection.SPENT, book(has=499)),
        (Objection.SPENT, book(hold=replace(HOLD, id=9, minor=1))),
        (Objection.TARGET_FULL, book(FULL_AMINA)),
    ],
)
def test_each_no_to_a_hold(objection: Objection, rows: Book) -> None:
    found = place(HOLD, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


@pytest.mark.parametrize(
    ("minor", "state"), [(500, HoldState.POSTED), (499, HoldState.PART_POSTED)]
)
def test_all_of_it_is_posted_or_a_part(minor: int, state: HoldState) -> None:
    assert post(HOLD.id, minor, book(hold=HOLD)) == HoldDecided(HOLD.id, state, minor)


@pytest.mark.parametrize(
    ("objection", "minor", "rows"),
    [
        *((Objection.DECIDED, 500, book(hold=one)) for one in DECIDED),
        (Objection.OVERDUE, 500, book(hold=OVER)),
        (Objection.OVER_HELD, 501, book(hold=HOLD)),
        (Objection.OVER_HELD, 0, book(hold=HOLD)),
        (Objection.SOURCE_BARRED, 500, book(CLOSED_JUMA, hold=HOLD)),
        (Objection.TARGET_BARRED, 500, book(FROZEN_AMINA, hold=HOLD)),
    ],
)
def test_each_no_to_posting(objection: Objection, minor: int, rows: Book) -> None:
    found = post(HOLD.id, minor, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


def test_what_is_told_of_a_no_says_what_stands_in_the_way() -> None:
    over, decided = post(5, 501, book(hold=HOLD)), post(5, 500, book(hold=DECIDED[0]))
    assert isinstance(over, Objected)
    assert isinstance(decided, Objected)
    assert over.values == {"held": kes(500)}
    assert decided.values == {"state": "voided"}


@pytest.mark.parametrize("hold", [HOLD, OVER])
def test_a_hold_is_voided_while_it_is_pending(hold: object) -> None:
    assert void(5, book(hold=hold)) == HoldDecided(5, HoldState.VOIDED)  # type: ignore[arg-type]


def test_a_hold_expires_when_its_time_is_over_and_not_before() -> None:
    assert expire(5, book(hold=OVER)) == HoldDecided(5, HoldState.EXPIRED)
    early = expire(5, book(hold=HOLD))
    assert isinstance(early, Objected)
    assert early.objection is Objection.NOT_OVERDUE


@pytest.mark.parametrize("let_go", [void, expire])
def test_what_is_decided_is_not_let_go(let_go: object) -> None:
    for hold in DECIDED:
        found = let_go(5, book(hold=replace(hold, expires_at_ms=0)))  # type: ignore[operator]
        assert found.objection is Objection.DECIDED
