"""What is done to the database as a whole."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ussd_gateway.settings import Settings

app = typer.Typer(help="The database as a whole.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the schema to this version. Does nothing where it is there already."""
    from ussd_gateway.settings import load

    _upgrade(load())


@app.command()
def seed() -> None:
    """Upgrade, and put in who is missing of the demo cast. For the demo only."""
    from ussd_gateway.app import clock, random, seed_demo
    from ussd_gateway.settings import load

    settings = load()
    if settings.production:
        raise typer.BadParameter("the demo cast is not for production: APP_ENV=demo")
    _upgrade(settings)
    seed_demo(settings, clock=clock(settings), random=random(settings))


def _upgrade(settings: "Settings") -> None:
    from ussd_gateway.app import upgrade

    if settings.embeds_database:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings)
