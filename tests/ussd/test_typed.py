"""What people type, and what it is."""

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.ussd import typed


@pytest.mark.parametrize(
    ("region", "text", "msisdn"),
    [
        ("KE", "0711000002", "+254711000002"),
        ("KE", "711000002", "+254711000002"),
        ("KE", "254711000002", "+254711000002"),
        ("KE", "+254711000002", "+254711000002"),
        ("KE", "0711 000-002", "+254711000002"),
        ("KE", "0110000002", "+254110000002"),
        ("UG", "0711000002", "+256711000002"),
        ("KE", "0211000002", None),
        ("KE", "071100000", None),
        ("KE", "07110000022", None),
        ("KE", "+255711000002", None),
        ("KE", "٠٧١١٠٠٠٠٠٢", None),
        ("KE", "0711OOOOO2", None),
        ("KE", "", None),
    ],
)
def test_a_typed_number(region: str, text: str, msisdn: str | None) -> None:
    assert typed.msisdn_parser(region)(text) == msisdn


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("500", 50_000),
        ("500.50", 50_050),
        ("1,500", 150_000),
        ("500000", 50_000_000),
        ("500000.01", None),
        ("0", None),
        ("-5", None),
        ("5.555", None),
        ("٥٠٠", None),
        ("five", None),
        ("", None),
    ],
)
def test_a_typed_amount(text: str, minor: int | None) -> None:
    amount = typed.money_parser("KES", Money(50_000_000, "KES"))(text)
    assert amount == (None if minor is None else Money(minor, "KES"))


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("123456", "123456"),
        ("00123456", "00123456"),
        ("123 456", "123456"),
        ("12345", None),
        ("123456789", None),
        ("12345a", None),
        ("-", None),
        ("١٢٣٤٥٦", None),
        ("", None),
    ],
)
def test_typed_digits(text: str, digits: str | None) -> None:
    assert typed.digits_parser(6, 8)(text) == digits


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Amina Wafula", "Amina Wafula"),
        ("  Juma   Otieno ", "Juma Otieno"),
        ("Ng’ang’a wa-Mwangi Jr.", "Ng'ang'a wa-Mwangi Jr."),
        ("Rene\u0301 Ko\u0303", "René Ko"),
        ("Bo", "Bo"),
        ("B", None),
        ("..", None),
        ("", None),
        ("Juma 2", None),
        ("Juma ٢", None),
        ("Juma ½", None),
        ("Juma\nOtieno", None),
        ("Juma\tOtieno", None),
        ("Juma {name}", None),
        ("Juma_Otieno", None),
        ("朱马", "ZhuMa"),
        ("Ɓala Ƙofa", "Bala Kofa"),
        ("x" * 24, "x" * 24),
        ("x" * 25, None),
    ],
)
def test_a_typed_name(text: str, name: str | None) -> None:
    assert typed.text_parser(24)(text) == name


@pytest.mark.parametrize(
    ("text", "fits"),
    [("1234", True), ("123", False), ("12345", False), ("12a4", False), ("١٢٣٤", False)],
)
def test_the_shape_of_a_pin(text: str, fits: bool) -> None:
    assert typed.is_digits(text, least=4, most=4) is fits
