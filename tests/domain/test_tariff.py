from pathlib import Path

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Band, Tariff, round_half_up
from ussd_gateway.services.tariffs import read_tariffs

FILE = Path("menus/tariffs/KE-2023-07.csv")


@pytest.fixture
def tariff() -> Tariff:
    tariffs, faults = read_tariffs(FILE.read_text(), FILE.name)
    assert not faults
    return tariffs["send"]


def kes(text: str) -> Money:
    whole, _, cents = text.partition(".")
    return Money(int(whole) * 100 + int(cents or 0), "KES")


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        ("1", "0"),
        ("49.50", "0"),
        ("100", "0"),
        ("100.01", "7"),
        ("101", "7"),
        ("500", "7"),
        ("500.01", "13"),
        ("1000", "13"),
        ("20000.01", "108"),
        ("250000", "108"),
    ],
)
def test_each_band_has_its_fee(tariff: Tariff, amount: str, fee: str) -> None:
    found = tariff.fee(kes(amount))
    assert found is not None
    assert found.total == kes(fee)


@pytest.mark.parametrize("amount", ["0.99", "250000.01", "999999999"])
def test_an_amount_outside_the_bands_has_no_fee(tariff: Tariff, amount: str) -> None:
    assert tariff.fee(kes(amount)) is None


def test_excise_is_in_the_fee_and_the_split_loses_nothing(tariff: Tariff) -> None:
    fee = tariff.fee(kes("500"))
    assert fee is not None
    # 15 % included: 7.00 * 15 / 115 = 0.913...
    assert fee.tax == kes("0.91")
    assert fee.income == kes("6.09")


def test_halves_are_rounded_up() -> None:
    assert [round_half_up(n, 2) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert round_half_up(10, 4) == 3


def test_bands_that_do_not_touch_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        Tariff("T", "send", "KES", 15, (Band(1, 10, 0), Band(12, 20, 5)))


HEAD = "tariff,service,currency,tax_percent,lowest,highest,fee,note\n"


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        ("KE,send,KES,15,1.00,49.00,0\nKE,send,KES,15,50.00,99.00,7,\n", 3, "next amount"),
        ("KE,send,KES,15,1.00,49.00,0\nKE,send,KES,15,49.00,99.00,7,\n", 3, "next amount"),
        ("KE,send,KES,15,9.00,1.00,0,\n", 2, "highest is under lowest"),
        ("KE,send,KES,15,1.00,free,0,\n", 2, "highest is 'free'"),
        ("KE,send,EUR,15,1.00,2.00,0,\n", 2, "unknown currency 'EUR'"),
        ("KE,send,KES,lots,1.00,2.00,0,\n", 2, "whole number"),
        (",send,KES,15,1.00,2.00,0,\n", 2, "without a tariff"),
        ("KE,send,KES,15,1.00,2.00,0,\nKF,send,KES,15,1.00,2.00,0,\n", 3, "two tariffs"),
    ],
)
def test_each_fault_of_a_tariff_file_is_told_with_its_line(
    rows: str, line: int, says: str
) -> None:
    tariffs, faults = read_tariffs(HEAD + rows, "KE.csv")

    assert [fault.line for fault in faults] == [line]
    assert says in str(faults[0])
    assert not tariffs or says == "two tariffs"


def test_a_file_with_other_columns_is_refused() -> None:
    _, faults = read_tariffs("amount,fee\n1,2\n", "KE.csv")
    assert str(faults[0]).startswith("KE.csv:1: E40 the first line: it must be: tariff,")
