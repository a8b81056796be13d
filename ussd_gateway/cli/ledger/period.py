"""From when to when a command looks: days of the market, both ends counted."""

from datetime import date, datetime
from typing import Annotated

import typer

Begins = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="[default: the first of the last day's month]",
    ),
]
Ends = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="[default: today]"),
]


def period(begins: datetime | None, ends: datetime | None, *, today: date) -> tuple[date, date]:
    """The first day and the last. Ends the command where they are the wrong way round."""
    last = ends.date() if ends else today
    first = begins.date() if begins else last.replace(day=1)
    if first > last:
        raise typer.BadParameter(f"--from {first} is after {last}")
    return first, last
