"""The SMS that are owed."""

import json
from typing import Annotated

import typer

from ussd_gateway.cli.books import opened

app = typer.Typer(help="The SMS that are owed.", no_args_is_help=True)


@app.command()
def backlog(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """How many SMS are in each state, and how long the oldest open one has waited."""
    from ussd_gateway.app import clock
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import SMS_OPEN, SMS_STATES, oldest_open_at_ms
    from ussd_gateway.store.waiting.outbox import Outbox

    settings = load()
    now = clock(settings)
    with opened(settings) as engine:
        states = dict.fromkeys(SMS_STATES, 0) | Outbox(engine, now).backlog()
        oldest_ms = oldest_open_at_ms(engine)
    waiting = sum(states[state] for state in SMS_OPEN)
    age_s = None if oldest_ms is None else int(now.now().timestamp()) - oldest_ms // 1000
    if as_json:
        typer.echo(json.dumps({"states": states, "open": waiting, "oldest_open_s": age_s}))
        return
    for state, count in states.items():
        typer.echo(f"{state:<10} {count:>9,}")
    if age_s is None:
        typer.echo("None is open.")
    else:
        typer.echo(f"{waiting:,} open, the oldest for {age_s:,} s.")
