"""Whether the books are right."""

import time
from typing import TYPE_CHECKING

import typer

from ussd_gateway.cli.books import opened

if TYPE_CHECKING:
    from ussd_gateway.store.verify import Finding


def verify() -> None:
    """Check every invariant of the books. Ends with 0 where all hold, with 1 where not.

    Reads one moment of the database, and holds up no payment.
    """
    from ussd_gateway.settings import load
    from ussd_gateway.store.verify import verify as find

    started = time.monotonic()
    with opened(load()) as engine:
        findings = find(engine)
    took_s = time.monotonic() - started
    for line in _report(findings):
        typer.echo(line)
    wrong = [finding for finding in findings if not finding.ok]
    if wrong:
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
        lines += ["", f"{one.number or '-':>2}  {one.name}: {_counted(one.faults)}"]
        lines += [f"      {words}" for words in one.shown]
        if one.faults > len(one.shown):
            lines.append(f"      and {one.faults - len(one.shown):,} more")
    return lines


def _counted(faults: int) -> str:
    return f"{faults:,} fault" if faults == 1 else f"{faults:,} faults"
