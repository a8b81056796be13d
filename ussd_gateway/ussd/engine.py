"""The conversation itself: a pure step from a session and an event to a session and a screen.

    menu, input --Typed--> ... --> a screen, or END
                            |
                            +--> call:   Wanted --Answered--> ...
    secret -------Typed---------------> Wanted --Answered--> ... or the secret again

Nothing here does input or output, knows the time, or runs an action: a step that needs an
answer says what it wants, and whoever runs it comes back with Answered. The same function
serves phones, tests and explorers.
"""

from typing import assert_never

from ussd_gateway.ports import Answer, Profile, Scalar, Secret, Settled
from ussd_gateway.ussd import menu, typed
from ussd_gateway.ussd.events import (
    Answered,
    Event,
    Jump,
    Mark,
    New,
    Screen,
    Session,
    Step,
    Typed,
    Wanted,
)
from ussd_gateway.ussd.menu import Again, Program, Taken, Text
from ussd_gateway.ussd.render import fitted, render

# The most screens to go back over.
back_max = 12

_OK = "ok"


def begin(program: Program, profile: Profile) -> Session:
    """The session of a phone that has just dialled. Its first event is New."""
    language = program.language(profile.language)
    values: dict[str, Scalar] = {
        "me.msisdn": profile.msisdn,
        "me.registered": profile.registered,
        "me.name": fitted(profile.name, menu.ME["me.name"].length),
        "me.language": language,
        "me.can_send": profile.can_send,
        "me.till": profile.till,
    }
    return Session(program.entry, language, values, (), 0)


def step(program: Program, session: Session, event: Event) -> Step:
    match event:
        case Typed(text=text):
            return _hear(program, session, text.strip())
        case Answered(answer=answer):
            return _settle(program, session, answer)
        case New():
            return _enter(program, session, program.entry, session.values, ())
        case Jump(state=state, values=values):
            return _enter(program, session, state, {**session.values, **values}, ())
        case _:
            assert_never(event)


def asks_secret(program: Program, session: Session) -> bool:
    """Whether what the phone sends next must be kept nowhere."""
    return isinstance(program.states[session.state], menu.Secret)


def tell(program: Program, settled: Settled, language: str | None) -> Screen:
    """The END that the books' answer leads to, when the session that asked is lost."""
    language = program.language(language)
    state = program.states.get(settled.state)
    target = (
        state.act.outcomes.get(settled.answer.outcome)
        if isinstance(state, menu.Secret | menu.Call)
        else None
    )
    # The pack has changed since: what the answer meant is not known here.
    if not isinstance(state, menu.Secret | menu.Call) or target is None:
        return Screen(render(program.notices.checking, language, {}), ends=True)

    values = _results(state.takes, settled.answer)
    again = render(program.notices.dial_again, language, {})
    if isinstance(target, Again):
        return Screen(f"{render(target.note, language, values)}\n{again}", ends=True)
    end = _told(program, target, values, frozenset(taken.name for taken in state.takes))
    # What leads on into the menu, or is told by what the session knew, moved nothing (lint,
    # E18): there is no session to go on, and a new one may begin.
    return Screen(render(end.text, language, values) if end else again, ends=True)


def _told(
    program: Program, name: str, values: menu.Vars, promised: frozenset[str]
) -> menu.End | None:
    """The END that `name` is or decides for, if what the answer promised is all it takes."""
    for _ in program.states:
        match program.states[name]:
            case menu.End(text=text) as end:
                return end if text.names <= promised else None
            case menu.Decide(rules=rules) as state:
                if not all(rule.when.names <= promised for rule in rules if rule.when):
                    return None
                name = _decided(state, values)
            case _:
                return None
    raise AssertionError(f"{name} decides in a circle")


def _hear(program: Program, session: Session, text: str) -> Step:
    state = program.states[session.state]
    match state:
        case menu.Menu() | menu.Input() | menu.Secret():
            if state.nav and text == program.nav.home:
                return _home(program, session)
            if state.nav and text == program.nav.back and not _at_root(session, state):
                return _back(program, session)
        case menu.Call() | menu.Decide() | menu.End():
            raise AssertionError(f"{session.state} shows no screen to answer")

    match state:
        case menu.Menu():
            return _choose(program, session, state, text)
        case menu.Input():
            return _take(program, session, state, text)
        case menu.Secret():
            return _ask(program, session, state, text)


def _at_root(session: Session, state: menu.State) -> bool:
    return isinstance(state, menu.Menu) and state.root and not session.back


def _home(program: Program, session: Session) -> Step:
    values = {name: value for name, value in session.values.items() if name in menu.ME}
    return _enter(program, session, program.entry, values, ())


def _back(program: Program, session: Session) -> Step:
    """The screen before, with the vars it had; home where there is none."""
    if not session.back:
        return _home(program, session)

    mark = session.back[-1]
    values = _changed(session.values, mark.undo)
    before = Session(mark.state, session.language, values, session.back[:-1], 0)
    return before, Screen(_shown(program, before))


