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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise, product

from ussd_gateway.domain.tariff import PriceBook, Tariff, price_book
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.services.terms.amounts import in_minor, plain
from ussd_gateway.services.terms.bands import Order, add_band, warn
from ussd_gateway.services.terms.heads import (
    COLUMNS,
    HEAD,
    Begun,
    Head,
    head_slip,
    second_slip,
    tariff_of,
)
from ussd_gateway.services.terms.priced import PARTS, SERVICES
from ussd_gateway.services.terms.rows import read_rows

FOLDER = "menus/tariffs"
# A tariff's file, the line where it begins, and itself.
_Stands = tuple[str, int, Tariff]


def read_tariffs(
    text: str, file: str, currency: str
) -> tuple[Mapping[int, Tariff], list[Fault]]:
    """The tariffs of one file, each by the line where it begins, and every fault and warning.
    With faults, there are none."""
    found, faults = _read(text, file, currency)
    stand = [(file, line, tariff) for line, tariff in found.items()]
    return found, sorted([*faults, *_narrower(stand)], key=lambda each: (each.line, each.code))


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
    prices = price_book(tariffs)
    faults += _left_out(prices, stand, today)
    return (None if any(not fault.warns for fault in faults) else prices), faults


def _read(text: str, file: str, currency: str) -> tuple[Mapping[int, Tariff], list[Fault]]:
    faults = Faults(file)
    found: dict[Head, Begun] = {}
    order = Order()
    for line, row in read_rows(text, COLUMNS, faults):
        head = tuple(row[name] or "" for name in HEAD)
        slip = head_slip(head, currency)
        if slip:
            order.lost(in_minor(row["highest"], currency))
        else:
            slip = second_slip(head, found)
            bands = found.setdefault(head, Begun(line)).bands
            of_band = add_band(bands, row, head, order, currency)
            slip = slip or of_band
        if slip:
            faults.add(slip[0], line, *slip[1:])
        else:
            warn(found[head].bands, line, row, faults)
    if faults.errors:
        return {}, faults.in_order
    return {
        read.line: tariff_of(head, tuple(read.bands)) for head, read in found.items()
    }, faults.in_order


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


def _left_out(prices: PriceBook, stand: Iterable[_Stands], today: date) -> Iterator[Fault]:
    """Amounts for which a part of a price is missing, on any day from now on."""
    stands = {(tariff.service, tariff.since): (file, line) for file, line, tariff in stand}
    days = sorted({today} | {since for _, since in stands if since > today})
    told: set[tuple[str, int]] = set()
    for day, (name, wholes) in product(days, PARTS.items()):
        part = prices.tariff(name, day)
        assert part is not None, "told above"
        where = stands[name, part.since]
        for whole in (prices.tariff(each, day) for each in wholes):
            assert whole is not None, "told above"
            covers = part.lowest <= whole.lowest and part.highest >= whole.highest
            if covers or where in told:
                continue
            told.add(where)
            takes = f"{name} is for {_span(part)}, but {whole.service} takes {_span(whole)}"
            on = "" if day == today else f" from {day} on"
            yield Fault("E43", *where, f"{takes}{on}", "write its bands for all of that")


def _span(tariff: Tariff) -> str:
    return f"{plain(tariff.lowest)} to {plain(tariff.highest)}"


def _not_in_force(tariffs: Sequence[Tariff], today: date, folder: str) -> Iterator[Fault]:
    for service in SERVICES:
        dates = [each.since for each in tariffs if each.service == service]
        if not dates:
            yield Fault("E43", folder, 1, f"no tariff for {service}", "add its bands")
        elif min(dates) > today:
            late = f"no tariff for {service} before {min(dates)}"
            yield Fault("E43", folder, 1, late, "add the one that holds today")
