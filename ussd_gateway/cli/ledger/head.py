"""The newest seal of the chain over every commit, and how it leaves the house."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.ledger.looking import AsJson

if TYPE_CHECKING:
    from pathlib import Path

    from ussd_gateway.settings import Settings
    from ussd_gateway.store.seals.sealer import Head


def head(
    export: Annotated[
        bool, typer.Option("--export", help="Seal what waits, and keep the head as a file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The head of the chain of seals: with a copy of it, any later change of what was committed
    before shows in `ledger verify`."""
    from ussd_gateway.settings import load
    from ussd_gateway.store.seals.sealer import head as find
    from ussd_gateway.store.seals.sealer import seal_all

    settings = load()
    with opened(settings) as engine:
        if export:
            seal_all(engine)
        found = find(engine)
    if found is None:
        typer.echo("Nothing is sealed yet: the scheduler does that each second", err=True)
        raise typer.Exit(1)

    path = _keep(found, settings) if export else None
    if as_json:
        values = found.values | {"unsealed": found.unsealed}
        typer.echo(json.dumps(values | ({"file": str(path)} if path else {}), indent=2))
        return
    typer.echo(f"seal {found.seq} of batch {found.batch_id}")
    typer.echo(f"chain {found.chain.hex()}")
    typer.echo(f"{found.journals:,} journals; {found.unsealed:,} commits wait to be sealed")
    if path:
        typer.echo(f"kept as {path}: keep a copy where nobody who keeps the books can write")


def _keep(found: "Head", settings: "Settings") -> "Path":
    from ussd_gateway import app
    from ussd_gateway.store.seals import heads

    now = app.clock(settings).now()
    today = app.market(settings).business_date(int(now.timestamp() * 1000))
    folder = settings.data_dir / heads.FOLDER
    try:
        return heads.export(found, folder, at=now, market_date=today)
    except OSError as error:
        typer.echo(f"The head cannot be kept: {folder}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
