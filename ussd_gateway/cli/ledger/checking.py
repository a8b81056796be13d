"""Whether the books are right."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened

if TYPE_CHECKING:
    from ussd_gateway.store.verify import Finding

WRONG = """
What to do: change nothing, and stop whoever may. Keep a copy of the database as it is now, its
log, and the heads. A fault of 14 to 16, or of a row that `verify` names, is somebody's hand, or
a disk's: compare with the last backup in which `verify` found nothing. A fault of 1 to 13 alone
is a fault of this program: report it with the lines above."""


def verify(
    heads: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="A folder of exported heads, such as the auditor's copies. "
            "[default: DATA_DIR/heads]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check every invariant of the books. Ends with 0 where all hold, with 1 where not.

    Reads one moment of the database, and holds up no payment.
    """
    from ussd_gateway.settings import load
    from ussd_gateway.store.seals.heads import FOLDER
    from ussd_gateway.store.verify import verify as find
    from ussd_gateway.store.verify.seals import read_heads

    settings = load()
    folder = heads or settings.data_dir / FOLDER
    compared = len(read_heads(folder))
    started = time.monotonic()
    with opened(settings) as engine:
        findings = find(engine, folder)
    took_s = time.monotonic() - started
    for line in _report(findings):
        typer.echo(line)
    typer.echo(f"\n{_counted(compared, 'head')} compared, of {folder}")
    wrong = [finding for finding in findings if not finding.ok]
    if wrong:
        typer.echo(WRONG)
        typer.echo(f"\nThe books are WRONG: {len(wrong)} of {len(findings)} rules are broken.")
        raise typer.Exit(1)
    typer.echo(f"\nThe books are right ({took_s:.1f} s).")


def _report(findings: "tuple[Finding, ...]") -> list[str]:
    """One line for each rule; then, for each that is broken, its first faults."""
    width = max(len(finding.name) for finding in findings)
    lines = [
        f"{'ok   ' if one.ok else 'WRONG'}  {one.number or '-':>2}  {one.name:<{width}}  "
        f"{one.checked:>11,} {one.unit}"
        for one in findings
    ]
    for one in findings:
        if one.ok:
            continue
        lines += ["", f"{one.number or '-':>2}  {one.name}: {_counted(one.faults, 'fault')}"]
        lines += [f"      {words}" for words in one.shown]
        if one.faults > len(one.shown):
            lines.append(f"      and {one.faults - len(one.shown):,} more")
    return lines


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
