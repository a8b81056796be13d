import pytest

from ussd_gateway.domain.money import Money, parse_typed


def test_money_prints_as_every_screen_shows_it() -> None:
    assert str(Money(123_400, "KES")) == "KES 1,234.00"
    assert str(Money(5, "KES")) == "KES 0.05"
    assert str(Money(-91, "KES")) == "KES -0.91"
    assert str(Money(1_500_000, "UGX")) == "UGX 1,500,000"


def test_two_currencies_never_meet() -> None:
    with pytest.raises(AssertionError):
        Money(1, "KES") + Money(1, "UGX")


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("500", 50_000), ("500.5", 50_050), ("500.50", 50_050), (" 1,500 ", 150_000), ("0.01", 1)],
)
def test_a_typed_amount_is_whole_or_decimal_shillings(typed: str, minor: int) -> None:
    assert parse_typed(typed, "KES") == Money(minor, "KES")


@pytest.mark.parametrize(
    "typed", ["", "0", "0.00", "-5", "5.001", "1e3", "٥٠٠", "5.", ".5", "9" * 13, "five", "5*5"]
)
def test_what_is_no_amount_is_none(typed: str) -> None:
    assert parse_typed(typed, "KES") is None


def test_a_currency_without_minor_units_takes_no_decimals() -> None:
    assert parse_typed("500", "UGX") == Money(500, "UGX")
    assert parse_typed("500.5", "UGX") is None
