"""Receipts: ten characters that a person can read out, and that tell a misreading at once.

    Q C M   7 H K 2 P 9   X
    | | |   |             check character over the nine before it
    | | |   the day's counter, permuted with a key: unique, and tells nobody the day's volume
    | | day
    | month
    year since 2000, mod 32

The alphabet leaves out 0, 1, I and O. The check character is a sum in GF(32) in which every
place has its own weight, so that any one wrong character and any two swapped ones are told.
"""

from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import NewType

Receipt = NewType("Receipt", str)

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 10
DAY_COUNTER_MAX = 2**30  # six characters of five bits

_GAPS = str.maketrans("", "", " -")
_INDEX = {char: index for index, char in enumerate(ALPHABET)}
_HALF_BITS = 15
_HALF_MASK = 2**_HALF_BITS - 1
_ROUNDS = 4
# Each element of GF(2^5) times its generator x, modulo x^5 + x^2 + 1.
_TIMES_G = tuple(value << 1 ^ (0b100101 if value & 16 else 0) for value in range(32))


def make(day: date, counter: int, key: bytes) -> Receipt:
    """The receipt of the `counter`-th journal (from 0) of a business day."""
    assert 0 <= counter < DAY_COUNTER_MAX, "a day has so many receipts and no more"
    serial = _permute(counter, key=key, salt=day.toordinal().to_bytes(4, "big"))
    values = [(day.year - 2000) % 32, day.month, day.day]
    values += [serial >> shift & 31 for shift in (25, 20, 15, 10, 5, 0)]
    values.append(_check_value(values))
    return Receipt("".join(map(ALPHABET.__getitem__, values)))


def parse(text: str) -> Receipt | None:
    """What a person typed, as it stands in the books; None where it is no receipt. Small
    letters and gaps are how phones write."""
    code = text.translate(_GAPS).upper()
    return Receipt(code) if is_well_formed(code) else None


def is_well_formed(text: str) -> bool:
    """Whether the characters agree with their check. It tells a slip, not a forgery."""
    if len(text) != LENGTH or any(char not in _INDEX for char in text):
        return False
    values = [_INDEX[char] for char in text]
    return _check_value(values[:-1]) == values[-1]


def _check_value(values: list[int]) -> int:
    """Σ values[i] * g^(i+1) in GF(32); the check character's own weight is g^0 = 1."""
    total = 0
    for value in reversed(values):
        total = _TIMES_G[total ^ value]
    return total


def _permute(number: int, *, key: bytes, salt: bytes) -> int:
    """A keyed permutation of 30 bits: a Feistel network, so it is one to one for every key."""
    left: int = number >> _HALF_BITS
    right: int = number & _HALF_MASK
    for begun in _keyed(key):
        hashed = begun.copy()
        hashed.update(right.to_bytes(2, "big") + salt)
        mixed = int.from_bytes(hashed.digest(), "big")
        left, right = right, left ^ mixed & _HALF_MASK
    return left << _HALF_BITS | right


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> list[blake2b]:
    """Each turn's hashing, begun with a day's key: that is most of what a hash of seven octets
    costs."""
    return [blake2b(bytes((turn,)), key=key, digest_size=2) for turn in range(_ROUNDS)]
