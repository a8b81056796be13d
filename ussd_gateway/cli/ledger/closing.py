"""The end of a day: closing it, and what it came to."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.ledger.looking import name_of
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ussd_gateway.domain.money import Money
    from ussd_gateway.store.days.end_of_day import ClosedDay, EndOfDay
    from ussd_gateway.store.inquiry import Turnover, Uncleared

_ROW = "{:<5} {:<24} {:<4} {:>20} {:>20}"
_FEES = range(4000, 5000)


def eod(
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Close days up to this one, and tell of it.",
        ),
    ] = None,
) -> None:
    """Close every day that is over and not closed yet, in order, and tell what it came to.

    The scheduler does it too, ten minutes after midnight. A day is closed once: asked again, it
    is told again. Ends with 1 where nobody of the staff is signed in, where the day is not over
    by this machine's clock and the database's, or nothing was posted up to it.
    """
    from ussd_gateway import app
    from ussd_gateway.app import staffing
    from ussd_gateway.settings import load
    from ussd_gateway.store.days.clocks import SlowerClock
    from ussd_gateway.store.days.end_of_day import EndOfDay

    settings = load()
    with opened(settings) as engine, told():
        staffing.required(settings, app.staff(settings, engine))
        clock = SlowerClock(engine, app.clock(settings))
        days = EndOfDay(engine, clock, app.market(settings))
        if day is not None:
            _close_up_to(days, engine, day.date())
            return
        any_closed = False
        while (closed := days.close_next()) is not None:
            _tell(engine, closed)
            any_closed = True
        if not any_closed:
            typer.echo("Every day that is over is closed.")


def _close_up_to(days: "EndOfDay", engine: "Engine", last: date) -> None:
    if not days.is_over(last):
        typer.echo(
            f"{last} is not over: it can be closed ten minutes after it ends, by this "
            "machine's clock and the database's",
            err=True,
        )
        raise typer.Exit(1)
    while (day := days.next_open()) is not None and day <= last:
        days.close_next()
    closed = days.closed(last)
    if closed is None:
        typer.echo(f"Nothing was posted on {last} or before", err=True)
        raise typer.Exit(1)
    _tell(engine, closed)


def _tell(engine: "Engine", closed: "ClosedDay") -> None:
    from ussd_gateway.store import inquiry

    day = closed.business_date
    typer.echo(
        f"{day} is closed: {closed.journals:,} journals, {closed.entries:,} entries, "
        f"{closed.accounts:,} accounts moved"
    )
    if not closed.journals:
        return
    turnovers = inquiry.turnover_of(engine, day)
    typer.echo(_ROW.format("code", "", "", "debits", "credits"))
    for line in turnovers:
        typer.echo(
            _ROW.format(
                *(line.code, name_of(line.code), line.balance.currency),
                *(line.debits.plain, line.credits.plain),
            )
        )
    for fees in _fees(turnovers):
        typer.echo(f"Fees: {fees}")
    left = inquiry.uncleared(engine, day)
    typer.echo(f"Clearing: {'not at zero' if left else 'zero'}")
    for words in _itemised(left):
        typer.echo(words)


def _fees(turnovers: "list[Turnover]") -> "Iterator[Money]":
    """Of each currency that moved."""
    from ussd_gateway.domain.money import Money

    totals: dict[str, Money] = {}
    for line in turnovers:
        currency = line.balance.currency
        earned = line.balance if line.code in _FEES else Money(0, currency)
        totals[currency] = totals.get(currency, Money(0, currency)) + earned
    yield from totals.values()


def _itemised(left: "list[Uncleared]") -> Iterator[str]:
    for one in left:
        yield f"  {one.ref}  {one.balance}"
        for item in one.items:
            yield f"    {item.receipt}  {item.kind}  {item.amount}"
