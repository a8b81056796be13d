"""What a person is told: how a command ends that cannot do what it was asked, and what others
wrote, as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


def as_written(text: str) -> str:
    """On one line, whoever wrote it: no line of its own, no colour, nothing turned round."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


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
