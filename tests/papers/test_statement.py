"""One statement on every paper: the screen, a table, A4 pages, and values for programs."""

import re
from dataclasses import replace
from datetime import date
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest

from ussd_gateway.domain.market import Market
from ussd_gateway.domain.statement import Line, Pending, Statement
from ussd_gateway.papers.pdf import as_pdf
from ussd_gateway.papers.statement import as_csv, as_lines, as_values, check_code

MARKET = Market("KE", "KES", ZoneInfo("Africa/Nairobi"))
AT_MS = 1_795_241_100_000  # 2026-11-21 09:05 in Nairobi

STATEMENT = Statement(
    ref="+254711000001",
    code=2010,
    holder="Amina Wafula",
    currency="KES",
    first=date(2026, 11, 1),
    last=date(2026, 11, 30),
    opening_minor=5_000_00,
    closing_minor=4_494_00,
    lines=(
        Line(AT_MS, "UDP2KW5VQP", "send_money", "Juma Otieno 0711***002", -507_00, 4_493_00),
        Line(AT_MS + 60_000, "UDP3MA4R2B", "deposit", "Jirani Agencies 100200", 1_00, 4_494_00),
    ),
    pending=(Pending("refund", -50_00, AT_MS, AT_MS + 3_600_000),),
)
NOTHING = replace(STATEMENT, closing_minor=5_000_00, lines=(), pending=())


def pdf(statement: Statement) -> bytes:
    return as_pdf(statement, MARKET, account_name="customer wallet", made_at_ms=AT_MS)


def test_a_statement_adds_up_or_says_that_it_does_not() -> None:
    assert STATEMENT.adds_up
    assert NOTHING.adds_up
    assert not replace(STATEMENT, opening_minor=1).adds_up
    assert not replace(STATEMENT, closing_minor=1).adds_up


def test_the_screen_shows_what_was_there_what_moved_and_what_is_left() -> None:
    lines = list(as_lines(STATEMENT, MARKET, account_name="customer wallet"))

    assert [" ".join(line.split()) for line in lines] == [
        "Amina Wafula +254711000001 2010 customer wallet",
        "2026-11-01 to 2026-11-30, Africa/Nairobi, amounts in KES",
        "",
        "time receipt in out balance",
        "Opening balance 5,000.00",
        "21/11/26 09:05 UDP2KW5VQP Send money Juma Otieno 0711***002 507.00 4,493.00",
        "21/11/26 09:06 UDP3MA4R2B Deposit Jirani Agencies 100200 1.00 4,494.00",
        "Closing balance 1.00 507.00 4,494.00",
        "",
        "Waiting now, and in no balance yet:",
        "21/11/26 09:05 Refund KES -50.00 until 21/11/26 10:05",
    ]


def test_amounts_stand_under_each_other() -> None:
    lines = list(as_lines(STATEMENT, MARKET, account_name="customer wallet"))[4:8]

    assert len({len(line) for line in lines}) == 1


def test_the_table_has_a_row_for_each_entry_between_two_balances() -> None:
    assert as_csv(STATEMENT, MARKET).split("\r\n") == [
        "time,receipt,what,other_party,in,out,balance,currency",
        "2026-11-01,,Opening balance,,,,5000.00,KES",
        "2026-11-21 09:05:00,UDP2KW5VQP,Send money,Juma Otieno 0711***002,,507.00,4493.00,KES",
        "2026-11-21 09:06:00,UDP3MA4R2B,Deposit,Jirani Agencies 100200,1.00,,4494.00,KES",
        "2026-11-30,,Closing balance,,1.00,507.00,4494.00,KES",
        "",
    ]


def test_a_name_that_is_a_formula_is_a_text_in_the_table() -> None:
    named = replace(STATEMENT.lines[0], other="=HYPERLINK(1) 0711***002")

    assert ",'=HYPERLINK(1) 0711***002," in as_csv(replace(STATEMENT, lines=(named,)), MARKET)


def test_who_makes_the_same_table_again_gets_the_same_check() -> None:
    check = sha256(as_csv(STATEMENT, MARKET).encode()).hexdigest()

    assert check_code(STATEMENT, MARKET) == check
    assert check_code(replace(STATEMENT, opening_minor=1), MARKET) != check


def test_programs_get_every_field() -> None:
    values = as_values(STATEMENT, MARKET)

    assert {name: values[name] for name in ("id", "opening", "in", "out", "closing")} == {
        "id": "+254711000001",
        "opening": "5000.00",
        "in": "1.00",
        "out": "507.00",
        "closing": "4494.00",
    }
    assert values["entries"] == [
        {
            "time": "2026-11-21 09:05:00",
            "receipt": "UDP2KW5VQP",
            "kind": "send_money",
            "other_party": "Juma Otieno 0711***002",
            "amount": "-507.00",
            "balance": "4493.00",
        },
        {
            "time": "2026-11-21 09:06:00",
            "receipt": "UDP3MA4R2B",
            "kind": "deposit",
            "other_party": "Jirani Agencies 100200",
            "amount": "1.00",
            "balance": "4494.00",
        },
    ]
    assert values["adds_up"] is True


@pytest.mark.parametrize(("entries", "pages"), [(0, 1), (35, 1), (60, 2), (400, 9)])
def test_a_paper_has_as_many_pages_as_it_needs(entries: int, pages: int) -> None:
    line = STATEMENT.lines[0]

    assert _pages(pdf(replace(STATEMENT, lines=(line,) * entries))) == pages


def test_the_same_statement_is_the_same_paper() -> None:
    assert pdf(STATEMENT) == pdf(STATEMENT)
    assert pdf(STATEMENT) != pdf(NOTHING)


@pytest.mark.parametrize("other", ["Ñandú Ωmega Şteƒan", "王小明", "A" * 200, ""])
def test_a_paper_takes_every_name(other: str) -> None:
    named = replace(STATEMENT.lines[0], other=other)

    assert _pages(pdf(replace(STATEMENT, holder=other, lines=(named,)))) == 1


def _pages(paper: bytes) -> int:
    assert paper.startswith(b"%PDF-")
    return len(re.findall(rb"/Type /Page\b", paper))
