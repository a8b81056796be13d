"""E11: every screen at its worst, in every language, within what the narrowest route shows.

A menu or a list that is too long for one screen is shown in pages: of these, each has to have
room for one option, the keys that turn pages, and a reason.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Route
from ussd_gateway.ussd.lint.ways import Ways, closure, passing
from ussd_gateway.ussd.menu import (
    Again,
    Call,
    Decide,
    End,
    Input,
    List,
    Menu,
    Notices,
    Program,
    Secret,
    State,
    Text,
)
from ussd_gateway.ussd.pages import reason_septets
from ussd_gateway.ussd.render import screen_septets_max, septets_at_worst

# A screen: its name, the text to blame, and what it costs.
Cost = tuple[str, Text, int]


def check(program: Program, ways: Ways, routes: Sequence[Route], faults: Faults) -> None:
    narrowest = min(routes, key=lambda route: route.septets_max, default=None)
    most = screen_septets_max
    on = ""
    if narrowest is not None and narrowest.septets_max < most:
        most, on = narrowest.septets_max, f" on {narrowest.name}"
    moved_to = closure(
        {program.entry, *program.moves.values()}, passing(ways), through_secrets=False
    )
    for language in program.languages:
        for name, text, septets in _Costs(program, language, moved_to).all():
            if septets > most:
                found = f"{name} in {language}: {septets} septets at worst"
                advice = f"at most {most}{on}; shorten it"
                faults.add("E11", text.line_in(language), found, advice)


@dataclass(frozen=True, slots=True)
class _Costs:
    """In one language. `moved_to` are the states that a session of a version before can come
    to by itself, under a notice that says so."""

    program: Program
    language: str
    moved_to: Collection[str]

    def all(self) -> Iterator[Cost]:
        notices = self.program.notices
        for name in Notices.__dataclass_fields__:
            text: Text = getattr(notices, name)
            yield f"notice {name}", text, self._cost(text)
        asked_again = self._under([notices.bad_choice], notices.resume)
        yield "notice resume under bad_choice", notices.resume, asked_again
        stopped = self._under([notices.menu_changed], notices.not_now)
        yield "notice not_now under menu_changed", notices.not_now, stopped
        for name, state in self.program.states.items():
            yield from self._of(name, state)

    def _of(self, name: str, state: State) -> Iterator[Cost]:
        notices = self.program.notices
        moved = [notices.menu_changed] if name in self.moved_to else []
        match state:
            case Menu():
                labels = [(key, option.text) for key, option in state.options.items()]
                page = self._page(state.text, labels)
                yield name, state.text, min(state.septets[self.language], page)
            case List():
                labels = [(str(state.rows_max), state.row)]
                yield name, state.text, self._page(state.text, labels)
            case Input():
                reasons = [state.bad, *(each.say for each in state.checks), *moved]
                yield name, state.text, self._under(reasons, state.text)
            case Secret():
                again = [
                    target.note
                    for target in state.act.outcomes.values()
                    if isinstance(target, Again)
                ]
                yield name, state.text, self._under([state.bad, *again, *moved], state.text)
                for note in again:
                    told = self._under([note], notices.dial_again)
                    yield f"{name} told again", note, told
            case End():
                yield name, state.text, self._under(moved, state.text)
            case Call() | Decide():
                pass

    def _under(self, above: Sequence[Text], text: Text) -> int:
        """A text under the longest that can stand above it."""
        wide = self.language in text.wide
        longest = max((self._cost(each) + 1 + wide for each in above), default=0)
        return longest + self._cost(text)

    def _page(self, text: Text, labels: Sequence[tuple[str, Text]]) -> int:
        """A page that has its longest option only, with everything around it."""
        nav, notices = self.program.nav, self.program.notices
        around = ((nav.more, notices.more), (nav.prev, notices.prev), (nav.back, notices.back))
        wide = self.language in text.wide

        def line(key: str, label: Text) -> int:
            return self._cost(label) + len(f"\n{key}. ") * (1 + wide)

        return (
            reason_septets(notices, self.language)
            + self._cost(text)
            + max((line(key, label) for key, label in labels), default=0)
            + sum(line(key, label) for key, label in around)
        )

    def _cost(self, text: Text) -> int:
        return septets_at_worst(text, self.language)
