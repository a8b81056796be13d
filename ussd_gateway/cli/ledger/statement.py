"""What came and went on an account: on the screen, as CSV, as PDF, for programs."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.ledger.looking import (
    AsJson,
    CsvFile,
    keep,
    name_of,
    print_json,
    references,
)
from ussd_gateway.cli.ledger.period import Begins, Ends, period

if TYPE_CHECKING:
    from ussd_gateway.domain.market import Market
    from ussd_gateway.domain.statement import Statement
    from ussd_gateway.settings import Settings


def statement(
    account: Annotated[
        str, typer.Argument(metavar="ID", help="A phone number, a till, or KES-2440.")
    ],
    *,
    begins: Begins = None,
    ends: Ends = None,
    csv: CsvFile = None,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", help="Write a paper of A4 pages.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What came and went on an account, and what it held before and after. Ends with 1 where
    that does not add up.

    Days are the market's, and both ends count.
    """
    from ussd_gateway.app import clock, market
    from ussd_gateway.papers.statement import as_csv, as_lines, as_values
    from ussd_gateway.settings import load

    settings = load()
    here = market(settings)
    now_ms = int(clock(settings).now().timestamp() * 1000)
    first, last = period(begins, ends, today=here.business_date(now_ms))

    found = _read(account, settings, first, last)
    account_name = name_of(found.code)
    if csv is not None:
        keep(csv, as_csv(found, here).encode())
    if pdf is not None:
        _write_pdf(pdf, found, here, now_ms)
    if as_json:
        print_json(as_values(found, here))
    elif csv is None and pdf is None:
        for line in as_lines(found, here, account_name=account_name):
            typer.echo(line)
    if not found.adds_up:
        typer.echo("It does not add up: run `ussd-gateway ledger verify`", err=True)
        raise typer.Exit(1)


def _read(account: str, settings: "Settings", first: date, last: date) -> "Statement":
    from ussd_gateway.store import inquiry

    with opened(settings) as engine:
        found = inquiry.statement(engine, references(account, settings), first=first, last=last)
    if found is None:
        typer.echo(f"No account {account}: give a phone number, a till, or KES-2440", err=True)
        raise typer.Exit(1)
    if isinstance(found, inquiry.TooLong):
        typer.echo(
            f"{found.entries:,} entries are too many for one statement: choose a period of "
            f"{inquiry.LINES_MAX:,} at most, with --from and --to",
            err=True,
        )
        raise typer.Exit(1)
    return found


def _write_pdf(path: Path, found: "Statement", here: "Market", now_ms: int) -> None:
    from ussd_gateway.papers.pdf import as_pdf

    keep(path, as_pdf(found, here, account_name=name_of(found.code), made_at_ms=now_ms))
