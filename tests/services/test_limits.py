"""`menus/limits.yaml`: what is read of it, and what an operator is told who slipped."""

from pathlib import Path

import pytest

from ussd_gateway.domain.limits import TIERS, Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.services.limits import read_limits

GOOD = """\
schema: 1
currency: KES
tiers:
  minimum: {transaction: 10000.00, balance: 50000.00}
  standard: {transaction: 250000.00, balance: 500000.00}
"""


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def test_each_tier_has_its_limits() -> None:
    limits, faults = read_limits(GOOD, "limits.yaml", "KES")

    assert faults == []
    assert limits == {
        "minimum": Limit(kes(10_000), kes(50_000)),
        "standard": Limit(kes(250_000), kes(500_000)),
    }


def test_the_shipped_limits_are_whole_and_a_lower_tier_has_less() -> None:
    limits, faults = read_limits(Path("menus/limits.yaml").read_text(), "limits.yaml", "KES")

    assert faults == []
    lower, upper = (limits[tier] for tier in TIERS)
    assert lower.transaction_max < upper.transaction_max
    assert lower.balance_max < upper.balance_max
    assert all(each.transaction_max <= each.balance_max for each in limits.values())


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
            "  standard: {transaction: 250000.00, balance: 500000.00}\n",
            "",
            4,
            "E01 tiers: give",
        ),
        ("  minimum", "  standard", 5, "E02 standard: "),
        (", balance: 500000.00", "", 5, "E01 standard: give its `balance`"),
        ("{transaction: 10000.00, balance: 50000.00}", "10", 4, "E01 minimum: write `key: "),
        ("250000.00", "plenty", 5, "E44 plenty: write an amount such as 250000.00"),
        ("250000.00", "0.00", 5, "E44 0.00: write an amount such as 250000.00"),
        ("250000.00", "-5", 5, "E44 -5: write an amount such as 250000.00"),
        ("250000.00", "5.001", 5, "E44 5.001: write an amount such as 250000.00"),
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
