"""`menus/content.csv`: what is read of it, and what an operator is told who slipped."""

from pathlib import Path

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.services.terms.catalogue import Item, read_catalogue

HEAD = "code,merchant,name,currency,price\n"
GOOD = "article,700700,Article,KES,20.00\n"


def test_each_row_is_an_item() -> None:
    items, faults = read_catalogue(
        f"{HEAD}{GOOD}song,700700,A song,KES,5\n", "content.csv", "KES"
    )

    assert faults == []
    assert items == {
        "article": Item("article", "700700", "Article", Money(20_00, "KES")),
        "song": Item("song", "700700", "A song", Money(5_00, "KES")),
    }


def test_the_shipped_catalogue_has_no_fault() -> None:
    items, faults = read_catalogue(Path("menus/content.csv").read_text(), "content.csv", "KES")

    assert faults == []
    assert items


OWN_CODE = "each row needs a code of its own"
TAKEN = f"E45 code is 'article': {OWN_CODE}"
OURS = "the books are kept in KES"
LENGTH = "write 1 to 20 characters"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",700700,Song,KES,5\n", f"E45 code is '': {OWN_CODE}"),
        (GOOD, TAKEN),
        ("song,,Song,KES,5\n", "E45 merchant is '': write its number"),
        ("song,Tamu,Song,KES,5\n", "E45 merchant is 'Tamu': write its number"),
        ("song,٧٠٠,Song,KES,5\n", "E45 merchant is '٧٠٠': write its number"),
        ("song,700700,,KES,5\n", f"E45 name is '': {LENGTH}"),
        (f"song,700700,{'S' * 21},KES,5\n", f"E45 name is '{'S' * 21}': {LENGTH}"),
        ("song,700700,Song,EUR,5\n", f"E32 currency is 'EUR': {OURS}"),
        ("song,700700,Song,UGX,5\n", f"E32 currency is 'UGX': {OURS}"),
        ("song,700700,Song,KES,free\n", "E44 price is 'free': write an amount such as 20.00"),
        ("song,700700,Song,KES,0.00\n", "E44 price is '0.00': write an amount such as 20.00"),
        ("song,700700,Song,KES,1.005\n", "E44 price is '1.005': write an amount such as 20.00"),
        ("song,700700,Song,KES\n", "E44 price is '': write an amount such as 20.00"),
        ("song\n", "E45 merchant is '': write its number"),
    ],
)
def test_each_fault_is_told_with_its_line_and_what_to_do(row: str, says: str) -> None:
    _, faults = read_catalogue(f"{HEAD}{GOOD}{row}", "menus/content.csv", "KES")

    (fault,) = faults
    assert str(fault).startswith(f"menus/content.csv:3: {says}")


def test_a_row_with_a_column_too_many_is_a_fault() -> None:
    """A price of 1,050.00 without quotes would be one of 1.00."""
    _, faults = read_catalogue(f"{HEAD}song,700700,Song,KES,1,050.00\n", "content.csv", "KES")

    assert [fault.line for fault in faults] == [2]


def test_all_faults_are_told_at_once() -> None:
    _, faults = read_catalogue(f"{HEAD}a,x,A,KES,1\n{GOOD}b,1,B,EUR,1\n", "content.csv", "KES")

    assert [fault.line for fault in faults] == [2, 4]


@pytest.mark.parametrize("head", ["", "code,price\n", "name,merchant,code,currency,price\n"])
def test_a_file_with_other_columns_is_refused(head: str) -> None:
    items, (fault,) = read_catalogue(head + GOOD, "content.csv", "KES")

    assert items == {}
    assert str(fault) == (
        "content.csv:1: E40 the first line: it must be: code,merchant,name,currency,price"
    )
