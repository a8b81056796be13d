"""What a pack looks like: its screens, its drawing, and the shape that editors check it by."""

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import counting, named
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ussd_gateway.settings import Settings
    from ussd_gateway.ussd.tools.preview import Shown

Pack = Annotated[
    str, typer.Argument(metavar="PACK", help="Its name, its file, or PACK@VERSION.")
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--lang", help="This language. Give it again for more.", metavar="LANG"),
]


def preview(
    pack: Pack,
    screens: Annotated[
        list[str] | None,
        typer.Option("--screen", help="This state. Give it again for more.", metavar="STATE"),
    ] = None,
    languages: Languages = None,
    worst_case: Annotated[
        bool,
        typer.Option(
            "--worst-case", help="Each value at its longest, the longest reason above."
        ),
    ] = False,
    route: Annotated[
        str | None, typer.Option(help="With the room that this route has for a screen.")
    ] = None,
) -> None:
    """Show every screen as the phone shows it, with the septets that it takes."""
    from ussd_gateway.settings import load
    from ussd_gateway.ussd.render import screen_septets_max
    from ussd_gateway.ussd.tools.preview import notices
    from ussd_gateway.ussd.tools.preview import preview as previewed
    from ussd_gateway.ussd.tools.samples import Size

    settings = load()
    size = Size.WORST if worst_case else Size.TYPICAL
    with told():
        program = named.named(settings, pack).program
        spoken = _known("language", languages, program.languages)
        states = _known("state", screens, tuple(program.states))
        septets_max = screen_septets_max if route is None else _septets_max(settings, route)
        actions = named.bound(settings)
        shown = previewed(
            program,
            actions,
            states=states,
            languages=spoken,
            size=size,
            septets_max=septets_max,
        )
        for state, some in groupby(shown, key=lambda each: each.state):
            typer.echo("\n".join([state, *_pages(list(some)), ""]))
        if not screens:
            engine = notices(program, languages=spoken, size=size, septets_max=septets_max)
            for name, some in groupby(engine, key=lambda each: each.state):
                typer.echo("\n".join([f"notice {name}", *_pages(list(some)), ""]))


def graph(
    pack: Pack,
    *,
    svg: Annotated[bool, typer.Option("--svg", help="As a picture, for a browser.")] = False,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="As Mermaid text, for documents.")
    ] = False,
    counts: Annotated[
        bool,
        typer.Option(
            "--counts", help=f"With what became of each screen in {counting.DAYS} days."
        ),
    ] = False,
    language: Annotated[str | None, typer.Option("--lang", help="Of the options.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write it to this file.", dir_okay=False)
    ] = None,
) -> None:
    """Draw a pack: every state, where each option and answer leads, and where money moves."""
    from ussd_gateway.settings import load
    from ussd_gateway.ussd.tools import drawing
    from ussd_gateway.ussd.tools import graph as graphs

    if svg == mermaid:
        raise typer.BadParameter("choose --svg or --mermaid")
    settings = load()
    with told():
        found = named.named(settings, pack)
        program = found.program
        spoken = _known("language", [language] if language else None, program.languages)
        counted = (
            counting.of(settings, program, days=counting.DAYS) if counts else graphs.NO_COUNTS
        )
    first = spoken[0] if spoken else program.languages[0]
    drawn = (
        drawing.svg(
            graphs.tree(program, first, counted), title=f"{found.name} {program.digest}"
        )
        if svg
        else graphs.mermaid(program, first, counted)
    )
    if out is None:
        typer.echo(drawn, nl=False)
    else:
        out.write_text(drawn, "utf-8")
        typer.echo(f"written  {out}")


def schema() -> None:
    """Print the JSON Schema of packs, by which editors complete and check: pack.schema.json."""
    from ussd_gateway.settings import load

    with told():
        typer.echo(schema_text(load()), nl=False)


def schema_text(settings: "Settings") -> str:
    """As it stands in menus/pack.schema.json."""
    from ussd_gateway.ussd.tools.json_schema import json_schema

    return json.dumps(json_schema(named.bound(settings)), indent=1, ensure_ascii=False) + "\n"


def _known(what: str, given: "Sequence[str] | None", known: "Sequence[str]") -> tuple[str, ...]:
    """Raises NotPossible."""
    from ussd_gateway.app import NotPossible
    from ussd_gateway.files.fields import nearest

    for each in given or ():
        if each not in known:
            raise NotPossible(f"{each}: no such {what}; {nearest(each, list(known))}")
    return tuple(given or ())


def _septets_max(settings: "Settings", route: str) -> int:
    served = named.served(settings)
    _known("route", [route], tuple(served))
    return served[route].septets_max


def _pages(shown: "list[Shown]") -> "Iterator[str]":
    """Languages side by side, page below page; of many pages the first two and the last."""
    from ussd_gateway.ussd.tools.phone import beside

    by_page = sorted(shown, key=lambda each: each.page)
    for page, some in groupby(by_page, key=lambda each: each.page):
        kept = [each for each in some if page <= 2 or page == each.pages]
        if kept:
            yield from beside([each.framed for each in kept])
