"""The SMS that are owed: what waits, how late the others were, and sending them again."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Engine

    from ussd_gateway.store.inquiry import Backlog, Found, Lag

app = typer.Typer(help="The SMS that are owed.", no_args_is_help=True)

HOURS_MAX = 48


@app.command()
def backlog(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """How many SMS of the last 48 hours are in each state, what waits and since when, how late
    they were of late."""
    from ussd_gateway.app import clock
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import counted, oldest, recent, unwritten, waiting

    settings = load()
    now = clock(settings).now()
    now_ms = int(now.timestamp() * 1000)
    since_ms = int((now - timedelta(hours=HOURS_MAX)).timestamp() * 1000)
    with opened(settings) as engine:
        states = counted(engine, since_ms=since_ms)
        still, lags = waiting(engine), recent(engine).lags
    ages = {priority: (now_ms - at_ms) // 1000 for priority, at_ms in oldest(still)}
    if as_json:
        typer.echo(json.dumps(_plain(states, still, ages, lags)))
        return
    for state, count in states.items():
        typer.echo(f"{state:<10} {count:>9,}")
    if not still:
        typer.echo("None is open.")
    for priority, age_s in ages.items():
        count = sum(each.count for each in still if each.priority == priority)
        typer.echo(f"{_name(priority)}: {count:,} open, the oldest for {age_s:,} s.")
    for template, count in unwritten(still).items():
        typer.echo(f"{template}: {count:,} cannot be written.")
    _show_lags(lags)


@app.command()
def resend(
    receipts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RECEIPT]...", help="All SMS of these payments."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="All of which nobody knows, for good.")
    ] = False,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="Of this template only.")
    ] = None,
    last: Annotated[
        int,
        typer.Option("--last", metavar="HOURS", min=1, max=HOURS_MAX, help="How far back."),
    ] = HOURS_MAX,
) -> None:
    """Sends again what failed, or what nobody knows of. What arrived is left alone, and so is
    what is under way; the receipt in the text makes a double harmless."""
    from ussd_gateway.app import clock
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import RESENT_MAX, ended_badly
    from ussd_gateway.store.outbox import Outbox

    states = [name for name, wanted in (("failed", failed), ("unknown", unknown)) if wanted]
    if bool(receipts) == bool(states) or (receipts and template):
        typer.echo("Give receipts; or --failed, --unknown or both", err=True)
        raise typer.Exit(2)
    settings = load()
    here = clock(settings)
    since_ms = int((here.now() - timedelta(hours=last)).timestamp() * 1000)
    with opened(settings) as engine:
        if receipts:
            found = _of_receipts(engine, receipts)
        else:
            found = ended_badly(engine, states, since_ms=since_ms, template=template)
        again = set(Outbox(engine, here).resend([each.id for each in found]))
    for each in found if receipts else ():
        _show(each, again=each.id in again)
    typer.echo(f"{len(again):,} of {len(found):,} are sent again.")
    if len(found) == RESENT_MAX:
        typer.echo("There may be more: run it once more.")


def _of_receipts(engine: "Engine", receipts: "Sequence[str]") -> "list[Found]":
    from ussd_gateway.domain.receipt import parse
    from ussd_gateway.store.inquiry import of_receipt

    found = []
    for typed in receipts:
        receipt = parse(typed)
        told = of_receipt(engine, receipt) if receipt else []
        if not told:
            why = "no SMS of such a payment" if receipt else "not a receipt: read it again"
            typer.echo(f"{typed}: {why}", err=True)
            raise typer.Exit(1)
        found += told
    return found


def _show(found: "Found", *, again: bool) -> None:
    from ussd_gateway.domain.msisdn import Msisdn, masked

    what = "is sent again" if again else "is left as it is"
    why = f" ({found.detail})" if found.detail else ""
    to = masked(Msisdn(found.msisdn))
    typer.echo(f"{found.template} to {to}: was {found.state}{why}, {what}")


def _show_lags(lags: "Sequence[Lag]") -> None:
    from ussd_gateway.store.inquiry import QUANTILES

    if not lags:
        return
    heads = "".join(f"{f'p{share * 100:g}':>9}" for share in QUANTILES)
    whose = [f"{lag.to}  {lag.provider}  {lag.template}" for lag in lags]
    title = "seconds from the event to"
    width = max(map(len, (title, *whose)))
    typer.echo(f"\n{title:<{width}}{'SMS':>7}{heads}")
    for name, lag in zip(whose, lags, strict=True):
        took = "".join(f"{seconds:>9,.1f}" for seconds in lag.seconds)
        typer.echo(f"{name:<{width}}{lag.count:>7,}{took}")


def _name(priority: int) -> str:
    from ussd_gateway.domain.book import Priority

    return f"{Priority(priority).name.lower()}s"


def _plain(
    states: "Mapping[str, int]",
    still: "Sequence[Backlog]",
    ages: "Mapping[int, int]",
    lags: "Sequence[Lag]",
) -> dict[str, object]:
    from ussd_gateway.store.inquiry import QUANTILES, unwritten

    return {
        "states": states,
        "open": sum(each.count for each in still),
        "oldest_open_s": max(ages.values(), default=None),
        "priorities": {
            _name(priority): {
                "open": sum(each.count for each in still if each.priority == priority),
                "oldest_s": age_s,
            }
            for priority, age_s in ages.items()
        },
        "unwritten": dict(unwritten(still)),
        "lags": [
            {
                "to": lag.to,
                "provider": lag.provider,
                "template": lag.template,
                "messages": lag.count,
                "seconds": dict(zip(map(str, QUANTILES), lag.seconds, strict=True)),
            }
            for lag in lags
        ],
    }
