"""What is said of tariff files: each fault with its line, and the whole folder at once."""

from datetime import date
from pathlib import Path

import pytest

from ussd_gateway.services.terms.heads import COLUMNS
from ussd_gateway.services.terms.priced import SERVICES
from ussd_gateway.services.terms.tariffs import read_price_book, read_tariffs

HEAD = ",".join(COLUMNS)
DAY = date(2026, 11, 21)
SEND = "KE,send,KES,2023-07-01,15,,"
EARNED = "KE,deposit.commission,KES,2022-01-01,0,20,"


@pytest.mark.parametrize(
    ("rows", "line", "code", "says"),
    [
        ((f"{SEND}1.00,49.00,0", f"{SEND}50.00,99.00,7"), 3, "E42", "a gap"),
        ((f"{SEND}1.00,49.00,0", f"{SEND}49.00,99.00,7"), 3, "E42", "an overlap"),
        ((f"{SEND}9.00,1.00,0",), 2, "E42", "highest is under lowest"),
        ((f"{SEND}1.00,,0",), 2, "E46", "highest is empty"),
        ((f"{SEND}1.00,free,0",), 2, "E44", "highest is 'free'"),
        ((f"{SEND}1.00,2.00,-1",), 2, "E44", "fee is '-1'"),
        ((f"{SEND}1.00,9.00,0", f"{SEND}9.01,10.00,9.02"), 3, "W47", "9.01 costs 9.02"),
        ((f"{SEND}1.00,9.00,1", f"{SEND}9.01,10.00,0.99"), 3, "W48", "less than what is below"),
        (("KE,send,EUR,2023-07-01,15,,1.00,2.00,0",), 2, "E41", "unknown currency 'EUR'"),
        (("KE,send,UGX,2023-07-01,15,,1,2,0",), 2, "E32", "the books are kept in KES"),
        (("KE,send,KES,2023-07-01,lots,,1.00,2.00,0",), 2, "E41", "whole number"),
        (("KE,send,KES,2023-07-01,101,,1.00,2.00,0",), 2, "E41", "whole number"),
        (("KE,send,KES,2023-02-30,15,,1.00,2.00,0",), 2, "E41", "from is '2023-02-30'"),
        (("KE,send,KES,20230701,15,,1.00,2.00,0",), 2, "E41", "from is '20230701'"),
        (("KE,sned,KES,2023-07-01,15,,1.00,2.00,0",), 2, "E41", "did you mean send?"),
        ((",send,KES,2023-07-01,15,,1.00,2.00,0",), 2, "E41", "without a tariff"),
        (("KE,send,KES,2023-07-01,15,20,1.00,2.00,0",), 2, "E41", "it is of commissions"),
        (("KE,deposit.commission,KES,2022-01-01,0,,1.00,2.00,0",), 2, "E41", "whole number"),
        (("KE,deposit.commission,KES,2022-01-01,15,20,1.00,2.00,0",), 2, "E41", "no fee"),
        ((f"{SEND}1.00,2.00,0", f"KF{SEND[2:]}1.00,2.00,0"), 3, "E43", "two tariffs from 2023"),
        (
            (f"{SEND}1.00,2.00,0", "KE,send,KES,2023-07-01,16,,2.01,3.00,0"),
            3,
            "E43",
            "the same tariff, service, currency",
        ),
    ],
)
def test_each_fault_of_a_tariff_file_is_told_with_its_line(
    rows: tuple[str, ...], line: int, code: str, says: str
) -> None:
    tariffs, faults = read_tariffs(file(*rows), "KE.csv", "KES")

    assert [(fault.line, fault.code) for fault in faults] == [(line, code)]
    assert says in str(faults[0])
    assert bool(tariffs) == faults[0].warns


