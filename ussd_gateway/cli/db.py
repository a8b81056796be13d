"""What is done to the database as a whole."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ussd_gateway.settings import Settings

app = typer.Typer(help="The database as a whole.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the schema to this version; on an empty database, publish the menus there are."""
    from ussd_gateway.app import publish_first
    from ussd_gateway.cli import menu
    from ussd_gateway.cli.desk import desk
    from ussd_gateway.settings import load

    settings = load()
    _upgrade(settings)
    with desk(settings) as here:
        menu.tell(publish_first(settings, here.versions))


@app.command()
def seed() -> None:
    """Upgrade, and put in what is missing: the demo cast, and menus. For the demo only."""
    from ussd_gateway.app import clock, random, seed_demo
    from ussd_gateway.settings import load

    settings = load()
    if settings.production:
        raise typer.BadParameter("the demo cast is not for production: APP_ENV=demo")
    _upgrade(settings)
    seed_demo(settings, clock=clock(settings), random=random(settings))
    _publish_missing(settings)


def _publish_missing(settings: "Settings") -> None:
    """A pack that was ever published is left alone, whatever its file holds by now: what is
    live is for people to say. One that this program cannot load would serve nobody."""
    from ussd_gateway.app import publish_missing
    from ussd_gateway.cli import menu
    from ussd_gateway.cli.desk import desk

    with desk(settings) as here:
        menu.tell(publish_missing(settings, here.versions))


def _upgrade(settings: "Settings") -> None:
    from ussd_gateway.app import upgrade

    if settings.embeds_database:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings)
