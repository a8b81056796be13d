"""Tariff files: `menus/tariffs/*.csv`, which operators write, checked before they are used.

One row a band: tariff, service, currency, tax_percent, lowest, highest, fee, note. The bands of
a service stand in order, the first one's lowest amount is the least that can be sent, and each
begins one cent above the one before, so that no amount falls between two of them.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import EXPONENTS, parse_typed
from ussd_gateway.domain.tariff import Band, Tariff

COLUMNS = ("tariff", "service", "currency", "tax_percent", "lowest", "highest", "fee", "note")


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong in an operator's file, where, and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def read_tariffs(text: str, file: str) -> tuple[Mapping[str, Tariff], list[FileFault]]:
    """The tariffs of one file by service, and every fault in it. With faults, use none of
    it."""
    reader = csv.DictReader(io.StringIO(text), restkey="rest")
    if tuple(reader.fieldnames or ()) != COLUMNS:
        wanted = ",".join(COLUMNS)
        return {}, [FileFault(file, 1, f"the first line must be: {wanted}")]

    faults: list[FileFault] = []
    rows: dict[tuple[str, ...], list[Band]] = {}
    for row in reader:
        head = tuple(row[name] or "" for name in COLUMNS[:4])
        fault = (
            too_many(row)
            or _head_fault(head)
            or _add_band(rows.setdefault(head, []), row, head[2])
        )
        if fault:
            faults.append(FileFault(file, reader.line_num, fault))
    if faults:
        return {}, faults

    services = [head[1] for head in rows]
    faults += [
        FileFault(file, 1, f"service {name} has two tariffs: keep one")
        for name in sorted({name for name in services if services.count(name) > 1})
    ]
    return {
        head[1]: Tariff(head[0], head[1], head[2], int(head[3]), tuple(bands))
        for head, bands in rows.items()
    }, faults


def too_many(row: Mapping[str, str]) -> str | None:
    """What a comma without quotes comes to: the amounts behind it would be read wrong."""
    if row.get("rest"):
        return 'too many columns: put what has a comma in quotes, "1,050.00"'
    return None


def _head_fault(head: tuple[str, ...]) -> str | None:
    tariff, service, currency, tax_percent = head
    if not tariff or not service:
        return "a row needs a tariff and a service"
    if currency not in EXPONENTS:
        return f"unknown currency {currency!r}: use one of {', '.join(EXPONENTS)}"
    if not tax_percent.isdigit() or int(tax_percent) > 100:
        return f"tax_percent is {tax_percent!r}: write a whole number from 0 to 100"
    return None


def _add_band(bands: list[Band], row: Mapping[str, str], currency: str) -> str | None:
    amounts = {name: _minor(row[name], currency) for name in ("lowest", "highest", "fee")}
    for name, minor in amounts.items():
        if minor is None:
            return f"{name} is {row[name]!r}: write an amount such as 500.00"
    lowest, highest, fee = (minor or 0 for minor in amounts.values())
    if highest < lowest:
        return "highest is under lowest"
    if bands and lowest != bands[-1].highest + 1:
        return "lowest must be the next amount after the band before (no gap, no overlap)"
    bands.append(Band(lowest, highest, fee))
    return None


def _minor(text: str | None, currency: str) -> int | None:
    if text is not None and text.strip(" 0.") == "" and "0" in text:
        return 0
    money = parse_typed(text or "", currency)
    return None if money is None else money.minor
