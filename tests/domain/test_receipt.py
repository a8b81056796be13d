from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd_gateway.domain.receipt import ALPHABET, DAY_COUNTER_MAX, is_well_formed, make, parse

DAY = date(2026, 11, 21)
KEY = b"k" * 32

counters = st.integers(0, DAY_COUNTER_MAX - 1)


@given(counters)
def test_a_receipt_agrees_with_its_check_character(counter: int) -> None:
    assert is_well_formed(make(DAY, counter, KEY))


@given(st.sets(counters, min_size=2, max_size=50))
def test_no_two_of_a_day_are_alike(numbers: set[int]) -> None:
    assert len({make(DAY, number, KEY) for number in numbers}) == len(numbers)


@given(counters, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_told(counter: int, place: int, char: str) -> None:
    receipt = make(DAY, counter, KEY)
    wrong = receipt[:place] + char + receipt[place + 1 :]

    assert is_well_formed(wrong) is (wrong == receipt)


@given(counters)
def test_two_swapped_characters_are_told(counter: int) -> None:
    receipt = make(DAY, counter, KEY)
    for first, second in combinations(range(10), 2):
        chars = list(receipt)
        chars[first], chars[second] = chars[second], chars[first]
        wrong = "".join(chars)

        assert is_well_formed(wrong) is (wrong == receipt)


def test_its_first_three_characters_are_the_date() -> None:
    receipt = make(date(2026, 11, 21), 0, KEY)
    assert [ALPHABET.index(char) for char in receipt[:3]] == [26, 11, 21]


def test_what_is_no_receipt_is_not_well_formed() -> None:
    for text in ("", "2222", "I" * 10, "0" * 10, "x" * 10, "2" * 11):
        assert not is_well_formed(text)


def test_another_key_gives_other_receipts() -> None:
    ours = {make(DAY, number, KEY) for number in range(100)}
    theirs = {make(DAY, number, b"t" * 32) for number in range(100)}

    assert len(ours & theirs) <= 1


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("UDP2KW5VQP", "UDP2KW5VQP"),
        ("udp2kw5vqp", "UDP2KW5VQP"),
        (" udp2 kw5-vqp ", "UDP2KW5VQP"),
        ("UDP2KW5VQQ", None),
        ("UDP2KW5VQ", None),
        ("UDP2KW5VQPP", None),
        ("UDP2KW5VQP\n", None),
        ("", None),
    ],
)
def test_a_typed_receipt_is_read_or_told_at_once(typed: str, read: str | None) -> None:
    assert parse(typed) == read
