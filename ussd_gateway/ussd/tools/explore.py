"""Every way through a pack, walked without a service behind it; and the phone lost on each.

    dial --each option, each good and bad input--> a place --...--> END
                                                     |
                                  lost and dialled again: Continue | Start again

Actions are stood in for by what they declare: each outcome, with values in three sizes. A place
is a state with a language, a page, the way back and the names that are set: where two ways come
to the same place, one is followed. What is looked for on the way:

    it never crashes           a screen fits the route           every state is reached
    an END can be reached from everywhere, also after Continue
    money moves on a PIN that is typed in that very hop, and after no other event
    Continue shows the screen that was lost, its quote asked for anew; Start again begins
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ussd_gateway.ports import Action, Effect, Profile, Route
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import (
    Answered,
    Event,
    New,
    Redialled,
    Screen,
    Session,
    Step,
    Typed,
    Wanted,
)
from ussd_gateway.ussd.menu import (
    Call,
    Input,
    Program,
    Secret,
)
from ussd_gateway.ussd.render import cost, screen_septets_max
from ussd_gateway.ussd.tools import samples
from ussd_gateway.ussd.tools.inputs import NO_OPTION, dialled_at, typed_at
from ussd_gateway.ussd.tools.reach import unreached
from ussd_gateway.ussd.tools.samples import Size
from ussd_gateway.ussd.turn import dialled

# Of one walk: far more than a pack has that a person can find a way through.
places_max = 20_000
troubles_max = 50

HIDDEN = "<PIN>"
NOTHING = "(nothing)"

# Whatever a pure function raises when it is wrong.
_CRASHES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

Way = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what was typed and answered from the first dial to get there."""

    what: str
    way: Way

    def __str__(self) -> str:
        return f"{self.what}: {' > '.join(self.way)}"


@dataclass(frozen=True, slots=True)
class Explored:
    """`dropped`: places where the phone was lost, and dialled again. `longest`: the way to the
    place that takes the most inputs to come to, pages and bad input aside."""

    places: int
    steps: int
    dropped: int
    longest: Way
    unreached: tuple[str, ...]
    troubles: tuple[Trouble, ...]

    @property
    def well(self) -> bool:
        return not self.unreached and not self.troubles


def explore(
    program: Program, actions: Mapping[str, Action], routes: Iterable[Route] = ()
) -> Explored:
    """Walks the pack in every language, on every budget of the routes, in every size of values,
    as everybody who may dial."""
    budgets = sorted({route.septets_max for route in routes}) or [screen_septets_max]
    report = _Report()
    for septets_max in budgets:
        for size in Size:
            for language in program.languages:
                for profile in samples.profiles(language, size, program.money_max):
                    _Walk(
                        program, actions, profile, report, size=size, septets_max=septets_max
                    ).run()
    return Explored(
        places=report.places,
        steps=report.steps,
        dropped=report.dropped,
        longest=report.longest,
        unreached=unreached(program, report.reached),
        troubles=tuple(report.troubles.values()),
    )


@dataclass(slots=True)
class _Report:
    """What all walks have found."""

    places: int = 0
    steps: int = 0
    dropped: int = 0
    longest: Way = ()
    reached: set[str] = field(default_factory=set)
    troubles: dict[str, Trouble] = field(default_factory=dict)

    def tell(self, what: str, way: Way) -> None:
        """Once, however many ways lead to it."""
        if len(self.troubles) < troubles_max:
            self.troubles.setdefault(what, Trouble(what, way))


_Key = tuple[object, ...]


@dataclass(slots=True)
class _Place:
    session: Session
    text: str
    way: Way
    leads: set[_Key] = field(default_factory=set)
    ends: bool = False


