"""What operators do with their files: menus, SMS texts, routes and tariffs."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli import books

if TYPE_CHECKING:
    from ussd_gateway.app import Moved
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.versions import SqlVersions

author_max = 64
note_max = 200

app = typer.Typer(help="The operators' files: menus, texts, tariffs.", no_args_is_help=True)


def _at_most(length: int) -> Callable[[str | None], str | None]:
    def check(text: str | None) -> str | None:
        if text is not None and not 0 < len(text) <= length:
            raise typer.BadParameter(f"write 1 to {length} characters")
        return text

    return check


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise typer.BadParameter("your account has no name: give --author") from None


Author = Annotated[
    str,
    typer.Option(
        help="Who answers for it.",
        default_factory=_user,
        show_default="the name of your account",
        callback=_at_most(author_max),
    ),
]
Note = Annotated[str | None, typer.Option(help="Why.", callback=_at_most(note_max))]


@app.command()
def lint() -> None:
    """Check every file in menus/: each fault with its file, line, and what to do."""
    from ussd_gateway.app import check
    from ussd_gateway.settings import load

    settings = load()
    with _told():
        warnings = check(settings)
    for warning in warnings:
        typer.echo(warning)
    typer.echo(f"{settings.menus_dir}: no faults, {len(warnings)} warnings")


@app.command()
def publish(
    author: Author,
    pack: Annotated[str | None, typer.Argument(help="Without it: all that differ.")] = None,
    note: Note = None,
) -> None:
    """Make packs in menus/ live as they are now: new sessions begin in them."""
    from ussd_gateway.app import publish as publish_files
    from ussd_gateway.settings import load

    settings = load()
    names = () if pack is None else (pack,)
    with _versions(settings) as versions, _told():
        moved = publish_files(settings, versions, names, author=author, note=note)
    tell(moved)
    if not moved:
        typer.echo("Nothing has changed: what is in menus/ is live already.")


@app.command()
def rollback(
    pack: str,
    author: Author,
    to: Annotated[str | None, typer.Option(help="How the version's name begins.")] = None,
    note: Note = None,
) -> None:
    """Make an earlier version live again: the one before, or the one named by --to."""
    from ussd_gateway.app import roll_back
    from ussd_gateway.settings import load

    settings = load()
    with _versions(settings) as versions, _told():
        moved = roll_back(settings, versions, pack, to=to, author=author, note=note)
    tell([moved])
    typer.echo(f"The file menus/{pack}.yaml is left as it is.")


@app.command("versions")
def show_versions(
    pack: Annotated[str | None, typer.Argument(help="Without it: all of them.")] = None,
) -> None:
    """Show what is live, and what was: the versions to roll back to."""
    from ussd_gateway.app import unpublished
    from ussd_gateway.settings import load

    settings = load()
    with _versions(settings) as versions:
        histories = {name: versions.history(name) for name in sorted(versions.live())}
        differing = unpublished(settings, versions)
    if pack is not None and pack not in histories:
        known = ", ".join(histories) or "none"
        typer.echo(f"{pack}: never published; packs that were: {known}", err=True)
        raise typer.Exit(1)
    for name, history in histories.items():
        if pack not in (None, name):
            continue
        typer.echo(name)
        width = max(len(move.author) for move in history)
        for move in history:
            at = datetime.fromtimestamp(move.at_ms // 1000, UTC)
            live = "live" if move is history[0] else ""
            line = (
                f"  {live:<5}{move.digest}  {move.why.value:<9} {at:%Y-%m-%d %H:%M:%S} UTC  "
                f"{move.author:<{width}}  {move.note or ''}"
            )
            typer.echo(line.rstrip())
    for name in differing:
        if pack in (None, name):
            typer.echo(_not_live(name))


def tell(moved: "list[Moved]") -> None:
    """What has become live, and what is new in it."""
    for each in moved:
        before = f"in the place of {each.before}" if each.before else "the first of its pack"
        typer.echo(f"{each.pack}: {each.digest} is live, {before}")
        if each.before is None:
            continue
        changes = (
            ("states added", each.changes.added),
            ("states removed", each.changes.removed),
            ("states changed", each.changes.changed),
            ("changed beside", each.changes.beside),
        )
        for what, names in changes:
            if names:
                typer.echo(f"  {what}: {', '.join(names)}")
        if not any(names for _, names in changes):
            typer.echo("  no more than comments and layout changed")


def edited(settings: "Settings") -> list[str]:
    """A line for each file that no phone shows, as nobody has published it as it is now."""
    from ussd_gateway.app import unpublished

    with _versions(settings) as versions:
        return [_not_live(pack) for pack in unpublished(settings, versions)]


def _not_live(pack: str) -> str:
    return f"menus/{pack}.yaml is not what is live: `ussd-gateway menu publish` makes it so"


@contextmanager
def _versions(settings: "Settings") -> "Iterator[SqlVersions]":
    from ussd_gateway.app import versions

    with books.opened(settings) as engine:
        yield versions(settings, engine)


@contextmanager
def _told() -> Iterator[None]:
    """Ends the command with code 1, and with what is wrong, where something is."""
    from ussd_gateway.app import Faulty, NotPossible

    try:
        yield
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(fault)
        raise typer.Exit(1) from None
    except NotPossible as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(1) from None
