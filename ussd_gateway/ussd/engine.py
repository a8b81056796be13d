"""The conversation itself: a pure step from a session and an event to a session and a screen.

    menu, input, list --Typed--> ... --> a screen, or END
                                  |
                                  +--> call, list: Wanted --Answered--> ...
    secret -------------Typed---------------------> Wanted --Answered--> ... or the secret again

    any of them, lost --Redialled--> Continue or start again? --Typed--> the same screen, fresh

Nothing here does input or output, knows the time, or runs an action: a step that needs an
answer says what it wants, and whoever runs it comes back with Answered. The same function
serves phones, tests and explorers.
"""

from typing import assert_never

from msgspec.structs import replace

from ussd_gateway.ports import Answer, Profile, Scalar, Secret
from ussd_gateway.ussd import menu, pages, typed
from ussd_gateway.ussd.events import (
    Answered,
    Event,
    Jump,
    Kept,
    Mark,
    New,
    Redialled,
    Screen,
    Session,
    Step,
    Typed,
    Wanted,
)
from ussd_gateway.ussd.menu import EMPTY, Again, Program, Taken, Text
from ussd_gateway.ussd.render import fitted, render

# The most screens to go back over.
back_max = 12

# The keys by which a lost session is gone on with, or not.
CONTINUE = "1"
START_AGAIN = "2"

_OK = "ok"


def begin(program: Program, profile: Profile) -> Session:
    """The session of a phone that has just dialled. Its first event is New."""
    language = program.language(profile.language)
    values = about(profile) | {"me.language": language}
    return Session(program.entry, language, values, (), 0)


def about(profile: Profile) -> dict[str, Scalar]:
    """me.*, but for the language that the session speaks."""
    return {
        "me.msisdn": profile.msisdn,
        "me.registered": profile.registered,
        "me.name": fitted(profile.name, menu.ME["me.name"].length),
        "me.can_send": profile.can_send,
        "me.till": profile.till,
    }


def step(program: Program, session: Session, event: Event, septets_max: int) -> Step:
    """`septets_max` of a screen on the route that the phone comes by."""
    return _Step(program, septets_max).of(session, event)


def asks_secret(program: Program, session: Session) -> bool:
    """Whether what the phone sends next must be kept nowhere."""
    return not session.paused and isinstance(program.states[session.state], menu.Secret)


def can_resume(program: Program, session: Session) -> bool:
    """Whether there is anything to go on with: a session that chose nothing begins anew."""
    state = program.states[session.state]
    return not (isinstance(state, menu.Menu) and state.root)


def decides(session: Session, text: str) -> bool:
    """Whether this answers the question that Redialled asks, either way."""
    return session.paused and text.strip() in (CONTINUE, START_AGAIN)


def starts_again(session: Session, text: str) -> bool:
    """Whether this answers the question that Redialled asks by a new session."""
    return session.paused and text.strip() == START_AGAIN


def moved(program: Program, session: Session, old: Program | None, septets_max: int) -> Step:
    """A session of a version that is no more, at what its successor has in the place of its
    state; or at the entry. What was typed last is not heard: it answered another screen.

    `old`: None where nothing is known of the version that it began in.
    """
    name, values = _mapped(program, session, old) or (program.entry, _only_me(session))
    language = program.language(session.language)
    here = Session(name, language, values | {"me.language": language}, (), 0)
    return _Step(program, septets_max).enter(here, name, here.values, ())


def _mapped(
    program: Program, session: Session, old: Program | None
) -> tuple[str, dict[str, Scalar]] | None:
    """The state that takes the place of the session's, and what it may know there; None where
    nothing does, or something that it needs is of another type now."""
    target = program.moves.get(session.state)
    if target is None or old is None or session.paused:
        return None
    alike = {
        name: value
        for name, value in session.values.items()
        if name in program.names and program.names[name] == old.names.get(name)
    }
    return (target, alike) if program.needs[target] <= alike.keys() else None


def _only_me(session: Session) -> dict[str, Scalar]:
    return {name: value for name, value in session.values.items() if name in menu.ME}


