"""`menus/limits.yaml`: what is read of it, and what an operator is told who slipped."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tests.services.cast import PRICES, TARIFFS, TODAY
from ussd_gateway.domain.limits import STANDARD, TIERS, Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import PriceBook, price_book
from ussd_gateway.services.terms.limits import beyond_tariffs, read_limits

GOOD = """\
schema: 1
currency: KES
tiers:
  minimum: {transaction: 10000.00, day: 20000.00, month: 100000.00, balance: 50000.00}
  standard: {transaction: 250000.00, day: 500000.00, month: 3000000.00, balance: 500000.00}
  enhanced: {transaction: 250000.00, day: 1000000.00, month: 6000000.00, balance: 1000000.00}
"""


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def test_each_tier_has_its_limits() -> None:
    limits, faults = read_limits(GOOD, "limits.yaml", "KES")

    assert faults == []
    assert limits == {
        "minimum": Limit(kes(10_000), kes(20_000), kes(100_000), kes(50_000)),
        "standard": Limit(kes(250_000), kes(500_000), kes(3_000_000), kes(500_000)),
        "enhanced": Limit(kes(250_000), kes(1_000_000), kes(6_000_000), kes(1_000_000)),
    }


def test_the_shipped_limits_are_whole_and_a_lower_tier_has_less() -> None:
    limits, faults = read_limits(Path("menus/limits.yaml").read_text(), "limits.yaml", "KES")

    assert faults == []
    for lower, upper in pairwise(limits[tier] for tier in TIERS):
        assert lower.transaction_max <= upper.transaction_max
        assert lower.day_max < upper.day_max
        assert lower.month_max < upper.month_max
        assert lower.balance_max < upper.balance_max


def test_the_shipped_facts_are_the_market_leaders_own() -> None:
    """Per payment, per day, and the most in a wallet."""
    limits, _ = read_limits(Path("menus/limits.yaml").read_text(), "limits.yaml", "KES")
    standard = limits[STANDARD]

    assert standard.transaction_max == kes(250_000)
    assert standard.day_max == standard.balance_max == kes(500_000)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (GOOD, "", 1, "E00 an empty file: write schema, currency and tiers"),
        ("  standard", "standard: [", 5, "E00 "),
        ("schema: 1", "schema: 1\n---", 2, "E00 "),
        ("schema: 1", "schema: 2", 1, "E01 schema: 2: this gateway reads 1"),
        ("KES", "UGX", 2, "E01 currency: UGX: this gateway reads KES"),
        ("schema: 1\n", "", 1, "E01 the file: give its `schema`"),
        ("schema: 1", "schema: 1\nnote: x", 2, "E01 note in the file: "),
        ("schema: 1", "schema: 1\nschema: 1", 2, "E02 schema: "),
        (GOOD, "word\n", 1, "E01 the file: write `key: value` pairs here"),
        (
            "  standard: {transaction: 250000.00, day: 500000.00, month: 3000000.00,",
            "  # {",
            4,
            "E01 tiers: give its `standard`",
        ),
        ("  minimum", "  standard", 5, "E02 standard: "),
        (", balance: 500000.00", "", 5, "E01 standard: give its `balance`"),
        (", month: 3000000.00", "", 5, "E01 standard: give its `month`"),
        ("{transaction: 10000.00, day: 20000.00,", "10 #", 4, "E01 minimum: write `key: "),
        ("day: 500000.00", "day: 249999.99", 5, "E50 standard: a day under a transaction: wr"),
        ("month: 3000000.00", "month: 499999.99", 5, "E50 standard: a month under a day: wr"),
        ("balance: 50000.00", "balance: 1.00", 4, "E50 minimum: a balance under a transact"),
        ("day: 1000000.00", "day: 499999.00", 6, "E50 enhanced: a day under that of tier st"),
        ("250000.00", "plenty", 5, "E44 plenty: write an amount such as 250000.00"),
        ("250000.00", "0.00", 5, "E44 0.00: write an amount such as 250000.00"),
        ("250000.00", "-5", 5, "E44 -5: write an amount such as 250000.00"),
        ("250000.00", "5.001", 5, "E44 5.001: write an amount such as 250000.00"),
        ("day: 500000.00", "day: 500,000.00", 5, "E44 500,000.00: write no commas: 500000.00"),
        ("250000.00", "[5]", 5, "E01 an amount: "),
        ("schema: 1", "schema: [1]", 1, "E01 schema: "),
        ("schema: 1", "[schema]: 1", 1, "E00 "),
        ("KES", "\x07", 2, "E00 a control character: "),
    ],
)
def test_each_fault_is_told_with_its_line_and_what_to_do(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    limits, faults = read_limits(GOOD.replace(old, new, 1), "menus/limits.yaml", "KES")

    assert limits == {}
    assert any(
        str(fault).startswith(f"menus/limits.yaml:{line}: {says}") for fault in faults
    ), faults


def test_amounts_with_commas_are_one_fault_each_and_nothing_else_is_told() -> None:
    """In YAML each of them is two or three words."""
    typed = GOOD.replace("500000.00, m", "500,000.00, m").replace("3000000", "3,000,000")
    _, faults = read_limits(typed, "limits.yaml", "KES")
    assert [(fault.line, fault.found) for fault in faults] == [
        (5, "500,000.00"),
        (5, "3,000,000.00"),
    ]


def test_a_limit_above_what_a_tariff_prices_is_told_with_both_amounts() -> None:
    more = GOOD.replace("  standard: {transaction: 250000", "  standard: {transaction: 250001")
    (told,) = beyond(more)

    assert beyond(GOOD) == []
    says, _, services = told.partition(", but the highest of ")
    assert says == "limits.yaml:5: W51 standard: a transaction of 250001.00"
    assert services.startswith("send, withdraw, deposit, pay_bill, buy_goods is 250000.00: ")


def test_a_tariff_that_ends_below_a_limit_one_day_is_told_with_that_day() -> None:
    send = TARIFFS["send"]
    less = replace(send, since=date(2027, 1, 1), bands=send.bands[:-1])
    every = [tariff for those in PRICES.tariffs.values() for tariff in those]
    (told,) = beyond(GOOD, price_book([*every, less]))
    assert told.startswith("limits.yaml:5: W51 standard: a transaction of 250000.00, but ")
    assert "but the highest of send from 2027-01-01 on is 50000.00: raise" in told


def test_a_tariff_that_holds_no_more_is_not_held_to_the_limits() -> None:
    send = TARIFFS["send"]
    less = replace(send, since=date(2020, 1, 1), bands=send.bands[:-1])
    every = [tariff for those in PRICES.tariffs.values() for tariff in those]
    assert beyond(GOOD, price_book([*every, less])) == []


def beyond(source: str, prices: PriceBook = PRICES) -> list[str]:
    return [str(each) for each in beyond_tariffs(source, "limits.yaml", "KES", prices, TODAY)]
