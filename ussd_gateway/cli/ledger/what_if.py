"""What past payments would have cost under other tariffs. Nothing is written."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.ledger.looking import AsJson, print_json
from ussd_gateway.cli.ledger.period import Begins, Ends, period
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.domain.tariff import PriceBook
    from ussd_gateway.domain.what_if import Charge, Priced

_ROW = "{:<14} {:>9} {:>18} {:<10} {:>15} {:>15} {:>15} {:>15}"


def what_if(
    tariffs: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            exists=True,
            help="A folder of tariff files; or one file: what it says nothing of stays.",
        ),
    ],
    *,
    begins: Begins = None,
    ends: Ends = None,
    as_json: AsJson = False,
) -> None:
    """Price past payments again by other tariffs: what they cost, and what they would.

    Of each service the newest tariff of the files counts, whenever it begins. Days are the
    market's, and both ends count. What was taken back later counts like all else.
    """
    from ussd_gateway.app import clock, market, prices_at
    from ussd_gateway.domain.what_if import price_again
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import paid

    settings = load()
    today = market(settings).business_date(int(clock(settings).now().timestamp() * 1000))
    first, last = period(begins, ends, today=today)

    with told():
        prices = prices_at(settings, tariffs)
    with opened(settings) as engine:
        lines = price_again(paid(engine, first=first, last=last), prices)
    if as_json:
        print_json(_values(lines, prices, first, last))
        return
    for line in _shown(lines, tariffs, first, last):
        typer.echo(line)


def _shown(lines: "Sequence[Priced]", tariffs: Path, first: date, last: date) -> Iterator[str]:
    payments = sum(line.payments for line in lines)
    yield f"{first} to {last}: {payments:,} payments, as they were and by {tariffs}"
    if lines:
        yield ""
        titles = ("payments", "volume", "", "fees", "tax", "commission", "left to us")
        yield _ROW.format("", *titles)
    for line in lines:
        volume = f"{line.volume.currency} {line.volume.plain}"
        yield _row((line.kind, f"{line.payments:,}", volume), "now", line.now)
        yield _row(("", "", ""), "then", line.then)
        refused = f"{line.refused:,} refused" if line.refused else ""
        change = line.difference.plain
        signed = change if line.difference.minor <= 0 else f"+{change}"
        yield _ROW.format("", refused, "", "difference", "", "", "", signed).rstrip()


def _row(named: tuple[str, str, str], when: str, charge: "Charge") -> str:
    amounts = (charge.fee, charge.tax, charge.commission, charge.left)
    return _ROW.format(*named, when, *(amount.plain for amount in amounts))


def _values(
    lines: "Sequence[Priced]", prices: "PriceBook", first: date, last: date
) -> dict[str, object]:
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "price_book": prices.id,
        "services": [
            {
                "service": line.kind,
                "currency": line.volume.currency,
                "payments": line.payments,
                "volume_minor": line.volume.minor,
                "now": _charge_values(line.now),
                "then": _charge_values(line.then),
                "difference_minor": line.difference.minor,
                "refused": line.refused,
            }
            for line in lines
        ],
    }


def _charge_values(charge: "Charge") -> dict[str, int]:
    return {
        "fee_minor": charge.fee.minor,
        "tax_minor": charge.tax.minor,
        "commission_minor": charge.commission.minor,
        "left_minor": charge.left.minor,
    }