FIRST = f"{SEND}1.00,100.00,0"
LAST = (f"{SEND}500.01,1000.00,9", f"{SEND}1000.01,1500.00,11")


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ((), "E42 lowest is 500.01: a gap, the band before ends at 100.00: write 100.01, or"),
        (
            (f"{SEND}100.00,500.00,7",),
            "E42 lowest is 100.00: an overlap, the band before ends at ",
        ),
        ((f"{SEND}free,500.00,7",), "E44 lowest is 'free'"),
        ((f"{SEND}100.01,free,7",), "E44 highest is 'free'"),
        ((f"{SEND}100.01,500.00,free",), "E44 fee is 'free'"),
        ((f"{SEND}100.01,,7",), "E46 highest is empty"),
        ((f"{SEND}100.01,50.00,7",), "E42 highest is under lowest"),
        (("KE,send,KES,2023-02-30,15,,100.01,500.00,7",), "E41 from is '2023-02-30'"),
        (("KE,sned,KES,2023-07-01,15,,100.01,500.00,7",), "E41 unknown service 'sned'"),
        (
            ("KE,send,KES,2024-07-01,15,,100.01,500.00,7",),
            "E43 KE holds for send from 2024-07-01, but from 2023-07-01 on line 2: write one",
        ),
        (
            ("KE,send,KES,2023-07-01,16,,100.01,500.00,7",),
            "E43 send has two tariffs from 2023-0",
        ),
    ],
)
def test_a_slip_is_told_once_and_not_on_the_rows_behind_it(
    slip: tuple[str, ...], says: str
) -> None:
    _, faults = read_tariffs(file(FIRST, *slip, *LAST), "KE.csv", "KES")
    (fault,) = faults
    assert str(fault).startswith(f"KE.csv:3: {says}")


def test_a_file_that_dates_a_service_twice_is_told_where_the_date_changes_and_only_there() -> (
    None
):
    again = (row.replace("2023", "2024") for row in (FIRST, f"{SEND}100.01,500.00,7", *LAST))
    _, faults = read_tariffs(file(FIRST, *again), "KE.csv", "KES")
    assert [(fault.line, fault.code) for fault in faults] == [(3, "E43")]


@pytest.mark.parametrize(
    ("bounds", "takes"),
    [
        ("5.00,250000.00", "5.00 to 250000.00"),
        ("1.00,400.00", "1.00 to 400.00"),
        ("1.00,250000.01", None),
    ],
)
def test_a_later_tariff_that_takes_less_than_the_one_before_is_a_warning(
    bounds: str, takes: str | None
) -> None:
    found = told(shipped() | {"KE-2027.csv": file(f"KE-2027{NEXT_YEAR}{bounds},1.00")})
    says = f"W49 send takes {takes} from 2027-01-01 on, and 1.00 to 250000.00 before"
    expected = [f"KE-2027.csv:2: {says}"] if takes else []
    assert [line.partition(": begin")[0] for line in found] == expected


def test_a_file_with_other_columns_is_refused() -> None:
    _, faults = read_tariffs("amount,fee\n1,2\n", "KE.csv", "KES")
    assert str(faults[0]).startswith("KE.csv:1: E40 the first line: it must be: tariff,")


def test_a_row_with_a_column_too_many_is_a_fault() -> None:
    """A fee of 1,050.00 without quotes would be one of 1.00."""
    _, faults = read_tariffs(file(f"{SEND}1.00,99.00,1,050.00,"), "KE.csv", "KES")
    assert [fault.line for fault in faults] == [2]


def test_a_tariff_is_what_its_rows_say() -> None:
    rows = (f"{EARNED}50.00,100.00,4.00,a note", f"{EARNED}100.01,510.00,8.00,")
    found, _ = read_tariffs(file(*rows), "KE.csv", "KES")

    (tariff,) = found.values()
    assert [*found] == [2]
    assert (tariff.id, tariff.service, tariff.since) == (
        "KE",
        "deposit.commission",
        date(2022, 1, 1),
    )
    assert (tariff.tax_percent, tariff.head_office_percent) == (0, 20)
    assert [(band.lowest, band.highest, band.fee) for band in tariff.bands] == [
        (50_00, 100_00, 4_00),
        (100_01, 510_00, 8_00),
    ]


def shipped() -> dict[str, str]:
    return {path.name: path.read_text() for path in Path("menus/tariffs").glob("*.csv")}


def told(texts: dict[str, str], today: date = DAY) -> list[str]:
    book, faults = read_price_book(texts, currency="KES", today=today)
    assert (book is None) == any(not fault.warns for fault in faults)
    return [str(fault) for fault in faults]


