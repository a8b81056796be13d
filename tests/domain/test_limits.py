"""What limits count, day by day, and what they leave of it."""

from datetime import date

import pytest

from ussd_gateway.domain.limits import (
    ENHANCED,
    LOWEST,
    STANDARD,
    TIERS,
    UNUSED,
    Allowance,
    Limit,
    Usage,
)
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason

SATURDAY, SUNDAY = date(2026, 11, 21), date(2026, 11, 22)
LAST, FIRST = date(2026, 11, 30), date(2026, 12, 1)


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


LIMIT = Limit(
    transaction_max=kes(100), day_max=kes(200), month_max=kes(500), balance_max=kes(300)
)


def test_tiers_stand_in_order_and_whoever_registers_alone_begins_in_the_lowest() -> None:
    assert TIERS == (LOWEST, STANDARD, ENHANCED)


def test_a_day_begins_with_nothing_used_and_its_month_goes_on() -> None:
    used = UNUSED.plus(100, SATURDAY).plus(50, SATURDAY)

    assert used == Usage(SATURDAY, 150, 150)
    assert used.at(SUNDAY) == Usage(SUNDAY, 0, 150)
    assert used.plus(7, SUNDAY) == Usage(SUNDAY, 7, 157)


@pytest.mark.parametrize("later", [FIRST, date(2027, 11, 30)], ids=["month", "year"])
def test_a_month_begins_with_nothing_used(later: date) -> None:
    assert Usage(LAST, 150, 900).at(later) == Usage(later, 0, 0)


@pytest.mark.parametrize("earlier", [SATURDAY, date(2026, 10, 31)], ids=["day", "month"])
def test_a_clock_that_is_set_back_gives_nobody_another_day(earlier: date) -> None:
    used = Usage(SUNDAY, 150, 900)

    assert used.at(earlier) == used
    assert used.plus(7, earlier) == Usage(SUNDAY, 157, 907)
    assert used.plus(7, earlier).plus(7, SUNDAY) == Usage(SUNDAY, 164, 914)


@pytest.mark.parametrize(
    ("spent_on", "left"),
    [
        (SUNDAY, Usage(SUNDAY, 50, 800)),
        (SATURDAY, Usage(SUNDAY, 150, 800)),
        (date(2026, 10, 31), Usage(SUNDAY, 150, 900)),
        (date(2025, 11, 22), Usage(SUNDAY, 150, 900)),
    ],
    ids=["the same day", "an earlier day", "an earlier month", "a year ago"],
)
def test_what_came_back_counts_no_more_where_it_still_did(spent_on: date, left: Usage) -> None:
    assert Usage(SUNDAY, 150, 900).minus(100, spent_on=spent_on) == left


def test_no_more_comes_back_than_was_counted() -> None:
    assert Usage(SUNDAY, 50, 60).minus(100, spent_on=SUNDAY) == Usage(SUNDAY, 0, 0)
    assert Usage(SUNDAY, 50, 60).minus(20, spent_on=SATURDAY) == Usage(SUNDAY, 40, 40)


@pytest.mark.parametrize(
    ("allowed", "amount", "reason"),
    [
        (Allowance(LIMIT), kes(200), None),
        (Allowance(LIMIT), kes(201), Reason.OVER_DAY),
        (Allowance(LIMIT, Usage(SATURDAY, 150_00, 150_00)), kes(50), None),
        (Allowance(LIMIT, Usage(SATURDAY, 150_00, 150_00)), kes(51), Reason.OVER_DAY),
        (Allowance(LIMIT, Usage(SATURDAY, 0, 450_00)), kes(50), None),
        (Allowance(LIMIT, Usage(SATURDAY, 0, 450_00)), kes(51), Reason.OVER_MONTH),
        (Allowance(LIMIT, Usage(SATURDAY, 150_00, 450_00)), kes(51), Reason.OVER_DAY),
        (Allowance(LIMIT, cap_payment=50_00), kes(50), None),
        (Allowance(LIMIT, cap_payment=50_00), kes(51), Reason.OVER_OWN_CAP),
        (Allowance(LIMIT, Usage(SATURDAY, 50_00, 50_00), cap_day=90_00), kes(40), None),
        (
            Allowance(LIMIT, Usage(SATURDAY, 50_00, 50_00), cap_day=90_00),
            kes(41),
            Reason.OVER_OWN_CAP,
        ),
        (
            Allowance(LIMIT, Usage(SATURDAY, 0, 450_00), cap_payment=50_00),
            kes(51),
            Reason.OVER_MONTH,
        ),
    ],
)
def test_the_first_limit_that_is_passed_says_no(
    allowed: Allowance, amount: Money, reason: Reason | None
) -> None:
    assert allowed.refuses(amount) is reason


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        (Allowance(LIMIT), kes(190)),
        (Allowance(LIMIT, Usage(SATURDAY, 150_00, 150_00)), kes(40)),
        (Allowance(LIMIT, Usage(SATURDAY, 0, 450_00)), kes(40)),
        (Allowance(LIMIT, Usage(SATURDAY, 50_00, 50_00), cap_day=70_00), kes(10)),
        (Allowance(LIMIT, Usage(SATURDAY, 50_00, 50_00), cap_day=20_00), kes(0)),
    ],
    ids=["of the day", "less what was paid", "of the month", "of the own cap", "nothing"],
)
def test_what_is_left_today_is_what_the_narrowest_of_them_leaves(
    allowed: Allowance, left: Money
) -> None:
    assert allowed.left_today(kes(10)) == left
