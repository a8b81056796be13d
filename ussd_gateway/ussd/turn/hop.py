"""One callback while it is answered, and what it came to."""

from dataclasses import dataclass
from datetime import datetime

from ussd_gateway.domain.msisdn import masked
from ussd_gateway.ports import Answer, Left, Origin, Reply, Request, Route
from ussd_gateway.ussd.events import Screen, Session
from ussd_gateway.ussd.menu import Program, Text
from ussd_gateway.ussd.render import render
from ussd_gateway.ussd.turn.heard import Span
from ussd_gateway.ussd.versions import Packs


@dataclass(slots=True)
class Hop:
    """Until its session is known, `number` is 0 and `program` the live one; `began_in` is the
    digest of the one that the session began in. `sure`: nothing has been asked to move under
    this callback, by us or by somebody before us."""

    request: Request
    route: Route
    pack: str
    program: Program
    origin: Origin
    holder: str
    began: datetime
    number: int = 0
    visit: str = ""
    began_in: str = ""
    calls: int = 0
    locked: datetime | None = None
    sure: bool = False
    known: Answer | None = None  # what its secret was answered by somebody whose lock lapsed

    @property
    def phone(self) -> str:
        """Whose session it is, and of which menus."""
        return f"{self.pack}:{self.request.msisdn}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a hop came to. `hidden`: the parts of its text that are kept nowhere. `asks_of` is
    the session that was left open, where the phone is asked about it, and `takes` it where it
    has answered."""

    session: Session | None
    screen: Screen
    hidden: tuple[Span, ...]
    asks_of: Left | None = None
    takes: Left | None = None
    left: str = ""  # the state whose screen was answered
    left_ms: int = 0  # how long that took


def pinned(hop: Hop, packs: Packs) -> bool:
    """Goes on in the version that the session began in; False where it is not to be found.
    Raises BooksLost."""
    if hop.began_in and hop.began_in != hop.program.digest:
        found = packs.pinned(hop.pack, hop.began_in)
        if found is None:
            return False
        hop.program = found
    return True


def said(program: Program, notice: Text, wished: str | None = None) -> Screen:
    """The END that a notice is, in the language that was wished if the menus have it."""
    return Screen(render(notice, program.language(wished), {}), ends=True)


def ended(screen: Screen, hidden: tuple[Span, ...]) -> Shown:
    return Shown(None, Screen(screen.text, ends=True), hidden)


def all_of(request: Request) -> tuple[Span, ...]:
    """To be hidden: the whole of its text."""
    return ((0, len(request.text)),)


def carried(route: Route, screen: Screen) -> Reply:
    """The screen without the characters that the route does not carry."""
    text = screen.text
    if not route.forbids.isdisjoint(text):
        text = "".join(" " if char in route.forbids else char for char in text)
    return Reply(text, screen.ends)


def who(request: Request) -> dict[str, str]:
    """Of a callback, what may stand in a log."""
    return {
        "route": request.route,
        "session": request.session_id,
        "msisdn": masked(request.msisdn),
    }