class _Step:
    """One step of a program on a screen of `septets_max`."""

    __slots__ = ("_program", "_septets_max")

    def __init__(self, program: Program, septets_max: int) -> None:
        self._program = program
        self._septets_max = septets_max

    def of(self, session: Session, event: Event) -> Step:
        match event:
            case Typed(text=text):
                return self._hear(session, text.strip())
            case Answered(answer=answer):
                return self._settle(session, answer)
            case New():
                return self.enter(session, self._program.entry, session.values, ())
            case Jump(state=state, values=values):
                return self.enter(session, state, {**session.values, **values}, ())
            case Redialled(values=values):
                lost = replace(session, values={**session.values, **values}, paused=True)
                return lost, Screen(render(self._program.notices.resume, lost.language, {}))
            case _:
                assert_never(event)

    # --- what the phone sent

    def _hear(self, session: Session, text: str) -> Step:
        program = self._program
        if session.paused:
            return self._go_on(session, text)
        state = program.states[session.state]
        match state:
            case menu.Menu() | menu.Input() | menu.Secret() | menu.List():
                if state.nav and text == program.nav.home:
                    return self._home(session)
                if state.nav and text == program.nav.back and not _at_root(session, state):
                    return self._back(session)
            case menu.Call() | menu.Decide() | menu.End():
                raise AssertionError(f"{session.state} shows no screen to answer")

        match state:
            case menu.Menu():
                return self._choose(session, state, text)
            case menu.List():
                return self._pick(session, state, text)
            case menu.Input():
                return self._take(session, state, text)
            case menu.Secret():
                return self._ask(session, state, text)

    def _go_on(self, session: Session, text: str) -> Step:
        """The screen that was lost: never a list or a quote that is not fresh."""
        if text != CONTINUE:
            reason = render(self._program.notices.bad_choice, session.language, {})
            asks = render(self._program.notices.resume, session.language, {})
            return session, Screen(f"{reason}\n{asks}", rejected=True)

        here = replace(session, paused=False, tries=0)
        state = self._program.states[here.state]
        if isinstance(state, menu.Secret) and here.quoted:
            return self.enter(here, here.quoted, here.values, here.back)
        return self._again(here)

    def _home(self, session: Session) -> Step:
        return self.enter(session, self._program.entry, _only_me(session), ())

    def _back(self, session: Session) -> Step:
        """The screen before, with the vars it had; home where there is none."""
        if not session.back:
            return self._home(session)

        mark = session.back[-1]
        values = _changed(session.values, mark.undo)
        before = Session(
            mark.state, session.language, values, session.back[:-1], 0, page=mark.page
        )
        return self._again(before)

    def _again(self, session: Session) -> Step:
        """The screen of a session that was there before."""
        state = self._program.states[session.state]
        if isinstance(state, menu.List):
            return session, _wanted(session.state, state.act, session.values, None)
        return self._screen(session)

    def _screen(self, session: Session) -> Step:
        """The screen of a session that has come there, at the page that it names."""
        state = self._program.states[session.state]
        if not isinstance(state, menu.Menu | menu.List) or not self._is_paged(session, state):
            return session, Screen(self._shown(session))

        # Where its page begins may not be known yet: then the ones before it are gone through.
        known = session.pages or (0,)
        here = replace(session, page=min(session.page, len(known) - 1), pages=known)
        while True:
            text, then = pages.shown(self._program, here, state, self._septets_max)
            if then is None:
                return here, Screen(text)
            here = replace(here, pages=(*here.pages[: here.page + 1], then))
            if here.page == session.page:
                return here, Screen(text)
            here = replace(here, page=here.page + 1)

    def _is_paged(self, session: Session, state: menu.Menu | menu.List) -> bool:
        if isinstance(state, menu.List):
            return True
        return state.septets[session.language] > self._septets_max

    def _choose(self, session: Session, state: menu.Menu, text: str) -> Step:
        option = state.options.get(text)
        if option is None or (option.when and not option.when.holds(session.values)):
            return self._turn_page(session, text)

        back = _marked(session.back, Mark(session.state, {}, session.page))
        if option.speaks is None:
            return self.enter(session, option.go, session.values, back)
        values = {**session.values, "me.language": option.speaks}
        speaking = Session(session.state, option.speaks, values, back, 0)
        return self.enter(speaking, option.go, values, back)

    def _pick(self, session: Session, state: menu.List, text: str) -> Step:
        # A number as it was printed: of one to two digits, and no zero before it.
        number = int(text) if typed.is_digits(text, least=1, most=2) else 0
        if not (0 < number <= len(session.rows) and text == str(number)):
            return self._turn_page(session, text)

        chosen = _chosen(state, session.rows[number - 1])
        undo = {name: session.values.get(name) for name in chosen}
        back = _marked(session.back, Mark(session.state, undo, session.page))
        return self.enter(session, state.go, _changed(session.values, chosen), back)

    def _turn_page(self, session: Session, text: str) -> Step:
        """What is no option may turn the page."""
        nav = self._program.nav
        if text in (nav.more, nav.prev):
            there = session.page + 1 if text == nav.more else session.page - 1
            if 0 <= there < len(session.pages):
                return self._screen(replace(session, page=there, tries=0))
        return self._reject(session, self._program.notices.bad_choice)

    def _take(self, session: Session, state: menu.Input, text: str) -> Step:
        value = state.parse(text)
        if value is None:
            return self._reject(session, state.bad, retries=state.retries)
        values = {**session.values, state.into: value}
        for check in state.checks:
            if not check.unless.holds(values):
                return self._reject(session, check.say, values, retries=state.retries)

        mark = Mark(session.state, {state.into: session.values.get(state.into)})
        return self.enter(session, state.go, values, _marked(session.back, mark))

    def _ask(self, session: Session, state: menu.Secret, text: str) -> Step:
        if not typed.is_digits(text, least=state.digits_min, most=state.digits_max):
            return self._reject(session, state.bad)

        return session, _wanted(session.state, state.act, session.values, Secret(text))

    # --- what was answered to it

    def _settle(self, session: Session, answer: Answer) -> Step:
        state = self._program.states[session.state]
        assert isinstance(state, menu.Secret | menu.List | menu.Call), (
            f"{session.state} wanted no answer"
        )
        if isinstance(state, menu.List):
            return self._list(session, state, answer)
        target = state.act.outcomes[answer.outcome]
        if isinstance(target, Again):
            assert isinstance(state, menu.Secret), "only a secret is asked again"
            values = _changed(session.values, _settled(session, state.takes, answer))
            return self._reject(session, target.note, values)

        updates: dict[str, Scalar | None] = {}
        if isinstance(state, menu.Secret) or not state.saves:
            updates |= _settled(session, state.takes, answer)
        if answer.outcome == _OK:
            updates |= results(state.saves, answer)
        values = _changed(session.values, updates)
        # What was answered to a secret is done: there is no way back across it.
        if isinstance(state, menu.Secret):
            return self.enter(session, target, values, ())
        quoted = session.quoted or session.state
        return self.enter(session, target, values, _undoing(session, updates), quoted)

    def _list(self, session: Session, state: menu.List, answer: Answer) -> Step:
        if answer.outcome == _OK and answer.rows:
            rows = tuple(
                results(state.fields, Answer(_OK, row)) for row in answer.rows[: state.rows_max]
            )
            if state.chooses_one and len(rows) == 1:
                chosen = _chosen(state, rows[0])
                values = _changed(session.values, chosen)
                return self.enter(session, state.go, values, _undoing(session, chosen))
            return self._screen(replace(session, rows=rows, pages=()))
        target = state.act.outcomes[EMPTY if answer.outcome == _OK else answer.outcome]
        assert not isinstance(target, Again), "only a secret is asked again"
        return self.enter(session, target, session.values, session.back)

    # --- where it leads

    def enter(
        self,
        session: Session,
        name: str,
        values: dict[str, Scalar],
        back: tuple[Mark, ...],
        quoted: str = "",
    ) -> Step:
        """Goes to the state `name`, and on through those that only decide."""
        name = beyond_decides(self._program, name, values)
        there = Session(name, session.language, values, back, 0, quoted=quoted)
        state = self._program.states[name]
        match state:
            case menu.Menu() | menu.Input() | menu.Secret():
                return self._screen(there)
            case menu.Call() | menu.List():
                return there, _wanted(name, state.act, values, None)
            case menu.End():
                text = render(state.text, session.language, values)
                return there, Screen(text, ends=True)
            case menu.Decide():
                raise AssertionError(f"{name} decides nothing")
            case _:
                assert_never(state)

    def _shown(self, session: Session) -> str:
        program = self._program
        state = program.states[session.state]
        match state:
            case menu.Menu() if not session.pages:
                return "".join(
                    render(text, session.language, session.values)
                    for guard, text in state.blocks
                    if guard is None or guard.holds(session.values)
                )
            case menu.Menu() | menu.List():
                return pages.shown(program, session, state, self._septets_max)[0]
            case menu.Input() | menu.Secret():
                return render(state.text, session.language, session.values)
            case _:
                raise AssertionError(f"{session.state} shows no screen")

    def _reject(
        self,
        session: Session,
        reason: Text,
        known: menu.Vars | None = None,
        *,
        retries: int | None = None,
    ) -> Step:
        """The same screen, under the reason why; or the END, where `retries` are used up."""
        if retries is not None and session.tries >= retries:
            text = render(self._program.notices.too_many_tries, session.language, {})
            return session, Screen(text, ends=True, rejected=True)

        tried = replace(session, tries=session.tries + 1)
        why = render(reason, session.language, known or {})
        return tried, Screen(f"{why}\n{self._shown(session)}", rejected=True)


