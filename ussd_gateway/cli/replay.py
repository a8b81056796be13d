"""Plays a conversation with phones, as the tests do, on a gateway that is thrown away after."""

from pathlib import Path
from typing import Annotated

import typer


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    update: Annotated[
        bool, typer.Option("--update", envvar="UPDATE", help="Rewrite FILE to what is said.")
    ] = False,
) -> None:
    """Play a transcript and print it. Exit code 1 where the gateway says something else."""
    from ussd_gateway.cli.stage.playing import staged
    from ussd_gateway.settings import load
    from ussd_gateway.simulators.transcripts import parse

    transcript = parse(file.read_text("utf-8"), file=str(file))
    if isinstance(transcript, list):
        typer.echo("\n".join(transcript), err=True)
        raise typer.Exit(2)

    with staged(load().menus_dir) as stage:
        played = stage.play(transcript)
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
