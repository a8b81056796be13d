"""What one phone does, kept for operators, with nothing of its person in it.

    dials *384*1*0722333444#    ->  dials *384*1*0711000002#
    enters Chebet Kiplagat      ->  enters Wanjiru Kamau        a stand-in of the same type
    enters 4071                 ->  enters <PIN>                where a secret is asked for
    enters 0o711                ->  enters x                    whatever is no answer there

It is masked here, before it is handed on, so that neither a store nor a log can be told more:
options and amounts stay as they were typed, all else becomes one of the demo cast. Whoever
dials becomes one of them too, so that what is kept can be played on their books.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Profile, Request, VarType
from ussd_gateway.ussd import engine, typed
from ussd_gateway.ussd.events import Jump, New, Screen, Session, Typed
from ussd_gateway.ussd.menu import (
    Act,
    Call,
    Capture,
    Input,
    List,
    Menu,
    Program,
    Secret,
    Shortcut,
)
from ussd_gateway.ussd.render import screen_septets_max
from ussd_gateway.ussd.tools import samples
from ussd_gateway.ussd.tools.reach import edges
from ussd_gateway.ussd.tools.samples import Size
from ussd_gateway.ussd.turn import dialled
from ussd_gateway.ussd.turn.heard import JOINT

# The demo cast, in the places of those who dial.
CUSTOMER, AGENT, STRANGER = "Amina", "Wanjiru", "+254711000009"
HIDDEN = "<PIN>"
# No answer to anything: no option, no number, no amount; and too short for a name.
BAD = "x"

# Numbers of the demo cast, by what asks for one: the service, and its parameter.
_CAST: Mapping[tuple[str, str], str] = {
    ("withdraw", "till"): "100200",
    ("buy_goods", "business"): "500500",
    ("pay_bill", "business"): "600600",
    ("pay_bill", "account"): "12345678",
}


class Recorder(Protocol):
    """Where it is kept. Neither method raises, and neither makes a phone wait for long."""

    def wants(self, msisdn: str) -> bool:
        """Whether somebody asked for what this number does. Most often it is not so: it costs
        next to nothing."""

    def keep(
        self, msisdn: str, *, who: str, language: str, state: str, dials: bool, text: str
    ) -> None:
        """One input, masked. `state`: where it was typed; empty where it `dials`."""


def dials(recorder: Recorder, program: Program, request: Request, profile: Profile) -> None:
    """A session begins."""
    if not recorder.wants(request.msisdn):
        return
    began = engine.begin(program, profile)
    inputs = _masked_dialled(program, began, request.text) if request.text else ""
    code = request.service_code.removesuffix("#")
    recorder.keep(
        request.msisdn,
        who=_stand_in(profile),
        language=began.language,
        state="",
        dials=True,
        text=f"{code}{JOINT}{inputs}#" if inputs else f"{code}#",
    )


def enters(
    recorder: Recorder, program: Program, request: Request, session: Session, text: str
) -> None:
    """`text` answers the screen of `session`."""
    if not recorder.wants(request.msisdn):
        return
    recorder.keep(
        request.msisdn,
        who="",
        language=session.language,
        state=session.state,
        dials=False,
        text=masked(program, session, text),
    )


def masked(program: Program, session: Session, text: str) -> str:
    """What may be kept of `text`, typed at this screen."""
    text = text.strip()
    if session.paused:
        return text if text in (engine.CONTINUE, engine.START_AGAIN) else BAD
    state = program.states[session.state]
    match state:
        case Secret():
            keys = (program.nav.back, program.nav.home) if state.nav else ()
            right = typed.is_digits(text, least=state.digits_min, most=state.digits_max)
            return text if text in keys else HIDDEN if right else BAD
        case Menu() | List():
            return text if typed.is_digits(text, least=1, most=2) else BAD
        case Input():
            keys = (program.nav.back, program.nav.home) if state.nav else ()
            if text in keys:
                return text
            asked = _Asked(session.state, state.into, state.parse)
            return _masked_value(program, session, asked, text)
        case _:
            raise AssertionError(f"{session.state} shows no screen to answer")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The var that is typed, and the state from which on it is known."""

    state: str
    into: str
    parse: typed.Parser


def _masked_value(program: Program, session: Session, asked: _Asked, text: str) -> str:
    value = asked.parse(text)
    kind = program.names[asked.into]
    match value:
        case None:
            return BAD
        case Money():
            return value.plain.removesuffix(".00").replace(",", "")
        case _ if kind.kind == "msisdn" and value == session.values.get("me.msisdn"):
            return samples.TYPED_OWN
        case _ if kind.kind == "digits":
            return _number(program, asked, kind, len(text))
        case _:
            return samples.typed(kind, asked.parse, Size.TYPICAL, program.money_max) or BAD


def _number(program: Program, asked: _Asked, kind: VarType, length: int) -> str:
    """One of the demo cast that the service knows; else one as long as what was typed."""
    known = _CAST.get(_asked_for(program, asked.state, asked.into), "")
    if kind.least <= len(known) <= kind.length:
        return known
    return samples.digits(min(max(length, kind.least), kind.length))


def _asked_for(program: Program, name: str, into: str) -> tuple[str, str]:
    """The service that is given this var first, and its parameter."""
    leads: dict[str, list[str]] = {}
    for edge in edges(program, program.languages[0]):
        leads.setdefault(edge.source, []).append(edge.target)
    ahead, seen = deque([name]), {name}
    while ahead:  # ends: each state is looked at once
        here = ahead.popleft()
        for parameter, ours in _args(program, here):
            if ours == into:
                return _act(program, here).action.partition(".")[0], parameter
        for target in leads.get(here, ()):
            if target not in seen:
                seen.add(target)
                ahead.append(target)
    return "", ""


def _args(program: Program, name: str) -> tuple[tuple[str, str], ...]:
    acts = isinstance(program.states[name], Secret | Call | List)
    return _act(program, name).args if acts else ()


def _act(program: Program, name: str) -> Act:
    state = program.states[name]
    assert isinstance(state, Secret | Call | List), f"{name} asks nothing"
    return state.act


def _masked_dialled(program: Program, session: Session, text: str) -> str:
    """A shortcut, or inputs one by one for as long as no action has to be asked."""
    jump = dialled.shortcut(program, session, text)
    if jump is not None:
        return _masked_jump(program, session, jump, text)
    session, shown = engine.step(program, session, New(), screen_septets_max)
    said = []
    for _, token in dialled.tokens(text):
        if not isinstance(shown, Screen) or shown.ends:
            said.append(BAD)
            continue
        said.append(masked(program, session, token))
        session, shown = engine.step(program, session, Typed(token), screen_septets_max)
    return JOINT.join(said)


def _masked_jump(program: Program, session: Session, jump: Jump, text: str) -> str:
    """The digits of the shortcut itself, and stand-ins for what it captures."""
    given = text.split(JOINT)
    [shortcut, *_] = (
        each
        for each in program.shortcuts
        if each.go == jump.state and _names(each) == jump.values.keys()
    )
    said = (
        _masked_value(program, session, _Asked(jump.state, token.name, token.parse), text)
        if isinstance(token, Capture)
        else token
        for token, text in zip(shortcut.tokens, given, strict=True)
    )
    return JOINT.join(said)


def _names(shortcut: Shortcut) -> set[str]:
    return {token.name for token in shortcut.tokens if isinstance(token, Capture)}


def _stand_in(profile: Profile) -> str:
    if not profile.registered:
        return STRANGER
    return AGENT if profile.till else CUSTOMER
