"""Who works for the house, and who is signed in here.

Passwords and codes are asked for in the terminal, and shown to nobody. Where there is none they
are the lines of standard input, the password first.
"""

import sys
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.desk import desk

if TYPE_CHECKING:
    from ussd_gateway.ports import Secret

app = typer.Typer(help="Who publishes and approves menus.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME")]


class As(Enum):
    MAKER = "maker"
    CHECKER = "checker"


@app.command()
def add(
    name: Name,
    role: Annotated[As, typer.Option(help="Makers publish, checkers approve.")],
) -> None:
    """Make an account: a maker adds makers, a checker checkers; the first needs nobody."""
    from ussd_gateway.app import staffing
    from ussd_gateway.store.staff import Role

    with desk() as here:
        by = staffing.signed_in(here.settings, here.staff)
        password = _password(twice=True)
        uri = staffing.add(here.staff, name, Role(role.value), password, by=by)
    typer.echo(f"{name} is a {role.value}. An authenticator reads this, which is shown once:")
    typer.echo(f"  {uri}")


@app.command("list")
def show() -> None:
    """Show who is of the staff, and who is signed in here."""
    from ussd_gateway.app import staffing

    with desk() as here:
        members = here.staff.members()
        present = staffing.signed_in(here.settings, here.staff)
    for one in members:
        at = datetime.fromtimestamp(one.added_at_ms // 1000, UTC)
        notes = ["disabled"] if one.disabled else []
        notes += ["signed in here"] if present and present.name == one.name else []
        typer.echo(
            f"{one.name:<16} {one.role.value:<8} added by {one.added_by} {at:%Y-%m-%d}  "
            f"{', '.join(notes)}".rstrip()
        )
    if not members:
        typer.echo("Nobody yet: `ussd-gateway staff add NAME --role maker`, and a checker.")


@app.command("sign-in")
def sign_in(name: Name) -> None:
    """Ask for password and code; publish and approve as this member from now on."""
    from ussd_gateway.app import staffing

    with desk() as here:
        password = _password()
        code = _asked("Code", hidden=False)
        staffing.sign_in(here.settings, here.staff, name, password, code)
    typer.echo(f"Signed in as {name}; `ussd-gateway staff sign-out` ends it.")


@app.command("sign-out")
def sign_out() -> None:
    """End what `staff sign-in` began."""
    from ussd_gateway.app import staffing

    with desk() as here:
        staffing.sign_out(here.settings, here.staff)
    typer.echo("Nobody is signed in here.")


@app.command()
def disable(name: Name) -> None:
    """Let somebody sign in no longer; what they are signed in with ends at once."""
    from ussd_gateway.app import staffing

    with desk() as here:
        here.member()
        staffing.disable(here.staff, name)
    typer.echo(f"{name} is disabled.")


@app.command()
def enable(name: Name) -> None:
    """End what `staff disable` did, or a rest after wrong tries: somebody of the same role."""
    from ussd_gateway.app import staffing

    with desk() as here:
        staffing.enable(here.staff, name, by=here.member())
    typer.echo(f"{name} is enabled.")


def _password(*, twice: bool = False) -> "Secret":
    from ussd_gateway.ports import Secret

    password = _asked("Password")
    if twice and sys.stdin.isatty() and _asked("The same again") != password:
        raise typer.BadParameter("these are two passwords")
    return Secret(password)


def _asked(what: str, *, hidden: bool = True) -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=hidden)
        return answer
    return sys.stdin.readline().rstrip("\n")
