"""The command `ussd-gateway`: every way into the program, one file a group of commands.

Commands import what they run inside their bodies, so that `--help` answers at once and a
process loads only what it needs.
"""

import re
import sys
from collections.abc import Iterable

import typer

from ussd_gateway.cli import (
    db,
    demo,
    doctor,
    ledger,
    menu,
    phone,
    programs,
    replay,
    sms,
    staff,
)

app = typer.Typer(
    name="ussd-gateway",
    help="A payment gateway that any phone can use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(programs.serve)
app.command()(programs.worker)
app.command()(programs.relay)
app.command()(programs.scheduler)
app.command()(programs.simulator)
app.command()(phone.phone)
app.command()(replay.replay)
app.add_typer(menu.app, name="menu")
app.add_typer(staff.app, name="staff")
app.add_typer(ledger.app, name="ledger")
app.add_typer(sms.app, name="sms")
app.add_typer(db.app, name="db")
app.command()(doctor.doctor)


_HALVES = re.compile("[\ud800-\udfff]")


def main() -> None:
    """What a person can mend is told in lines; anything else is a bug, with its traceback."""
    # Octets that are no UTF-8 stand in an argument as halves of characters.
    strange = [ascii(word) for word in sys.argv[1:] if _HALVES.search(word)]
    if strange:
        _tell("Write arguments in UTF-8:", strange)
        sys.exit(2)
    try:
        app()
    except Exception as error:
        from sqlalchemy.exc import OperationalError

        from ussd_gateway.app import Faulty
        from ussd_gateway.ports import BooksLost
        from ussd_gateway.settings import SettingsFault

        match error:
            case SettingsFault():
                _tell("The environment needs mending:", error.faults)
            case Faulty():
                _tell("The operators' files need mending:", error.faults)
            case OperationalError() | BooksLost():
                away = error.orig if isinstance(error, OperationalError) else error
                reason = str(away).strip()
                _tell("The database does not answer; see `ussd-gateway doctor`:", [reason])
            case _:
                raise
        sys.exit(2)


def _tell(title: str, lines: Iterable[str]) -> None:
    print(title, file=sys.stderr)
    for line in lines:
        print(f"  {line}", file=sys.stderr)