def test_several_tariffs_of_a_service_stand_side_by_side_from_different_days() -> None:
    texts = shipped() | {"KE-2027.csv": file(f"KE-2027{NEXT_YEAR}1.00,250000.00,1.00")}
    book, faults = read_price_book(texts, currency="KES", today=DAY)

    assert book is not None
    assert faults == []
    assert [each.id for each in book.tariffs["send"]] == ["KE-2023-07", "KE-2027"]


NEXT_YEAR = ",send,KES,2027-01-01,15,,"


def test_two_files_with_a_service_from_one_day_are_told() -> None:
    again = file(f"{SEND}1.00,250000.00,1.00")
    assert told({"A.csv": again, **shipped()}) == [
        "KE-2023-07.csv:2: E43 send from 2023-07-01 stands in A.csv too: keep one of them"
    ]


def test_a_service_without_a_tariff_is_told() -> None:
    texts = shipped()
    del texts["KE-PAYBILL-2024.csv"]
    assert told(texts) == [
        f"menus/tariffs:1: E43 no tariff for {service}: add its bands"
        for service in ("pay_bill", "pay_bill.business")
    ]


def test_a_service_whose_first_tariff_is_yet_to_come_is_told() -> None:
    late = told(shipped(), date(2023, 12, 31))
    assert late == [
        f"menus/tariffs:1: E43 no tariff for {service} before 2024-01-01: "
        "add the one that holds today"
        for service in ("pay_bill", "pay_bill.business")
    ]


def test_what_is_free_costs_nothing() -> None:
    texts = shipped() | {
        "KE-2027.csv": file("KE-2027,airtime,KES,2027-01-01,15,,5.00,9.00,1.00")
    }
    assert told(texts) == ["KE-2027.csv:2: E43 airtime is free: each fee of it must be 0.00"]


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("pay_bill.business", "pay_bill takes 1.00 to 250000.00"),
        ("deposit.commission", "deposit takes 50.00 to 250000.00"),
        ("withdraw.commission", "withdraw takes 50.00 to 250000.00"),
    ],
)
@pytest.mark.parametrize(("lowest", "highest"), [("1.00", "2500.00"), ("60.00", "250000.00")])
def test_a_part_that_leaves_out_what_its_service_takes_is_told(
    part: str, whole: str, lowest: str, highest: str
) -> None:
    percent = "0,20" if part.endswith("commission") else "15,"
    rows = f"KE-2027,{part},KES,2027-01-01,{percent},{lowest},{highest},0.50"
    faults = told(shipped() | {"KE-2027.csv": file(rows)})
    (found,) = (line for line in faults if "W49" not in line)

    assert found == (
        f"KE-2027.csv:2: E43 {part} is for {lowest} to {highest}, but {whole} from 2027-01-01 "
        "on: write its bands for all of that"
    )


def test_a_service_that_takes_more_than_its_part_is_for_is_told_where_the_part_stands() -> None:
    more = file("KE-2027,pay_bill,KES,2027-01-01,15,,1.00,300000.00,0.00")
    (fault,) = told(shipped() | {"KE-2027.csv": more})

    assert fault.startswith("KE-PAYBILL-2024.csv:22: E43 pay_bill.business is for 1.00 to 2500")


@pytest.mark.parametrize("fee", ["1.00", "5.00"])
def test_what_is_kept_of_a_bill_leaves_its_biller_something(fee: str) -> None:
    rows = f"KE-2027,pay_bill.business,KES,2027-01-01,15,,1.00,250000.00,{fee}"
    (found,) = told(shipped() | {"KE-2027.csv": file(rows)})

    assert found == (
        f"KE-2027.csv:2: E47 pay_bill.business takes {fee} of 1.00: "
        "lower the fee, or begin the band with a greater amount"
    )


def test_a_warning_keeps_nothing_from_being_used() -> None:
    texts = shipped() | {"KE-2027.csv": file(f"KE-2027{NEXT_YEAR}1.00,250000.00,2.00")}
    assert [line.split(" ")[1] for line in told(texts)] == ["W47"]


def test_every_service_is_known() -> None:
    book, _ = read_price_book(shipped(), currency="KES", today=DAY)
    assert book is not None
    assert sorted(book.tariffs) == sorted(SERVICES)


def file(*rows: str) -> str:
    # A note that is not there is an empty one.
    full = (row if row.count(",") == len(COLUMNS) - 1 else f"{row}," for row in rows)
    return "\n".join((HEAD, *full)) + "\n"
