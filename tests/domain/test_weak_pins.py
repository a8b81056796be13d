import pytest

from ussd_gateway.domain.pin import is_weak


@pytest.mark.parametrize(
    "pin",
    [
        "0000",  # one digit
        "7777",
        "1212",  # a pair, twice
        "0909",
        "0123",  # a run up
        "1234",
        "6789",
        "7890",
        "3210",  # a run down
        "9876",
        "4321",
        "0987",
        "2580",  # the middle of the keypad, down
        "0852",  # and up
        "1900",  # a year of birth
        "1985",
        "2007",
        "2026",
        "2099",
    ],
)
def test_what_a_thief_tries_first_is_weak(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize(
    "pin",
    ["4826", "7391", "5937", "6174", "8265", "1357", "1221", "1122", "8901", "1899", "2100"],
)
def test_what_has_no_such_pattern_is_not(pin: str) -> None:
    assert not is_weak(pin)


def test_few_pins_are_weak() -> None:
    """Were many refused, those that are left would be guessed the sooner."""
    pins = [f"{number:0{4}}" for number in range(10**4)]
    assert sum(map(is_weak, pins)) < 500