def beyond_decides(program: Program, name: str, values: menu.Vars) -> str:
    """`name`, or the state that it decides for."""
    # Each state once at most: deciding in a circle was refused when the pack was read (E07).
    for _ in program.states:
        state = program.states[name]
        if not isinstance(state, menu.Decide):
            return name
        rules = state.rules
        name = next(rule.go for rule in rules if rule.when is None or rule.when.holds(values))
    raise AssertionError(f"{name} decides in a circle")


def _at_root(session: Session, state: menu.State) -> bool:
    return isinstance(state, menu.Menu) and state.root and not session.back


def _wanted(name: str, act: menu.Act, values: menu.Vars, secret: Secret | None) -> Wanted:
    args = {**act.fixed, **{parameter: values[ours] for parameter, ours in act.args}}
    return Wanted(act.action, name, args, secret, act.within_s)


def _settled(
    session: Session, takes: tuple[Taken, ...], answer: Answer
) -> dict[str, Scalar | None]:
    """`result.*` anew: what it was before is unset."""
    before = {name: None for name in session.values if name.startswith("result.")}
    return {**before, **results(takes, answer)}


def results(takes: tuple[Taken, ...], answer: Answer) -> dict[str, Scalar]:
    """What an answer gives, made fit to show."""
    given = answer.values
    return {each.name: each.fit(given[each.given]) for each in takes if each.given in given}


def _chosen(state: menu.List, row: dict[str, Kept]) -> dict[str, Scalar | None]:
    """The record that a row of a list becomes."""
    return {
        f"{state.into}.{each.given}": row[each.name]
        for each in state.fields
        if each.name in row
    }


def _changed(values: dict[str, Scalar], updates: dict[str, Scalar | None]) -> dict[str, Scalar]:
    """`values` with `updates`, of which None unsets."""
    changed = dict(values)
    for name, value in updates.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed


def _marked(back: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    return (*back[-back_max + 1 :], mark)


def _undoing(session: Session, updates: dict[str, Scalar | None]) -> tuple[Mark, ...]:
    """The way back, its last mark now undoing `updates` too."""
    if not session.back or not updates:
        return session.back
    last = session.back[-1]
    undo = {name: session.values.get(name) for name in updates} | last.undo
    return (*session.back[:-1], Mark(last.state, undo))
