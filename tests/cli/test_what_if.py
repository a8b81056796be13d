"""`ledger what-if` as an operator types it, on books that the gateway wrote."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.typed import run
from ussd_gateway.services.terms.heads import COLUMNS

MONTH = ("--from", "2026-11-01", "--to", "2026-11-30")


@pytest.fixture
def books(written: Path) -> dict[str, str]:
    """Amina, Juma and Grace sent KES 500, 150 and 200 on 2026-11-21, for KES 7 each."""
    return {"DATA_DIR": str(written)}


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    """Sending costs KES 9 from the new year on, and no more than KES 400 can be sent."""
    path = tmp_path / "KE-2027.csv"
    row = "KE-2027,send,KES,2027-01-01,16,,1.00,400.00,9.00,\n"
    path.write_text(f"{','.join(COLUMNS)}\n{row}")
    return path


def test_one_file_says_what_its_services_would_have_cost(
    books: dict[str, str], dearer: Path
) -> None:
    done = run("ledger", "what-if", str(dearer), *MONTH, **books)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == (f"2026-11-01 to 2026-11-30: 3 payments, as they were and by {dearer}")
    assert [line.split() for line in lines[3:]] == [
        ["send_money", "3", "KES", "850.00", "now", "21.00", "2.73", "0.00", "18.27"],
        ["then", "18.00", "2.48", "0.00", "15.52"],
        ["1", "refused", "difference", "-2.75"],
    ]


def test_a_folder_stands_for_itself_and_ours_changes_nothing(books: dict[str, str]) -> None:
    done = run("ledger", "what-if", "menus/tariffs", *MONTH, "--json", **books)

    values = json.loads(done.stdout)
    assert (values["from"], values["to"]) == ("2026-11-01", "2026-11-30")
    (line,) = values["services"]
    assert line["now"] == line["then"]
    assert line["now"] == {
        "fee_minor": 2100,
        "tax_minor": 273,
        "commission_minor": 0,
        "left_minor": 1827,
    }
    assert (line["service"], line["payments"], line["volume_minor"]) == ("send_money", 3, 85000)
    assert (line["difference_minor"], line["refused"]) == (0, 0)


def test_days_on_which_nothing_was_paid(books: dict[str, str], dearer: Path) -> None:
    days = ("--from", "2026-11-22", "--to", "2026-11-22")
    done = run("ledger", "what-if", str(dearer), *days, **books)
    assert done.stdout == (
        f"2026-11-22 to 2026-11-22: 0 payments, as they were and by {dearer}\n"
    )


def test_the_last_day_that_there_is_may_be_the_last(
    books: dict[str, str], dearer: Path
) -> None:
    days = ("--from", "0001-01-01", "--to", "9999-12-31")
    done = run("ledger", "what-if", str(dearer), *days, **books)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0001-01-01 to 9999-12-31: 3 payments")


def test_a_faulty_file_is_told_as_lint_tells_it(books: dict[str, str], dearer: Path) -> None:
    dearer.write_text(dearer.read_text().replace("400.00", ""))
    done = run("ledger", "what-if", str(dearer), *MONTH, **books)

    assert done.returncode == 1
    assert done.stdout.startswith(f"{dearer}:2: E46 highest is empty")


def test_a_folder_must_be_whole(books: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree("menus/tariffs", tmp_path / "less")
    (tmp_path / "less" / "KE-PAYBILL-2024.csv").unlink()
    done = run("ledger", "what-if", str(tmp_path / "less"), *MONTH, **books)

    assert done.returncode == 1
    less = tmp_path / "less"
    assert done.stdout.startswith(f"{less}:1: E43 no tariff for pay_bill: add its bands")


def test_days_in_the_wrong_order_are_refused(books: dict[str, str], dearer: Path) -> None:
    days = ("--from", "2026-11-30", "--to", "2026-11-01")
    done = run("ledger", "what-if", str(dearer), *days, **books)
    assert done.returncode == 2
    assert "2026-11-30 is after 2026-11-01" in done.stderr
