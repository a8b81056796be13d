"""Tables that other programs open: RFC 4180, and no cell that runs."""

import csv
import io

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.papers.table import csv_text, decimal


def test_rows_end_as_the_standard_says_and_text_is_quoted_where_it_must_be() -> None:
    text = csv_text(("a", "b"), [('say "hi"', "one,two"), ("line\nline", 3)])

    assert text == 'a,b\r\n"say ""hi""","one,two"\r\n"line\nline",3\r\n'
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [
        ['say "hi"', "one,two"],
        ["line\nline", "3"],
    ]


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_a_spreadsheet_would_run_is_told_to_be_text(begins: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text((), [(f"{begins}1+1",)]), newline="")))[1:]

    assert row == [f"'{begins}1+1"]


def test_an_amount_below_zero_stays_a_number() -> None:
    assert csv_text(("a",), [(Money(-1_234_56, "KES"),)]) == "a\r\n-1234.56\r\n"


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(1_234_567_00, "KES"), "1234567.00"),
        (Money(5, "KES"), "0.05"),
        (Money(1_234, "UGX"), "1234"),
    ],
)
def test_amounts_are_decimals_without_separators(money: Money, written: str) -> None:
    assert decimal(money) == written


def test_nothing_is_an_empty_cell() -> None:
    assert csv_text(("a", "b"), [(None, "")]) == "a,b\r\n,\r\n"
