"""The head of a tariff: what is alike in all of its rows. A slip in it is told once, of the
first of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.domain.tariff import Band, Tariff
from ussd_gateway.files.fields import nearest
from ussd_gateway.services.terms.priced import COMMISSION, SERVICES
from ussd_gateway.services.terms.rows import Slip

COLUMNS = (
    "tariff",
    "service",
    "currency",
    "from",
    "tax_percent",
    "head_office_percent",
    "lowest",
    "highest",
    "fee",
    "note",
)
# What is alike in all rows of a tariff.
HEAD = COLUMNS[:6]

# What a row has in these columns.
Head = tuple[str, ...]


@dataclass(slots=True)
class Begun:
    """A tariff as far as its rows are read. Its first row is at `line`."""

    line: int
    bands: list[Band] = field(default_factory=list)


def head_slip(head: Head, ours: str) -> Slip | None:
    tariff, service, currency, since, tax_percent, share = head
    if not tariff or not service:
        return "E41", "a row without a tariff or a service", "write both"
    if service not in SERVICES:
        return "E41", f"unknown service {service!r}", nearest(service, SERVICES)
    if currency not in EXPONENTS:
        return "E41", f"unknown currency {currency!r}", f"use one of {', '.join(EXPONENTS)}"
    if currency != ours:
        return "E32", f"currency is {currency!r}", f"the books are kept in {ours}"
    if _date(since) is None:
        return "E41", f"from is {since!r}", "write the first day that it holds, 2026-01-31"
    if not _is_percent(tax_percent):
        return "E41", f"tax_percent is {tax_percent!r}", "write a whole number from 0 to 100"
    if not service.endswith(COMMISSION):
        beside = f"head_office_percent is {share!r}"
        return ("E41", beside, "leave it empty: it is of commissions") if share else None
    if not _is_percent(share):
        return "E41", f"head_office_percent is {share!r}", "write a whole number from 0 to 100"
    if int(tax_percent):
        return "E41", f"tax_percent is {tax_percent!r}", "write 0: a commission is no fee"
    return None


def second_slip(head: Head, found: Mapping[Head, Begun]) -> Slip | None:
    """Of the first row of a head: its service has a tariff from that day already, or its tariff
    another day. Of a whole tariff that is one slip, and so is a single row."""
    if head in found:
        return None
    tariff, service, _, since, *_ = head
    if any((other[1], _date(other[3])) == (service, _date(since)) for other in found):
        return (
            "E43",
            f"{service} has two tariffs from {since}",
            f"keep one, with the same {', '.join(HEAD)} in each of its rows",
        )
    for other, read in found.items():
        if other[:2] == (tariff, service):
            first = f"{other[3]} on line {read.line}"
            says = f"{tariff} holds for {service} from {since}, but from {first}"
            return "E43", says, "write one date in all its rows, or name another tariff here"
    return None


def tariff_of(head: Head, bands: tuple[Band, ...]) -> Tariff:
    tariff, service, currency, since, tax_percent, share = head
    held_from = _date(since)
    assert held_from is not None, "heads are checked"
    return Tariff(
        tariff, service, currency, held_from, int(tax_percent), int(share or "0"), bands
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _is_percent(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= 100
