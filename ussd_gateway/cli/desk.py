"""What staff work with at the command line: the tables of menus and people, and who is signed
in here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli import books
from ussd_gateway.cli.told import told

if TYPE_CHECKING:
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.menus.proposals import SqlProposals
    from ussd_gateway.store.menus.stops import SqlStops
    from ussd_gateway.store.menus.versions import SqlVersions
    from ussd_gateway.store.staff import Member, SqlStaff

note_max = 200
ONE_LINE = "write one line, of letters, digits and signs alone"


@dataclass(frozen=True, slots=True)
class Desk:
    settings: "Settings"
    versions: "SqlVersions"
    proposals: "SqlProposals"
    stops: "SqlStops"
    staff: "SqlStaff"

    def member(self) -> "Member":
        """Who is signed in. Where nobody is, the command ends and says how to."""
        from ussd_gateway.app import staffing

        return staffing.required(self.settings, self.staff)


@contextmanager
def desk(settings: "Settings | None" = None) -> Iterator[Desk]:
    """Ends the command with what is wrong, and a code, where something is."""
    from ussd_gateway import app
    from ussd_gateway.settings import load

    settings = settings or load()
    with books.opened(settings) as engine, told():
        yield Desk(
            settings,
            app.versions(settings, engine),
            app.proposals(settings, engine),
            app.stops(settings, engine),
            app.staff(settings, engine),
        )


def _at_most(length: int) -> Callable[[str | None], str | None]:
    def check(text: str | None) -> str | None:
        if text is not None and not 0 < len(text) <= length:
            raise typer.BadParameter(f"write 1 to {length} characters")
        if text is not None and not text.isprintable():
            raise typer.BadParameter(ONE_LINE)
        return text

    return check


Note = Annotated[str | None, typer.Option(help="Why.", callback=_at_most(note_max))]
