"""The texts of packs on their way to translators and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import named
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.cli.menu.named import Named
    from ussd_gateway.settings import Settings

app = typer.Typer(help="Texts to translators and back, as .po files.", no_args_is_help=True)

Pack = Annotated[str, typer.Argument(metavar="PACK", help="Its name, or its file.")]


@app.command("export")
def write_out(
    pack: Pack,
    language: Annotated[str, typer.Option("--lang", help="A language, or a new one.")],
    out: Annotated[
        Path | None, typer.Option(help="Write it to this file.", dir_okay=False)
    ] = None,
) -> None:
    """Write every text of a pack, and its translation, to a .po file."""
    from ussd_gateway.app import NotPossible
    from ussd_gateway.settings import load
    from ussd_gateway.ussd.tools.texts import NotWritten
    from ussd_gateway.ussd.tools.translations import exported

    settings = load()
    with told():
        found = named.named(settings, pack)
        try:
            text = exported(
                found.source,
                pack=found.program.name,
                language=language,
                septets=_room(settings, found),
            )
        except NotWritten as wrong:
            raise NotPossible(str(wrong)) from None
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        typer.echo(f"written  {out}")


@app.command("import")
def read_in(
    pack: Pack, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
) -> None:
    """Write translations from a .po file into a pack: its texts change, and nothing else."""
    from ussd_gateway.app import NotPossible
    from ussd_gateway.app.publishing import load_all
    from ussd_gateway.settings import load
    from ussd_gateway.ussd.tools.texts import NotWritten
    from ussd_gateway.ussd.tools.translations import imported

    settings = load()
    with told():
        found = named.named(settings, pack)
        if found.path is None:
            raise NotPossible(f"{pack}: what was published stays as it is: name a file")
        try:
            source = imported(found.source, file.read_text("utf-8"))
        except (NotWritten, UnicodeDecodeError) as wrong:
            raise NotPossible(str(wrong)) from None
        if source == found.source:
            typer.echo(f"{found.name}: nothing has changed")
            return
        # What is over-long in the new language, or not to be shown, stays out of the file.
        load_all(settings, {f"{found.name} with {file.name}": source})
        found.path.write_bytes(source)
    typer.echo(f"{found.name}: written; see `ussd-gateway menu diff {pack}`")


def _room(settings: "Settings", found: "Named") -> dict[str, str]:
    """What is told to translators of each screen, by its state: how full it is at worst."""
    from ussd_gateway.ussd.tools.preview import notices, preview
    from ussd_gateway.ussd.tools.samples import Size

    program = found.program
    first = program.languages[0]
    shown = list(preview(program, named.bound(settings), languages=[first], size=Size.WORST))
    said = list(notices(program, languages=[first], size=Size.WORST))
    room = {each.state: each for each in sorted(shown, key=lambda each: each.septets)}
    room |= {f"notices.{each.state}": each for each in said}
    return {
        name: f"at worst {each.septets} of {each.septets_max} septets of a screen in {first}"
        for name, each in room.items()
    }
