"""What a phone does, made a transcript: a session that went wrong becomes a test."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli import books
from ussd_gateway.cli.desk import desk
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.store.menus.recordings import Recorded

lasts_default = "10m"
# A pause as long as this may matter to what happens next.
pause_s = 30

_UNITS_S = {"s": 1, "m": 60, "h": 3600}


def record(
    msisdn: Annotated[str, typer.Argument(metavar="MSISDN", help="As +254711000001.")],
    lasts: Annotated[
        str, typer.Option("--for", help="For how long: 90s, 10m, 1h.", metavar="TIME")
    ] = lasts_default,
    show: Annotated[bool, typer.Option("--show", help="Print it as a transcript.")] = False,
) -> None:
    """Keep what a number does from now on, masked; with --show, print what was kept."""
    from ussd_gateway.app import NotPossible, clock, market
    from ussd_gateway.store.menus.recordings import SqlRecordings
    from ussd_gateway.ussd.typed import msisdn_parser

    with desk() as here:
        by, settings = here.member(), here.settings
    with books.opened(settings) as engine, told():
        recordings = SqlRecordings(engine, clock(settings))
        parsed = msisdn_parser(market(settings).country)(msisdn)
        if parsed is None:
            raise NotPossible(f"{msisdn}: not a phone number: write it as +254711000001")
        msisdn = str(parsed)
        if not show:
            recordings.begin(msisdn, by=by.name, lasts=_span(lasts))
            typer.echo(f"{msisdn} is recorded for {lasts}; PINs, names and numbers are not.")
            typer.echo(f"`ussd-gateway menu record {msisdn} --show` prints it as a transcript.")
            return
        recorded = recordings.recorded(msisdn)
        if recorded is None:
            raise NotPossible(f"{msisdn}: never recorded, or too long ago to be kept")
    for line in transcript(recorded):
        typer.echo(line)


def transcript(recorded: "Sequence[Recorded]") -> Iterator[str]:
    """Steps without screens: `replay --update` fills them in, on the books of the demo cast."""
    yield "# Recorded on a live phone: PINs, names and numbers are those of the demo cast."
    who, spoken, before_ms = "", "", 0
    for each in recorded:
        paused_s = (each.at_ms - before_ms) // 1000 if before_ms else 0
        before_ms = each.at_ms
        if paused_s >= pause_s:
            yield f"waits {_rounded(paused_s)}"
        if each.dials:
            who = each.who
            if each.language != spoken and who[0].isalpha():
                yield f"{who} speaks {each.language}"
                spoken = each.language
            yield f"{who} dials {each.text}"
        elif who:
            yield f"{who} enters {each.text}".rstrip()
    if who:
        yield f"{who} hangs up"
    yield from ("sms", "ledger")
    if any(each.text == _hidden() for each in recorded):
        yield f"never stored {_hidden()}"


def _hidden() -> str:
    from ussd_gateway.ussd.turn.recording import HIDDEN

    return HIDDEN


def _rounded(paused_s: int) -> str:
    """Of up to four digits, as transcripts write a time."""
    return f"{paused_s}s" if paused_s < 10_000 else f"{paused_s // 60}m"


def _span(written: str) -> timedelta:
    """Raises typer.BadParameter."""
    from ussd_gateway.store.menus.recordings import for_max

    number, unit = written[:-1], written[-1:]
    if number.isascii() and number.isdigit() and unit in _UNITS_S and len(number) <= 5:
        span = timedelta(seconds=int(number) * _UNITS_S[unit])
        if timedelta(0) < span <= for_max:
            return span
    raise typer.BadParameter(f"{written}: write it as 90s, 10m or 1h; at most an hour")
