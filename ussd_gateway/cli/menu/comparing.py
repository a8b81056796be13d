"""Two versions of a pack, side by side."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import named
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ussd_gateway.cli.menu.named import Named
    from ussd_gateway.settings import Settings


def diff(
    before: Annotated[
        str,
        typer.Argument(help="A pack, its file, or PACK@VERSION. Alone: against the live."),
    ],
    after: Annotated[str | None, typer.Argument(help="The same, of the newer one.")] = None,
) -> None:
    """Show two versions side by side: what people see, and where keys lead elsewhere."""
    from ussd_gateway.settings import load

    settings = load()
    with told():
        new = named.named(settings, before if after is None else after)
        live = f"{new.program.name}@{named.LIVE}"
        old = named.named(settings, live if after is None else before)
        for line in _told(settings, old, new):
            typer.echo(line)


def _told(settings: "Settings", old: "Named", new: "Named") -> "Iterator[str]":
    from ussd_gateway.cli.menu.shown import told_changes
    from ussd_gateway.ussd.tools.side_by_side import pairs, rerouted
    from ussd_gateway.ussd.versions import changes

    yield f"{old.name} ({old.program.digest})  >  {new.name} ({new.program.digest})"
    if old.program.digest == new.program.digest:
        yield "The same, octet by octet."
        return
    # Texts are shown below, where people see them.
    yield from told_changes(replace(changes(old.source, new.source), texts=()))
    for moved, to in new.program.moves.items():
        yield f"state moved: {moved} -> {to}"
    astray = [str(each) for each in rerouted(old.program, new.program)]
    if astray:
        yield "Keys that lead elsewhere now:"
        yield from (f"  {line}" for line in astray)
    yield _in_flight(settings, old)
    for pair in pairs(old.program, new.program, named.bound(settings)):
        yield ""
        yield f"{pair.state} ({pair.language})"
        yield from pair.framed


def _in_flight(settings: "Settings", old: "Named") -> str:
    """How many sessions stand in the older version in this moment."""
    from ussd_gateway.app import clock
    from ussd_gateway.ports import SessionsLost
    from ussd_gateway.store.sessions.in_flight import rows, rows_max
    from ussd_gateway.ussd.turn.row import unpack

    program = old.program
    now_ms = int(clock(settings).now().timestamp() * 1000)
    since_ms = now_ms - program.idle_s * 1000
    seen = count = 0
    try:
        for octets in rows(settings.redis_url):
            seen += 1
            row = unpack(octets)
            if row is not None and row.session is not None and row.at_ms >= since_ms:
                count += (row.pack, row.program) == (program.name, program.digest)
    except SessionsLost as lost:
        return f"Sessions in flight in {old.name}: not known: Redis does not answer ({lost})"
    least = "at least " if seen == rows_max else ""
    return f"Sessions in flight in {old.name}: {least}{count}"
