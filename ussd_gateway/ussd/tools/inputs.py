"""What a phone may send at a place: every key, good input and bad."""

from collections.abc import Iterator

from ussd_gateway.ussd.events import Session
from ussd_gateway.ussd.menu import Capture, Input, List, Menu, Program, Secret, Shortcut
from ussd_gateway.ussd.tools import samples
from ussd_gateway.ussd.tools.samples import Size
from ussd_gateway.ussd.turn.heard import JOINT

# Of two digits, as keys are, and yet none that a menu has.
NO_OPTION = "96"


def typed_at(program: Program, session: Session, size: Size) -> Iterator[str]:
    """Nothing good where the state takes no value of its type at all."""
    nav = program.nav
    yield from (nav.back, nav.home, "")
    state = program.states[session.state]
    match state:
        case Menu(options=options):
            yield from (*options, nav.more, nav.prev, NO_OPTION)
        case List():
            count = len(session.rows)
            yield from dict.fromkeys(("1", str(count), str(count + 1), "01"))
            yield from (nav.more, nav.prev)
        case Secret(digits_min=least, digits_max=most):
            yield from dict.fromkeys(("7" * least, "7" * most, "7" * (most + 1), "x"))
        case Input():
            kind = program.names[state.into]
            good = samples.typed(kind, state.parse, size, program.money_max)
            yield from (good,) if good is not None else ()
            yield from samples.typed_badly(kind)
        case _:
            raise AssertionError(f"{session.state} shows no screen to answer")


def dialled_at(program: Program, session: Session, size: Size) -> Iterator[str]:
    """What stands behind the service code, for each shortcut that is there for this phone."""
    for shortcut in program.shortcuts:
        if shortcut.when is None or shortcut.when.holds(session.values):
            yield JOINT.join(_tokens(program, shortcut, size))


def _tokens(program: Program, shortcut: Shortcut, size: Size) -> Iterator[str]:
    for token in shortcut.tokens:
        match token:
            case str():
                yield token
            case Capture(name=name, parse=parse):
                kind = program.names[name]
                yield samples.typed(kind, parse, size, program.money_max) or ""
