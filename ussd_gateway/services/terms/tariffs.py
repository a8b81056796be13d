"""Tariff files: `menus/tariffs/*.csv`, which operators write, checked before they are used.

One row a band: tariff, service, currency, from, tax_percent, head_office_percent, lowest,
highest, fee, note. The bands of a tariff stand in order, the first one's lowest amount is the
least that can be paid, each begins one minor unit above the one before, so that no amount falls
between two of them, and the last one ends.

`from` is the first business date that a tariff holds: several of one service may stand side by
side, also one that is yet to come. A fee that payer and payee share is two services, `pay_bill`
and `pay_bill.business`. Of a commission, `head_office_percent` is the part that the store's
head office gets.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from ussd_gateway.domain.money import EXPONENTS, Money, parse_typed
from ussd_gateway.domain.tariff import Band, PriceBook, Tariff, price_book
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.fields import nearest

FOLDER = "menus/tariffs"
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
_HEAD = COLUMNS[:6]

# What services charge and pay by: each needs a tariff that is in force.
SERVICES = (
    "send",
    "voucher",
    "withdraw",
    "withdraw.commission",
    "deposit",
    "deposit.commission",
    "pay_bill",
    "pay_bill.business",
    "buy_goods",
    "airtime",
)
# Of these nobody pays a fee: cash that comes in is worth itself, and what is on order has no
# place for a fee, which would be kept though nothing was delivered.
FREE = ("deposit", "airtime")
COMMISSION = ".commission"

# What a row has in these columns.
Head = tuple[str, ...]
# Of a row: the code, what was found, and what to do.
Slip = tuple[str, str, str]
# A tariff's file, the line where it begins, and itself.
_Stands = tuple[str, int, Tariff]


@dataclass(slots=True)
class _Read:
    """A tariff as far as its rows are read. Its first row is at `line`."""

    line: int
    bands: list[Band] = field(default_factory=list)


class _Order:
    """Where the next row has to begin. After a row with a fault that is where it says that it
    ends, so that each slip is told once."""

    def __init__(self) -> None:
        self._last: dict[Head, tuple[Head, int | None]] = {}
        self._stray: tuple[int | None] | None = None

    def lost(self, highest: int | None) -> None:
        """After a row whose head cannot be read: the next one may follow it."""
        self._stray = (highest,)

    def due(self, head: Head, lowest: int | None) -> int | None:
        """The lowest amount to write instead; None where it is right, or nobody can say."""
        last, highest = self._last.get(head[:2], (head, None))
        stray, self._stray = self._stray, None
        if lowest is None or highest is None or last != head or lowest == highest + 1:
            return None
        follows_stray = stray is not None and (stray[0] is None or lowest == stray[0] + 1)
        return None if follows_stray else highest + 1

    def ends(self, head: Head, highest: int | None) -> None:
        self._last[head[:2]] = head, highest


def read_tariffs(
    text: str, file: str, currency: str
) -> tuple[Mapping[int, Tariff], list[Fault]]:
    """The tariffs of one file, each by the line where it begins, and every fault and warning.
    With faults, there are none."""
    found, faults = _read(text, file, currency)
    stand = [(file, line, tariff) for line, tariff in found.items()]
    return found, sorted([*faults, *_narrower(stand)], key=lambda each: (each.line, each.code))


def _read(text: str, file: str, currency: str) -> tuple[Mapping[int, Tariff], list[Fault]]:
    faults = Faults(file)
    found: dict[Head, _Read] = {}
    order = _Order()
    for line, row in read_rows(text, COLUMNS, faults):
        head = tuple(row[name] or "" for name in _HEAD)
        slip = _head_slip(head, currency)
        if slip:
            order.lost(_minor(row["highest"], currency))
        else:
            slip = _second_slip(head, found)
            bands = found.setdefault(head, _Read(line)).bands
            of_band = _add_band(bands, row, head, order, currency)
            slip = slip or of_band
        if slip:
            faults.add(slip[0], line, *slip[1:])
        else:
            _warn(found[head].bands, line, row, faults)
    if faults.errors:
        return {}, faults.in_order
    return {
        read.line: _tariff(head, tuple(read.bands)) for head, read in found.items()
    }, faults.in_order


def read_price_book(
    texts: Mapping[str, str], *, currency: str, today: date, folder: str = FOLDER
) -> tuple[PriceBook | None, list[Fault]]:
    """All tariff files of a folder together, by their names; with faults, none. Each service
    has a tariff on `today`, and never two."""
    stand: list[_Stands] = []
    faults: list[Fault] = []
    taken: dict[tuple[str, date], str] = {}
    for file, text in texts.items():
        found, wrong = _read(text, file, currency)
        faults += wrong
        for line, tariff in found.items():
            other = taken.setdefault((tariff.service, tariff.since), file)
            if other != file:
                same = f"{tariff.service} from {tariff.since} stands in {other} too"
                faults.append(Fault("E43", file, line, same, "keep one of them"))
            stand.append((file, line, tariff))
    tariffs = [tariff for _, _, tariff in stand]
    if not any(not fault.warns for fault in faults):
        faults += [*_narrower(stand), *_not_in_force(tariffs, today, folder)]
    if any(not fault.warns for fault in faults):
        return None, faults
    return price_book(tariffs), faults


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


def _head_slip(head: Head, ours: str) -> Slip | None:
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


def _second_slip(head: Head, found: Mapping[Head, _Read]) -> Slip | None:
    """Of the first row of a head: its service has a tariff from that day already, or its tariff
    another day. Of a whole tariff that is one slip, and so is a single row."""
    if head in found:
        return None
    tariff, service, _, since, *_ = head
    if any((other[1], _date(other[3])) == (service, _date(since)) for other in found):
        return (
            "E43",
            f"{service} has two tariffs from {since}",
            f"keep one, with the same {', '.join(_HEAD)} in each of its rows",
        )
    for other, read in found.items():
        if other[:2] == (tariff, service):
            first = f"{other[3]} on line {read.line}"
            says = f"{tariff} holds for {service} from {since}, but from {first}"
            return "E43", says, "write one date in all its rows, or name another tariff here"
    return None


def _add_band(
    bands: list[Band], row: Mapping[str, str], head: Head, order: _Order, currency: str
) -> Slip | None:
    amounts = {name: _minor(row[name], currency) for name in ("lowest", "highest", "fee")}
    lowest, highest, fee = amounts.values()
    turned = lowest is not None and highest is not None and highest < lowest
    due = order.due(head, lowest)
    order.ends(head, None if turned else highest)
    if row["highest"] == "":
        advice = "write the most that can be paid in one: what is above it is refused"
        return "E46", "highest is empty", advice
    for name, minor in amounts.items():
        if minor is None:
            return "E44", f"{name} is {row[name]!r}", "write an amount such as 500.00"
    assert lowest is not None, "told above"
    assert highest is not None, "told above"
    assert fee is not None, "told above"
    if turned:
        return "E42", "highest is under lowest", "write the greater amount as highest"
    bands.append(Band(lowest, highest, fee))
    if due is not None:
        return _untouched(row["lowest"], Money(lowest, currency), Money(due, currency))
    if fee and row["service"] in FREE:
        return "E43", f"{row['service']} is free", "each fee of it must be 0.00"
    return None


def _untouched(written: str, lowest: Money, due: Money) -> Slip:
    """Of a band that does not begin where the one before it ends."""
    before = f"the band before ends at {plain(due - Money(1, due.currency))}"
    write = f"write {plain(due)}"
    if lowest < due:
        return (
            "E42",
            f"lowest is {written}: an overlap, {before}",
            f"{write}, or end that lower",
        )
    return "E42", f"lowest is {written}: a gap, {before}", f"{write}, or add what is between"


def _warn(bands: Sequence[Band], line: int, row: Mapping[str, str], faults: Faults) -> None:
    """Of the band that was added last."""
    band = bands[-1]
    if band.fee > band.lowest:
        costs = f"{row['lowest']} costs {row['fee']}"
        faults.add("W47", line, costs, "lower the fee, or begin with a greater amount")
    if len(bands) > 1 and band.fee < bands[-2].fee:
        falls = f"{row['lowest']} costs {row['fee']}, less than what is below it"
        faults.add("W48", line, falls, "let fees rise with the amount, or stay")


def _narrower(stand: Iterable[_Stands]) -> Iterator[Fault]:
    """Tariffs that refuse what the same service took before."""
    ordered = sorted(stand, key=lambda each: (each[2].service, each[2].since))
    for (_, _, before), (file, line, after) in pairwise(ordered):
        if before.service == after.service and (
            after.lowest > before.lowest or after.highest < before.highest
        ):
            takes = f"{after.service} takes {_span(after)} from {after.since} on"
            advice = "begin as low and end as high, unless the rest is to be left out"
            yield Fault("W49", file, line, f"{takes}, and {_span(before)} before", advice)


def _span(tariff: Tariff) -> str:
    return f"{plain(tariff.lowest)} to {plain(tariff.highest)}"


def plain(amount: Money) -> str:
    """As operators write it: 250000.00."""
    return amount.plain.replace(",", "")


def _not_in_force(tariffs: Sequence[Tariff], today: date, folder: str) -> Iterator[Fault]:
    for service in SERVICES:
        dates = [each.since for each in tariffs if each.service == service]
        if not dates:
            yield Fault("E43", folder, 1, f"no tariff for {service}", "add its bands")
        elif min(dates) > today:
            late = f"no tariff for {service} before {min(dates)}"
            yield Fault("E43", folder, 1, late, "add the one that holds today")


def _tariff(head: Head, bands: tuple[Band, ...]) -> Tariff:
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


def _minor(text: str | None, currency: str) -> int | None:
    if text is not None and text.strip(" 0.") == "" and "0" in text:
        return 0
    money = parse_typed(text or "", currency)
    return None if money is None else money.minor
