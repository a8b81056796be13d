"""Tariff files: `menus/tariffs/*.csv`, which operators write, checked before they are used.

One row a band: tariff, service, currency, tax_percent, lowest, highest, fee, note. The bands of
a service stand in order, the first one's lowest amount is the least that can be sent, and each
begins one cent above the one before, so that no amount falls between two of them.
"""

import csv
import io
from collections.abc import Iterator, Mapping

from ussd_gateway.domain.money import EXPONENTS, parse_typed
from ussd_gateway.domain.tariff import Band, Tariff
from ussd_gateway.files.faults import Fault, Faults

COLUMNS = ("tariff", "service", "currency", "tax_percent", "lowest", "highest", "fee", "note")

# Of a row: the code, what was found, and what to do.
Slip = tuple[str, str, str]


def read_tariffs(text: str, file: str) -> tuple[Mapping[str, Tariff], list[Fault]]:
    """The tariffs of one file by service, and every fault in it. With faults, use none of
    it."""
    faults = Faults(file)
    rows: dict[tuple[str, ...], list[Band]] = {}
    for line, row in read_rows(text, COLUMNS, faults):
        head = tuple(row[name] or "" for name in COLUMNS[:4])
        slip = _head_slip(head) or _tariff_slip(head, rows)
        slip = slip or _add_band(rows.setdefault(head, []), row, head[2])
        if slip:
            code, found, advice = slip
            faults.add(code, line, found, advice)
    if faults.errors:
        return {}, faults.errors
    return {
        head[1]: Tariff(head[0], head[1], head[2], int(head[3]), tuple(bands))
        for head, bands in rows.items()
    }, []


def read_rows(
    text: str, columns: tuple[str, ...], faults: Faults
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows that have just these columns, each with its line. What a comma without quotes
    comes to is a fault: the amounts behind it would be read wrong."""
    reader = csv.DictReader(io.StringIO(text), restkey="rest")
    try:
        if tuple(reader.fieldnames or ()) != columns:
            faults.add("E40", 1, "the first line", f"it must be: {','.join(columns)}")
            return
        for row in reader:
            if row.get("rest"):
                advice = 'put what has a comma in quotes, "1,050.00"'
                faults.add("E40", reader.line_num, "too many columns", advice)
            else:
                yield reader.line_num, row
    except csv.Error as error:
        faults.add("E40", reader.line_num, f"no CSV: {error}", "write plain rows of text")


def _head_slip(head: tuple[str, ...]) -> Slip | None:
    tariff, service, currency, tax_percent = head
    if not tariff or not service:
        return "E41", "a row without a tariff or a service", "write both"
    if currency not in EXPONENTS:
        known = ", ".join(EXPONENTS)
        return "E41", f"unknown currency {currency!r}", f"use one of {known}"
    if not (tax_percent.isascii() and tax_percent.isdigit() and int(tax_percent) <= 100):
        return "E41", f"tax_percent is {tax_percent!r}", "write a whole number from 0 to 100"
    return None


def _tariff_slip(
    head: tuple[str, ...], rows: Mapping[tuple[str, ...], list[Band]]
) -> Slip | None:
    service = head[1]
    if head not in rows and any(other[1] == service for other in rows):
        return "E43", f"service {service} has two tariffs", "keep one"
    return None


def _add_band(bands: list[Band], row: Mapping[str, str], currency: str) -> Slip | None:
    amounts = {name: _minor(row[name], currency) for name in ("lowest", "highest", "fee")}
    for name, minor in amounts.items():
        if minor is None:
            return "E44", f"{name} is {row[name]!r}", "write an amount such as 500.00"
    lowest, highest, fee = (minor or 0 for minor in amounts.values())
    if highest < lowest:
        return "E42", "highest is under lowest", "write the greater amount as highest"
    if bands and lowest != bands[-1].highest + 1:
        advice = "begin with the next amount after the band before (no gap, no overlap)"
        return "E42", f"lowest is {row['lowest']}", advice
    bands.append(Band(lowest, highest, fee))
    return None


def _minor(text: str | None, currency: str) -> int | None:
    if text is not None and text.strip(" 0.") == "" and "0" in text:
        return 0
    money = parse_typed(text or "", currency)
    return None if money is None else money.minor
