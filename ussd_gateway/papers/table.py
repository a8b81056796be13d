"""Tables as CSV (RFC 4180): amounts as decimals, and no cell that a spreadsheet would run.

A name that begins with `=` is a formula to a spreadsheet, whoever chose that name. A text that
begins like one gets an apostrophe before it, which spreadsheets take for `this is text`.
Source: OWASP, CSV Injection, owasp.org/www-community/attacks/CSV_Injection, read 2026-11-21.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from ussd_gateway.domain.money import Money

Cell = str | int | Money | None

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """To be written as UTF-8, line ends as they are."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(header)
    table.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue()


def decimal(money: Money) -> str:
    """`4493.00`: as programs read it."""
    return money.plain.replace(",", "")


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return decimal(cell)
        case int():
            return str(cell)
        case str():
            return f"'{cell}" if cell.startswith(_RUNS) else cell
