import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Fee


def fee(total: int, tax: int, currency: str = "KES") -> Fee:
    return Fee(Money(total, currency), Money(tax, currency))


def test_two_fees_of_one_payment_add_up_in_total_tax_and_income() -> None:
    both = fee(10_00, 1_30) + fee(5_00, 65)

    assert both == fee(15_00, 1_95)
    assert both.income == Money(13_05, "KES")


def test_no_fee_changes_nothing() -> None:
    assert fee(7_00, 91) + fee(0, 0) == fee(7_00, 91)


def test_fees_of_two_currencies_never_meet() -> None:
    with pytest.raises(AssertionError):
        fee(7_00, 91) + fee(7, 1, "UGX")
