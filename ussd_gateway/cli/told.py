"""How a command ends that cannot do what it was asked: lines for a person, and a code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def told() -> Iterator[None]:
    """Ends the command with code 1, and with what is wrong, where something is: faults of files
    are what was asked for, any other reason is an error."""
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
