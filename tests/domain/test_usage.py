"""What limits count: a day's and a month's payments, through midnight and back."""

from datetime import date

import pytest

from ussd_gateway.domain.limits import UNUSED, Usage

FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)
NOVEMBER_30, DECEMBER_1 = date(2026, 11, 30), date(2026, 12, 1)
SPENT = Usage(FRIDAY, 700, 2_000)


@pytest.mark.parametrize(
    ("today", "counted"),
    [
        (FRIDAY, SPENT),
        (SATURDAY, Usage(SATURDAY, 0, 2_000)),
        (DECEMBER_1, Usage(DECEMBER_1, 0, 0)),
        (date(2027, 11, 20), Usage(date(2027, 11, 20), 0, 0)),
    ],
)
def test_a_new_day_begins_at_nothing_and_a_new_month_too(today: date, counted: Usage) -> None:
    assert SPENT.at(today) == counted


def test_a_clock_that_was_set_back_opens_no_new_day() -> None:
    assert SPENT.at(date(2026, 11, 19)) == SPENT
    assert SPENT.plus(50, date(2026, 11, 19)) == Usage(FRIDAY, 750, 2_050)


def test_what_is_spent_counts_on_its_day_and_in_its_month() -> None:
    first = UNUSED.plus(300, FRIDAY)
    assert first == Usage(FRIDAY, 300, 300)
    assert first.plus(200, SATURDAY) == Usage(SATURDAY, 200, 500)
    assert Usage(NOVEMBER_30, 10, 90).plus(5, DECEMBER_1) == Usage(DECEMBER_1, 5, 5)


@pytest.mark.parametrize(
    ("spent_on", "left"),
    [
        (FRIDAY, Usage(FRIDAY, 400, 1_700)),
        (date(2026, 11, 2), Usage(FRIDAY, 700, 1_700)),  # of the month, not of the day
        (date(2026, 10, 31), SPENT),
        (date(2025, 11, 20), SPENT),
    ],
)
def test_what_came_back_counts_no_more_where_it_counted(spent_on: date, left: Usage) -> None:
    assert SPENT.minus(300, spent_on=spent_on) == left


def test_nothing_counts_as_less_than_nothing() -> None:
    assert SPENT.minus(5_000, spent_on=FRIDAY) == Usage(FRIDAY, 0, 0)
    assert UNUSED.minus(5, spent_on=FRIDAY) == UNUSED
