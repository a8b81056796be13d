"""A receipt's own check: year, month, day, six characters of a number, and a check character.

With the ten characters as elements of GF(32) (reduction x^5 + x^2 + 1, generator g = x), the
first nine weighted by g, g^2 ... g^9 and the last by 1, the sum is zero.
"""

from datetime import date

_VALUES = {letter: value for value, letter in enumerate("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")}
_REDUCTION = 0b100101


def fault_of(receipt: str, business_date: date) -> str | None:
    """What is wrong with it, in words that follow it; None where it fits."""
    values = [_VALUES.get(letter, -1) for letter in receipt]
    if len(values) != 10 or -1 in values:
        return "is not ten characters of the alphabet"
    if _weighted_sum(values) != 0:
        return "does not pass its own check"
    if values[:3] != [(business_date.year - 2000) % 32, business_date.month, business_date.day]:
        return f"is not of {business_date}"
    return None


def _weighted_sum(values: list[int]) -> int:
    # By Horner's rule, from the ninth: each step gives all that is in it one power of g more.
    total = 0
    for value in reversed(values[:9]):
        total = _times_g(total ^ value)
    return total ^ values[9]


def _times_g(value: int) -> int:
    doubled = value << 1
    return doubled ^ _REDUCTION if doubled > 31 else doubled
