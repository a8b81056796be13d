"""Plays a conversation with phones, as the tests do, on a gateway that is thrown away after."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ussd_gateway.simulators.transcripts import Played, Transcript


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    update: Annotated[
        bool, typer.Option("--update", envvar="UPDATE", help="Rewrite FILE to what is said.")
    ] = False,
) -> None:
    """Play a transcript and print it. Exit code 1 where the gateway says something else."""
    from ussd_gateway.simulators.transcripts import parse

    transcript = parse(file.read_text("utf-8"), file=str(file))
    if isinstance(transcript, list):
        typer.echo("\n".join(transcript), err=True)
        raise typer.Exit(2)

    played = _played(transcript)
    typer.echo(played.text)
    for difference in played.differences:
        typer.echo(f"{difference}\n")
    if not played.differences:
        typer.echo(f"ok  {file}")
    elif update:
        file.write_text(played.text, "utf-8")
        typer.echo(f"rewritten  {file}")
    else:
        typer.echo(f"differs  {file}")
        raise typer.Exit(1)


def _played(transcript: "Transcript") -> "Played":
    from tempfile import TemporaryDirectory

    from ussd_gateway.cli.stage.world import opened, prepare
    from ussd_gateway.embedded import Valkey
    from ussd_gateway.settings import Settings, load
    from ussd_gateway.simulators.transcripts import play

    with TemporaryDirectory(prefix="ussd-gateway-") as name:
        folder = Path(name)
        with Valkey(folder) as valkey:
            settings = Settings(
                data_dir=folder, redis_url=valkey.url, menus_dir=load().menus_dir
            )
            prepare(settings)
            with opened(settings) as world:
                return play(transcript, world)
