"""How a version becomes live, and stops being so: each command as somebody who is signed in."""

from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.desk import Note, desk
from ussd_gateway.cli.menu.shown import tell, tell_review

if TYPE_CHECKING:
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.menus.rollout import Rollout

Pack = Annotated[str, typer.Argument(metavar="PACK")]
Percent = Annotated[
    int | None, typer.Option("--percent", min=1, max=99, help="This share of all numbers.")
]
Numbers = Annotated[
    list[str] | None,
    typer.Option("--number", help="This phone. Give it again for more.", metavar="MSISDN"),
]
Routes = Annotated[
    list[str] | None,
    typer.Option("--route", help="Whoever comes by this route. Give it again for more."),
]


def publish(
    pack: Annotated[str | None, typer.Argument(help="Without it: all that differ.")] = None,
    note: Note = None,
) -> None:
    """Propose packs in menus/ as they are now: linted and tested, for a checker to approve."""
    from ussd_gateway import app
    from ussd_gateway.cli.menu.trial import tried

    with desk() as here:
        proposed = app.propose(
            here.settings,
            here.versions,
            here.proposals,
            () if pack is None else (pack,),
            by=here.member(),
            note=note,
            trial=lambda: tried(here.settings),
        )
    for review in proposed:
        tell_review(review)
    if not proposed:
        typer.echo("Nothing has changed: what is in menus/ was published last.")


def approve(
    number: Annotated[int, typer.Argument(help="Of the proposal; see `menu proposals`.")],
    percent: Percent = None,
    numbers: Numbers = None,
    routes: Routes = None,
) -> None:
    """Make a proposed version live, for everybody or first for some: sessions begin in it."""
    from ussd_gateway import app

    with desk() as here:
        moved = app.approve(
            here.settings,
            here.versions,
            here.proposals,
            number,
            by=here.member(),
            rollout=_rollout(here.settings, percent, numbers, routes),
        )
    tell([moved])


def rollout(
    pack: Pack,
    percent: Percent = None,
    numbers: Numbers = None,
    routes: Routes = None,
    note: Note = None,
) -> None:
    """Make the newest version live for more people; without an option, for everybody."""
    from ussd_gateway import app

    with desk() as here:
        moved = app.roll_out(
            here.settings,
            here.versions,
            pack,
            _rollout(here.settings, percent, numbers, routes),
            by=here.member(),
            note=note,
        )
    tell([moved])


def rollback(
    pack: Pack,
    to: Annotated[str | None, typer.Option(help="How the version's name begins.")] = None,
    note: Note = None,
) -> None:
    """Make an earlier version live again, at once, for everybody: the one before, or --to."""
    from ussd_gateway import app

    with desk() as here:
        author = here.member().name
        moved = app.roll_back(
            here.settings, here.versions, pack, to=to, author=author, note=note
        )
    tell([moved])
    typer.echo(f"The file menus/{pack}.yaml is left as it is.")


def retire(
    pack: Pack,
    version: Annotated[str, typer.Argument(help="How the version's name begins.")],
    note: Note = None,
) -> None:
    """Let no session go on in an old version: its next input moves it to the live one."""
    from ussd_gateway import app

    with desk() as here:
        digest = app.retire(
            here.settings, here.versions, pack, version, by=here.member(), note=note
        )
        back = app.way_back(here.versions, pack)
    typer.echo(f"{pack}: {digest} is retired: sessions in it go on in what is live")
    if back is None:
        typer.echo(f"{pack}: there is no version left to roll back to")


def disable(action: Annotated[str, typer.Argument()], note: Note = None) -> None:
    """Stop an action at once, on every menu: `send_money` stops `send_money.quote` too."""
    from ussd_gateway import app

    with desk() as here:
        author = here.member().name
        app.stop_action(here.settings, here.stops, action, author=author, note=note)
    typer.echo(f"{action} is disabled: within 2 seconds no menu asks for it")


def enable(action: Annotated[str, typer.Argument()], note: Note = None) -> None:
    """End what `menu disable` did."""
    from ussd_gateway import app

    with desk() as here:
        app.start_action(here.stops, action, author=here.member().name, note=note)
    typer.echo(f"{action} is enabled")


def _rollout(
    settings: "Settings",
    percent: int | None,
    numbers: list[str] | None,
    routes: list[str] | None,
) -> "Rollout | None":
    from ussd_gateway.app import rollout_for

    return rollout_for(settings, percent=percent, numbers=numbers or [], names=routes or [])