class _Walk:
    """One person, in one language and size of values, on one budget."""

    def __init__(
        self,
        program: Program,
        actions: Mapping[str, Action],
        profile: Profile,
        report: _Report,
        *,
        size: Size,
        septets_max: int,
    ) -> None:
        self._program = program
        self._actions = actions
        self._septets_max = septets_max
        self._size = size
        self._profile = profile
        self._report = report
        self._places: dict[_Key, _Place] = {}
        self._ahead: deque[_Key] = deque()
        self._quotes = _saved_by_calls(program)
        self._first = ""

    def run(self) -> None:
        began = _Place(engine.begin(self._program, self._profile), "", ())
        self._go(began, "dial", New())
        for text in dialled_at(self._program, began.session, self._size):
            jump = dialled.shortcut(self._program, began.session, text)
            if jump is not None:
                self._go(began, f"dial {text}", jump)
        while self._ahead:  # ends: a place is put there once, and there is a most of them
            place = self._places[self._ahead.popleft()]
            for text in typed_at(self._program, place.session, self._size):
                self._go(place, text, Typed(text))
            self._drop(place)
        self._find_dead_ends()
        self._report.places += len(self._places)

    # --- going on

    def _go(self, place: _Place, typed: str, event: Event) -> None:
        """Takes one step, and every answer that it can be given."""
        hides = isinstance(event, Typed) and engine.asks_secret(self._program, place.session)
        said = HIDDEN if hides else typed or NOTHING
        for way, session, screen in self._ways(place, event, (*place.way, said)):
            self._arrive(place, session, screen, way)

    def _arrive(self, place: _Place, session: Session, screen: Screen, way: Way) -> None:
        self._report.reached.add(session.state)
        self._check_fits(session, screen, way)
        if screen.ends:
            place.ends = True
            return
        key = self._key(session)
        self._first = self._first or session.state
        place.leads.add(key)
        if key in self._places:
            return
        if len(self._places) == places_max:
            self._report.tell(f"more than {places_max} places", way)
            return
        self._places[key] = _Place(session, screen.text, way)
        self._ahead.append(key)
        if not (session.page or session.tries) and len(way) > len(self._report.longest):
            self._report.longest = way

    def _ways(
        self, place: _Place, event: Event, way: Way
    ) -> Iterator[tuple[Way, Session, Screen]]:
        """Each screen that the event can lead to."""
        try:
            step = self._step(place.session, event)
            if isinstance(step[1], Wanted):
                self._check_by_pin(place, event, step[1], way)
            yield from self._answered(step, way)
        except _CRASHES as crash:
            where = place.session.state
            self._report.tell(f"{where} crashes: {type(crash).__name__}: {crash}", way)

    def _answered(self, step: Step, way: Way) -> Iterator[tuple[Way, Session, Screen]]:
        """Ends: states that call come to a screen, whatever they are answered (lint, E07)."""
        session, shown = step
        if isinstance(shown, Screen):
            yield way, session, shown
            return

        self._report.reached.add(shown.state)
        action = self._actions[shown.action]
        for answer in samples.answers(action, self._size, self._program.money_max):
            outcome = "none" if action.rows and not answer.rows else answer.outcome
            asked = f"{way[-1]} ({shown.action}: {outcome})".strip()
            after = self._step(session, Answered(answer))
            if isinstance(after[1], Wanted) and self._is_money(after[1]):
                self._report.tell(f"{after[1].state} moves money unasked", (*way[:-1], asked))
            yield from self._answered(after, (*way[:-1], asked))

    def _step(self, session: Session, event: Event) -> Step:
        self._report.steps += 1
        return engine.step(self._program, session, event, self._septets_max)

    def _key(self, session: Session) -> _Key:
        state = self._program.states[session.state]
        counts = isinstance(state, Input) and state.retries is not None
        return (
            session.state,
            session.language,
            session.page,
            session.quoted,
            session.tries if counts else 0,
            len(session.rows),
            tuple(mark.state for mark in session.back),
            frozenset(session.values),
        )

    # --- the phone is lost

    def _drop(self, place: _Place) -> None:
        """Lost here and dialled again."""
        session, program = place.session, self._program
        if program.resume_s == 0:
            return
        if not engine.can_resume(program, session):
            if session.state != self._first:
                self._report.tell(f"{session.state} is not gone on with", place.way)
            return
        self._report.dropped += 1
        way = (*place.way, "lost, dials again")
        try:
            asked, shown = self._step(session, Redialled(engine.about(self._profile)))
        except _CRASHES as crash:
            what = f"{session.state} crashes when dialled again: {type(crash).__name__}"
            self._report.tell(what, way)
            return
        if not isinstance(shown, Screen) or shown.ends or not asked.paused:
            self._report.tell(f"{session.state} does not ask whether to go on", way)
            return
        self._check_fits(asked, shown, way)
        if not engine.starts_again(asked, engine.START_AGAIN):
            self._report.tell(f"{session.state} cannot be left for a new session", way)
        paused = _Place(asked, shown.text, way)
        for _, after, screen in self._ways(paused, Typed(NO_OPTION), (*way, NO_OPTION)):
            if after != asked or screen.ends:
                self._report.tell(f"{session.state} does not ask again", way)
        self._continue(place, paused)

    def _continue(self, place: _Place, paused: _Place) -> None:
        before = place.session
        way = (*paused.way, engine.CONTINUE)
        same = False
        for to, after, screen in self._ways(paused, Typed(engine.CONTINUE), way):
            same |= after.state == before.state and place.text.endswith(screen.text)
            self._arrive(place, after, screen, to)
        if not same:
            self._report.tell(f"{before.state} is not come back to by Continue", way)
        state = self._program.states[before.state]
        if isinstance(state, Secret) and state.act.effect is Effect.MONEY:
            shows_quote = any(name in self._quotes for name in _known_at(state))
            if shows_quote and not self._asks_anew(paused.session, before.quoted):
                self._report.tell(f"{before.state} goes on by a quote that is not fresh", way)

    def _asks_anew(self, asked: Session, quoted: str) -> bool:
        """Whether Continue runs the call `quoted` first, which only reads."""
        _, shown = self._step(asked, Typed(engine.CONTINUE))
        if not quoted or not isinstance(shown, Wanted) or shown.state != quoted:
            return False
        return self._actions[shown.action].effect is Effect.READ

    # --- what must hold

    def _check_by_pin(self, place: _Place, event: Event, wanted: Wanted, way: Way) -> None:
        """Money moves, and a secret is passed on, by what was typed for it in this hop."""
        if not self._is_money(wanted) and wanted.secret is None:
            return
        session = place.session
        by_pin = (
            isinstance(event, Typed)
            and not session.paused
            and session.state == wanted.state
            and wanted.secret is not None
            and wanted.secret.reveal() == event.text
        )
        if not by_pin:
            self._report.tell(f"{wanted.state} acts without a PIN of its own", way)

    def _is_money(self, wanted: Wanted) -> bool:
        return self._actions[wanted.action].effect is Effect.MONEY

    def _check_fits(self, session: Session, screen: Screen, way: Way) -> None:
        wide = session.language in self._program.notices.back.wide
        septets = cost(screen.text, wide=wide)
        if septets > self._septets_max:
            over = f"{septets} septets of {self._septets_max} in {session.language}"
            self._report.tell(f"{session.state}: {over}", way)
        if not screen.text.strip():
            self._report.tell(f"{session.state}: an empty screen in {session.language}", way)

    def _find_dead_ends(self) -> None:
        """Back from the places where an END comes next."""
        before: dict[_Key, list[_Key]] = {}
        for key, place in self._places.items():
            for lead in place.leads:
                before.setdefault(lead, []).append(key)
        ahead = [key for key, place in self._places.items() if place.ends]
        ending = set(ahead)
        while ahead:  # ends: each place is taken once
            for key in before.get(ahead.pop(), ()):
                if key not in ending:
                    ending.add(key)
                    ahead.append(key)
        for key, place in self._places.items():
            if key not in ending:
                self._report.tell(f"{place.session.state} comes to no END", place.way)


def _saved_by_calls(program: Program) -> frozenset[str]:
    """What stands on a screen because it was asked for: fees, names, prices."""
    calls = (state for state in program.states.values() if isinstance(state, Call))
    return frozenset(taken.name for call in calls for taken in call.saves)


def _known_at(state: Secret) -> frozenset[str]:
    return state.text.names | {name for _, name in state.act.args}