def _choose(program: Program, session: Session, state: menu.Menu, text: str) -> Step:
    option = state.options.get(text)
    if option is None or (option.when and not option.when.holds(session.values)):
        return _reject(program, session, program.notices.bad_choice)

    back = _marked(session.back, Mark(session.state, {}))
    if option.speaks is None:
        return _enter(program, session, option.go, session.values, back)
    values = {**session.values, "me.language": option.speaks}
    speaking = Session(session.state, option.speaks, values, back, 0)
    return _enter(program, speaking, option.go, values, back)


def _take(program: Program, session: Session, state: menu.Input, text: str) -> Step:
    value = state.parse(text)
    if value is None:
        return _reject(program, session, state.bad, retries=state.retries)
    values = {**session.values, state.into: value}
    for check in state.checks:
        if not check.unless.holds(values):
            return _reject(program, session, check.say, values, retries=state.retries)

    mark = Mark(session.state, {state.into: session.values.get(state.into)})
    return _enter(program, session, state.go, values, _marked(session.back, mark))


def _ask(program: Program, session: Session, state: menu.Secret, text: str) -> Step:
    if not typed.is_digits(text, least=state.digits_min, most=state.digits_max):
        return _reject(program, session, state.bad)

    return session, _wanted(session.state, state.act, session.values, Secret(text))


def _settle(program: Program, session: Session, answer: Answer) -> Step:
    state = program.states[session.state]
    assert isinstance(state, menu.Secret | menu.Call), f"{session.state} wanted no answer"
    target = state.act.outcomes[answer.outcome]
    if isinstance(target, Again):
        assert isinstance(state, menu.Secret), "only a secret is asked again"
        values = _changed(session.values, _settled(session, state.takes, answer))
        return _reject(program, session, target.note, values)

    updates: dict[str, Scalar | None] = {}
    if isinstance(state, menu.Secret) or not state.saves:
        updates |= _settled(session, state.takes, answer)
    if answer.outcome == _OK:
        updates |= _results(state.saves, answer)
    values = _changed(session.values, updates)
    # What was answered to a secret is done: there is no way back across it.
    back = () if isinstance(state, menu.Secret) else _undoing(session, updates)
    return _enter(program, session, target, values, back)


def _enter(
    program: Program,
    session: Session,
    name: str,
    values: dict[str, Scalar],
    back: tuple[Mark, ...],
) -> Step:
    """Goes to the state `name`, and on through those that only decide."""
    name = _beyond_decides(program, name, values)
    there = Session(name, session.language, values, back, 0)
    state = program.states[name]
    match state:
        case menu.Menu() | menu.Input() | menu.Secret():
            return there, Screen(_shown(program, there))
        case menu.Call():
            return there, _wanted(name, state.act, values, None)
        case menu.End():
            return there, Screen(render(state.text, session.language, values), ends=True)
        case menu.Decide():
            raise AssertionError(f"{name} decides nothing")
        case _:
            assert_never(state)


def _beyond_decides(program: Program, name: str, values: menu.Vars) -> str:
    # Each state once at most: deciding in a circle was refused when the pack was read (E07).
    for _ in program.states:
        state = program.states[name]
        if not isinstance(state, menu.Decide):
            return name
        name = _decided(state, values)
    raise AssertionError(f"{name} decides in a circle")


def _decided(state: menu.Decide, values: menu.Vars) -> str:
    return next(rule.go for rule in state.rules if rule.when is None or rule.when.holds(values))


def _shown(program: Program, session: Session) -> str:
    state = program.states[session.state]
    match state:
        case menu.Menu():
            return "".join(
                render(text, session.language, session.values)
                for guard, text in state.blocks
                if guard is None or guard.holds(session.values)
            )
        case menu.Input() | menu.Secret():
            return render(state.text, session.language, session.values)
        case _:
            raise AssertionError(f"{session.state} shows no screen")


def _reject(
    program: Program,
    session: Session,
    reason: Text,
    known: menu.Vars | None = None,
    *,
    retries: int | None = None,
) -> Step:
    """The same screen, under the reason why; or the END, where `retries` are used up."""
    if retries is not None and session.tries >= retries:
        text = render(program.notices.too_many_tries, session.language, {})
        return session, Screen(text, ends=True, rejected=True)

    tried = Session(
        session.state, session.language, session.values, session.back, session.tries + 1
    )
    why = render(reason, session.language, known or {})
    return tried, Screen(f"{why}\n{_shown(program, session)}", rejected=True)


def _wanted(name: str, act: menu.Act, values: menu.Vars, secret: Secret | None) -> Wanted:
    args = {**act.fixed, **{parameter: values[ours] for parameter, ours in act.args}}
    return Wanted(act.action, name, args, secret, act.within_s)


def _settled(
    session: Session, takes: tuple[Taken, ...], answer: Answer
) -> dict[str, Scalar | None]:
    """`result.*` anew: what it was before is unset."""
    before = {name: None for name in session.values if name.startswith("result.")}
    return {**before, **_results(takes, answer)}


def _results(takes: tuple[Taken, ...], answer: Answer) -> dict[str, Scalar]:
    given = answer.values
    return {each.name: each.fit(given[each.given]) for each in takes if each.given in given}


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
