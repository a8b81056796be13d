"""Whether packs do what they should: the operators' own tests, and every way through."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import named
from ussd_gateway.cli.menu.looking import Pack
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.ussd.tools.explore import Explored


def play_tests(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", exists=True, help="Without them: menus/tests."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Rewrite those that differ to what is said now.")
    ] = False,
) -> None:
    """Play transcripts on the packs in menus/. Exit code 1 where one reads otherwise."""
    from ussd_gateway.cli.menu.trial import BY_HAND, tests_in, tried
    from ussd_gateway.settings import load

    settings = load()
    found = [each for file in files for each in tests_in(file)] if files else None
    with told():
        trial = tried(settings, found, update=update)
    for difference in trial.differing:
        typer.echo(f"{difference}\n")
    failed = {difference.partition(":")[0] for difference in trial.differing}
    left = {each.partition(":")[0] for each in trial.differing if BY_HAND in each}
    for name in trial.played:
        rewritten = update and name not in left
        otherwise = "rewritten" if rewritten else "differs"
        typer.echo(f"{otherwise if name in failed else 'ok':<9} {name}")
    if not trial.played:
        typer.echo(f"{settings.menus_dir}/tests: no tests there")
    if left or (failed and not update):
        raise typer.Exit(1)


def explore(pack: Pack) -> None:
    """Walk every way through a pack, and lose the phone on each. Exit code 1 if one fails."""
    from ussd_gateway.settings import load
    from ussd_gateway.ussd.tools.explore import explore as explored

    settings = load()
    with told():
        program = named.named(settings, pack).program
        routes = tuple(named.served(settings).values())
        found = explored(program, named.bound(settings), routes)
    _tell(found)
    if not found.well:
        raise typer.Exit(1)


def _tell(found: "Explored") -> None:
    typer.echo(f"places      {found.places:,}, come to by {found.steps:,} steps")
    typer.echo(f"dropped     {found.dropped:,} times, and dialled again")
    typer.echo(f"longest way {len(found.longest) - 1} inputs: {' > '.join(found.longest)}")
    for state in found.unreached:
        typer.echo(f"never reached: {state}")
    for trouble in found.troubles:
        typer.echo(str(trouble))
    if found.well:
        typer.echo("Every state and every END is reached; nothing is lost by hanging up.")
