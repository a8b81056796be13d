"""The ledger as operators ask for it: what is in it, who has what."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ussd_gateway.domain.money import Money
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.inquiry import Turnover

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
CsvFile = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write it as a table.")
]


def balance(
    account: Annotated[
        str, typer.Argument(metavar="ID", help="A phone number, a till, or KES-2440.")
    ],
    as_json: AsJson = False,
) -> None:
    """What an account holds."""
    from ussd_gateway.papers.table import decimal
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import standing

    settings = load()
    with opened(settings) as engine:
        found = standing(engine, references(account, settings))
    if found is None:
        typer.echo(f"No account {account}: give a phone number, a till, or KES-2440", err=True)
        raise typer.Exit(1)

    name = name_of(found.code)
    if as_json:
        print_json(
            {
                "id": found.ref,
                "code": found.code,
                "name": name,
                "status": found.status,
                "currency": found.balance.currency,
                "balance": decimal(found.balance),
                "balance_minor": found.balance.minor,
                "held_minor": found.held.minor,
                "available_minor": None if found.available is None else found.available.minor,
            }
        )
        return
    status = "" if found.status == "active" else f"  {found.status}"
    held = f", of which {found.held} is held" if found.held.minor else ""
    typer.echo(f"{found.ref}  {found.code} {name}  {found.balance}{held}{status}")


def trial_balance(
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="As this day, which is closed, left the books. [default: now]",
        ),
    ] = None,
    csv: CsvFile = None,
    as_json: AsJson = False,
) -> None:
    """Debits, credits and balance of every account code. Ends with 1 where they differ."""
    from ussd_gateway.settings import load
    from ussd_gateway.store import inquiry

    with opened(load()) as engine:
        lines = inquiry.trial_balance(engine) if day is None else _of_day(engine, day.date())
    totals = _totals(lines)
    even = all(debits == credited for debits, credited in totals)
    if csv is not None:
        keep(csv, _as_csv(lines).encode())
    if as_json:
        print_json(_trial_balance_values(lines, totals))
    elif csv is None or not even:
        _print_trial_balance(lines, totals)
    raise typer.Exit(not even)


def _of_day(engine: "Engine", day: date) -> "list[Turnover]":
    from ussd_gateway.store import inquiry

    if not inquiry.is_closed(engine, day):
        typer.echo(f"{day} is not closed: run `ussd-gateway ledger eod --date {day}`", err=True)
        raise typer.Exit(1)
    return inquiry.trial_balance_of(engine, day)


def references(typed: str, settings: "Settings") -> list[str]:
    """What `typed` may be, the likeliest first: as it is, or a number as people write it."""
    from ussd_gateway.app import market
    from ussd_gateway.domain.msisdn import CALLING_CODES

    calling_code = CALLING_CODES[market(settings).country]
    typed = typed.strip()
    references = [typed]
    if typed.startswith("0"):
        references.append(f"+{calling_code}{typed[1:]}")
    elif typed.startswith(calling_code):
        references.append(f"+{typed}")
    return references


def name_of(code: int) -> str:
    from ussd_gateway.domain.accounts import CHART

    return CHART[code].name if code in CHART else "not in the chart"


def _totals(lines: "list[Turnover]") -> "list[tuple[Money, Money]]":
    """Debits and credits of each currency."""
    totals: dict[str, tuple[Money, Money]] = {}
    for line in lines:
        currency = line.balance.currency
        if currency not in totals:
            totals[currency] = (line.debits, line.credits)
        else:
            debits, credited = totals[currency]
            totals[currency] = (debits + line.debits, credited + line.credits)
    return list(totals.values())


def _trial_balance_values(
    lines: "list[Turnover]", totals: "list[tuple[Money, Money]]"
) -> dict[str, object]:
    from ussd_gateway.papers.table import decimal

    return {
        "accounts": [
            {
                "code": line.code,
                "name": name_of(line.code),
                "currency": line.balance.currency,
                "debits": decimal(line.debits),
                "credits": decimal(line.credits),
                "balance": decimal(line.balance),
            }
            for line in lines
        ],
        "totals": [
            {
                "currency": debits.currency,
                "debits": decimal(debits),
                "credits": decimal(credited),
                "equal": debits == credited,
            }
            for debits, credited in totals
        ],
    }


def _as_csv(lines: "list[Turnover]") -> str:
    from ussd_gateway.papers.table import csv_text

    return csv_text(
        ("code", "name", "currency", "debits", "credits", "balance"),
        (
            (
                *(line.code, name_of(line.code), line.balance.currency),
                *(line.debits, line.credits, line.balance),
            )
            for line in lines
        ),
    )


def _print_trial_balance(lines: "list[Turnover]", totals: "list[tuple[Money, Money]]") -> None:
    row = "{:<5} {:<20} {:<4} {:>20} {:>20} {:>20}"
    typer.echo(row.format("code", "", "", "debits", "credits", "balance"))
    for line in lines:
        amounts = (line.debits.plain, line.credits.plain, line.balance.plain)
        typer.echo(row.format(line.code, name_of(line.code), line.balance.currency, *amounts))
    for debits, credited in totals:
        verdict = "equal" if debits == credited else "NOT EQUAL"
        typer.echo(
            row.format("", "all", debits.currency, debits.plain, credited.plain, verdict)
        )


def keep(path: Path, octets: bytes) -> None:
    """Ends the command with code 2, and with what to do, where the file cannot be written."""
    try:
        path.write_bytes(octets)
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        typer.echo(f"{path}: {reason}: name a file in a folder that you can write", err=True)
        raise typer.Exit(2) from None


def print_json(values: object) -> None:
    typer.echo(json.dumps(values, indent=2))
