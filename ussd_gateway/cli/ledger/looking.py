"""The ledger as operators ask for it: what is in it, who has what."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened

if TYPE_CHECKING:
    from ussd_gateway.domain.money import Money
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.inquiry import Turnover

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def balance(
    account: Annotated[
        str, typer.Argument(metavar="ID", help="A phone number, a till, or KES-2440.")
    ],
    as_json: AsJson = False,
) -> None:
    """What an account holds."""
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import standing

    settings = load()
    with opened(settings) as engine:
        found = standing(engine, _references(account, settings))
    if found is None:
        typer.echo(f"No account {account}: give a phone number, a till, or KES-2440", err=True)
        raise typer.Exit(1)

    name = _name(found.code)
    if as_json:
        _print_json(
            {
                "id": found.ref,
                "code": found.code,
                "name": name,
                "currency": found.balance.currency,
                "balance": _decimal(found.balance),
                "balance_minor": found.balance.minor,
                "available_minor": None if found.available is None else found.available.minor,
            }
        )
        return
    typer.echo(f"{found.ref}  {found.code} {name}  {found.balance}")


def trial_balance(as_json: AsJson = False) -> None:
    """Debits, credits and balance of every account code. Ends with 1 where they differ."""
    from ussd_gateway.settings import load
    from ussd_gateway.store import inquiry

    with opened(load()) as engine:
        lines = inquiry.trial_balance(engine)
    totals = _totals(lines)
    even = all(debits == credited for debits, credited in totals)
    if as_json:
        _print_json(_trial_balance_values(lines, totals))
    else:
        _print_trial_balance(lines, totals)
    raise typer.Exit(not even)


def _references(typed: str, settings: "Settings") -> list[str]:
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


def _name(code: int) -> str:
    from ussd_gateway.domain.accounts import CHART

    return CHART[code].name if code in CHART else "not in the chart"


def _decimal(money: "Money") -> str:
    """`4493.00`: as programs read it."""
    return money.plain.replace(",", "")


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
    return {
        "accounts": [
            {
                "code": line.code,
                "name": _name(line.code),
                "currency": line.balance.currency,
                "debits": _decimal(line.debits),
                "credits": _decimal(line.credits),
                "balance": _decimal(line.balance),
            }
            for line in lines
        ],
        "totals": [
            {
                "currency": debits.currency,
                "debits": _decimal(debits),
                "credits": _decimal(credited),
                "equal": debits == credited,
            }
            for debits, credited in totals
        ],
    }


def _print_trial_balance(lines: "list[Turnover]", totals: "list[tuple[Money, Money]]") -> None:
    row = "{:<5} {:<20} {:<4} {:>20} {:>20} {:>20}"
    typer.echo(row.format("code", "", "", "debits", "credits", "balance"))
    for line in lines:
        amounts = (line.debits.plain, line.credits.plain, line.balance.plain)
        typer.echo(row.format(line.code, _name(line.code), line.balance.currency, *amounts))
    for debits, credited in totals:
        verdict = "equal" if debits == credited else "NOT EQUAL"
        typer.echo(
            row.format("", "all", debits.currency, debits.plain, credited.plain, verdict)
        )


def _print_json(values: object) -> None:
    typer.echo(json.dumps(values, indent=2))
