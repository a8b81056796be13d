"""What became of each screen: where people stop, and where they press a wrong key."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import named
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.settings import Settings
    from ussd_gateway.ussd.menu import Program
    from ussd_gateway.ussd.turn.counting import Count

days_max = 366
DAYS = 30


def counts(
    pack: Annotated[
        str, typer.Argument(metavar="PACK", help="Its name for what is live, or PACK@VERSION.")
    ],
    days: Annotated[
        int, typer.Option(min=1, max=days_max, help="How far back, today being the first.")
    ] = DAYS,
) -> None:
    """Show how often each screen was shown, answered, answered wrongly, and left."""
    from ussd_gateway.settings import load

    settings = load()
    with told():
        name = pack if "@" in pack else f"{pack}@{named.LIVE}"
        program = named.named(settings, name).program
    counted = of(settings, program, days=days)
    typer.echo(f"{program.name} {program.digest}, {days} days")
    if not counted:
        typer.echo("No screen of it was shown.")
        return
    width = max(map(len, counted))
    typer.echo(f"{'':<{width}}  {'shown':>8}{'answered':>10}{'wrong':>8}{'left':>8}  seconds")
    for state in (name for name in program.states if name in counted):
        typer.echo(_row(state, counted[state], width, ends=_ends(program, state)))


def of(settings: "Settings", program: "Program", *, days: int) -> "Mapping[str, Count]":
    """By state. Ends the command where the database does not answer."""
    from datetime import timedelta

    from ussd_gateway.app import clock, market
    from ussd_gateway.cli import books
    from ussd_gateway.store.menus.counts import SqlCounts
    from ussd_gateway.ussd.turn.counting import Count

    today = market(settings).business_date(int(clock(settings).now().timestamp() * 1000))
    with books.opened(settings) as engine:
        since = today - timedelta(days=days - 1)
        found = SqlCounts(engine).since(program.name, program.digest, since)
    return {state: Count(*each) for state, each in found.items()}


def _row(state: str, count: "Count", width: int, *, ends: bool) -> str:
    shown = f"{state:<{width}}  {count.entered:>8}"
    if ends:
        return f"{shown}{'the end':>10}"
    seconds = f"{count.answered_ms / count.answered / 1000:.1f}" if count.answered else "-"
    return f"{shown}{count.answered:>10}{count.wrong:>8}{count.left:>8}  {seconds:>7}"


def _ends(program: "Program", state: str) -> bool:
    from ussd_gateway.ussd.menu import End

    return isinstance(program.states[state], End)
