"""What menus can ask for: every action, with what it takes, gives, and how it can end."""

from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.menu import named
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ussd_gateway.ports import Action, VarType


def actions(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Without it: all of them.")
    ] = None,
) -> None:
    """Show the actions that a menu can ask for, and what to write for each."""
    from ussd_gateway.app import NotPossible
    from ussd_gateway.settings import load

    with told():
        known = named.bound(load())
        strange = [name for name in names or () if name not in known]
        if strange:
            raise NotPossible(f"no such action: {', '.join(strange)}; all: {', '.join(known)}")
    for name in sorted(names or known):
        for line in _lines(known[name]):
            typer.echo(line)


def _lines(action: "Action") -> "Iterator[str]":
    from ussd_gateway.ussd.menu import EMPTY

    asks = ", for a PIN: in a `secret`" if action.takes_secret else ""
    kind = "list" if action.rows else "call"
    where = asks or f": in a `{kind}`"
    outcomes = action.outcomes
    if action.rows:
        outcomes = (outcomes - {"ok"}) | {EMPTY}
    yield f"{action.name}  ({action.effect.value}{where})"
    for title, kinds in (
        ("with", action.takes),
        ("rows", action.rows),
        ("gives", action.gives),
    ):
        if kinds:
            yield f"  {title}: {_listed(kinds)}"
    yield f"  outcomes: {', '.join(sorted(outcomes))}"


def _listed(kinds: "Mapping[str, VarType]") -> str:
    return ", ".join(f"{name} ({_written(kind)})" for name, kind in kinds.items())


def _written(kind: "VarType") -> str:
    """As it is declared under `vars`."""
    match kind.kind:
        case "text":
            return f"text({kind.length})"
        case "digits" if kind.length:
            least = f"{kind.least}-" if kind.least not in (0, kind.length) else ""
            return f"digits({least}{kind.length})"
        case other:
            return other
