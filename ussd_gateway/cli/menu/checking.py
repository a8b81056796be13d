"""Whether the operators' files are right."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.files.faults import Fault
    from ussd_gateway.settings import Settings


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


Files = Annotated[list[Path] | None, typer.Argument(help="Without it: all of menus/.")]
Strict = Annotated[bool, typer.Option("--strict", help="A warning fails, too.")]
In = Annotated[Format, typer.Option("--format", help="For people, or for machines.")]
Rules = Annotated[bool, typer.Option("--rules", help="Show every rule, and check nothing.")]


def lint(
    files: Files = None, strict: Strict = False, form: In = Format.TEXT, rules: Rules = False
) -> None:
    """Check the operators' files: each fault with its file, line, and what to do."""
    from ussd_gateway.app import check, check_files
    from ussd_gateway.files.formats import FORMATS
    from ussd_gateway.settings import load

    if rules:
        _show_rules()
        return
    settings = load()
    with told():
        found = check_files(settings, files) if files else check(settings)
    if not files:
        found = (*found, *_against_live(settings))
    failed = [fault for fault in found if strict or not fault.warns]
    shown = FORMATS[form](found)
    if shown:
        typer.echo(shown)
    if failed:
        raise typer.Exit(1)
    if form is Format.TEXT:
        where = ", ".join(map(str, files)) if files else settings.menus_dir
        typer.echo(f"{where}: no faults, {len(found)} warnings")


def _against_live(settings: "Settings") -> "tuple[Fault, ...]":
    """What people who know the published menus would stumble over; nothing where none are."""
    from ussd_gateway.app import against_live, versions
    from ussd_gateway.cli import books

    if not books.are_there(settings):
        return ()
    with books.opened(settings) as engine:
        return against_live(settings, versions(settings, engine))


def _show_rules() -> None:
    from ussd_gateway.files.rules import RULES

    for rule in RULES.values():
        typer.echo(f"{rule.code} {rule.name}\n  {rule.why}")
        if rule.mend:
            typer.echo(f"  {rule.mend}")
