"""What operators do with their files: menus, SMS texts, routes and tariffs."""

import typer

app = typer.Typer(help="The operators' files: menus, texts, tariffs.", no_args_is_help=True)


@app.callback()
def menu() -> None:
    """Keeps `lint` a command of its own while it is the only one."""


@app.command()
def lint() -> None:
    """Check every file in menus/: each fault with its file, line, and what to do."""
    from ussd_gateway.app import Faulty, check
    from ussd_gateway.settings import load

    settings = load()
    try:
        warnings = check(settings)
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(fault)
        raise typer.Exit(1) from None
    for warning in warnings:
        typer.echo(warning)
    typer.echo(f"{settings.menus_dir}: no faults, {len(warnings)} warnings")
