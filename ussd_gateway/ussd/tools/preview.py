"""Every screen of a pack as the phone shows it: with values as they usually are, or each as
long as it can be and the longest reason above it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ussd_gateway.ports import Action, Answer, Scalar
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, Jump, Screen, Session, Step, Typed
from ussd_gateway.ussd.menu import (
    Again,
    Call,
    Decide,
    Input,
    List,
    Menu,
    Notices,
    Program,
    Secret,
)
from ussd_gateway.ussd.reading.known import NOTICE_NAMES
from ussd_gateway.ussd.render import cost, render, screen_septets_max
from ussd_gateway.ussd.tools import phone, samples
from ussd_gateway.ussd.tools.samples import OK, Size


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen, or one of its pages, from 1. `septets` that it takes of `septets_max`."""

    state: str
    language: str
    text: str
    septets: int
    septets_max: int
    page: int
    pages: int
    ends: bool

    @property
    def framed(self) -> list[str]:
        return self.framed_as(self.language)

    def framed_as(self, title: str) -> list[str]:
        page = f", page {self.page}/{self.pages}" if self.pages > 1 else ""
        over = "  TOO LONG" if self.septets > self.septets_max else ""
        end = ", END" if self.ends else ""
        below = f"{self.septets}/{self.septets_max}{page}{end}{over}"
        return phone.framed(self.text, title=f" {title} ", below=below)


def preview(
    program: Program,
    actions: Mapping[str, Action],
    *,
    states: Sequence[str] = (),
    languages: Sequence[str] = (),
    size: Size = Size.TYPICAL,
    septets_max: int = screen_septets_max,
) -> Iterator[Shown]:
    """Of all states that show a screen, or of these; in the languages of the pack, or these."""
    camera = _Camera(program, actions, size, septets_max)
    for state in states or program.states:
        for language in languages or program.languages:
            yield from camera.take(state, language)


def notices(
    program: Program,
    *,
    languages: Sequence[str] = (),
    size: Size = Size.TYPICAL,
    septets_max: int = screen_septets_max,
) -> Iterator[Shown]:
    """What the engine itself has to say."""
    for name in Notices.__dataclass_fields__:
        text = getattr(program.notices, name)
        kinds = NOTICE_NAMES.get(name, {})
        values = {
            each: samples.value(each, kind, size, program.money_max)
            for each, kind in kinds.items()
        }
        for language in languages or program.languages:
            shown = render(text, language, values)
            septets = cost(shown, wide=language in text.wide)
            yield Shown(name, language, shown, septets, septets_max, 1, 1, ends=False)


class _Camera:
    def __init__(
        self, program: Program, actions: Mapping[str, Action], size: Size, septets_max: int
    ) -> None:
        self._program = program
        self._actions = actions
        self._size = size
        self._septets_max = septets_max
        self._values = samples.every_name(program, size)

    def take(self, name: str, language: str) -> Iterator[Shown]:
        """Nothing of a state that shows no screen."""
        state = self._program.states[name]
        if isinstance(state, Call | Decide):
            return
        session, screen = self._screen(name, language)
        text = screen.text
        if self._size is Size.WORST:
            text = max(
                (text, *self._under_reasons(session, text)),
                key=lambda each: self._septets(each, language),
            )
        pages = [text]
        if isinstance(state, Menu | List):
            pages += self._more(session)
        for number, text in enumerate(pages, start=1):
            yield Shown(
                name,
                language,
                text,
                self._septets(text, language),
                self._septets_max,
                number,
                len(pages),
                ends=screen.ends,
            )

    def _screen(self, name: str, language: str) -> tuple[Session, Screen]:
        values = {**self._values, "me.language": language}
        here = Session(name, language, values, (), 0)
        return self._settled(self._step(here, Jump(name, values)))

    def _settled(self, step: Step) -> tuple[Session, Screen]:
        """A list is given rows, more than one where it would choose the only one itself."""
        session, shown = step
        if isinstance(shown, Screen):
            return session, shown
        action = self._actions[shown.action]
        rows = samples.rows(action, self._size, self._program.money_max)
        session, shown = self._step(session, Answered(Answer(OK, {}, rows)))
        assert isinstance(shown, Screen), f"{session.state} shows its rows"
        return session, shown

    def _more(self, session: Session) -> Iterator[str]:
        """The pages behind the first. Ends: each is further on than the last."""
        more = Typed(self._program.nav.more)
        while True:
            turned, shown = self._step(session, more)
            if not isinstance(shown, Screen) or turned.page <= session.page:
                return
            yield shown.text
            session = turned

    def _under_reasons(self, session: Session, shown: str) -> Iterator[str]:
        """The same screen under each reason that there can be."""
        state, notices = self._program.states[session.state], self._program.notices
        given = session.values
        match state:
            case Menu() | List():
                reasons = [notices.bad_choice]
            case Input():
                reasons = [state.bad, *(check.say for check in state.checks)]
            case Secret():
                targets = state.act.outcomes.values()
                again = [target.note for target in targets if isinstance(target, Again)]
                reasons = [state.bad, *again]
                given = {**given, **self._given(state)}
            case _:
                reasons = []
        for reason in reasons:
            yield f"{render(reason, session.language, given)}\n{shown}"

    def _given(self, state: Secret) -> dict[str, Scalar]:
        gives, money_max = self._actions[state.act.action].gives, self._program.money_max
        return {
            f"result.{name}": samples.value(name, kind, self._size, money_max)
            for name, kind in gives.items()
        }

    def _step(self, session: Session, event: Event) -> Step:
        return engine.step(self._program, session, event, self._septets_max)

    def _septets(self, text: str, language: str) -> int:
        return cost(text, wide=language in self._program.notices.back.wide)
