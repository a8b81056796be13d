"""Follows the paths through a program: what is reached, what is set there, how long it becomes.

Run on a program whose names, types and targets are right already.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import UNKNOWN, Action, Effect
from ussd_gateway.ussd.menu import (
    ME,
    Act,
    Again,
    Call,
    Capture,
    Decide,
    End,
    Guard,
    Input,
    Menu,
    Notices,
    Program,
    Secret,
    State,
    Text,
)
from ussd_gateway.ussd.render import screen_septets_max, septets_at_worst

_OK = "ok"


@dataclass(frozen=True, slots=True)
class _Edge:
    """A way from one state to the next: the names it sets; `result.*` where `settles`. What an
    outcome other than ok gives may be less than its action promises: that is not `sure`."""

    target: str
    sets: frozenset[str] = frozenset()
    sure: bool = True
    settles: bool = False
    past_secret: bool = False


def check(program: Program, actions: Mapping[str, Action], faults: Faults) -> None:
    edges = {name: _edges(state, actions) for name, state in program.states.items()}
    _check_reach(program, edges, faults)
    _check_ends(program, edges, faults)
    _check_cycles(program, edges, faults)
    starts = _check_shortcuts(program, edges, faults)
    _check_set(program, starts, edges, actions, faults)
    _check_truths(program, faults)
    _check_screens(program, faults)


def _edges(state: State, actions: Mapping[str, Action]) -> tuple[_Edge, ...]:
    match state:
        case Menu():
            return tuple(_Edge(option.go) for option in state.options.values())
        case Input():
            return (_Edge(state.go, frozenset({state.into})),)
        case Decide():
            return tuple(_Edge(rule.go) for rule in state.rules)
        case Secret() | Call():
            return tuple(_outcome_edges(state, actions))
        case End():
            return ()


def _outcome_edges(state: Secret | Call, actions: Mapping[str, Action]) -> Iterator[_Edge]:
    results = _result_names(state.act, actions)
    for outcome, target in state.act.outcomes.items():
        if isinstance(target, Again):
            continue
        secret = isinstance(state, Secret)
        settles = secret or not state.saves
        sets = results if settles else frozenset()
        ok = outcome == _OK
        if ok:
            sets |= {taken.name for taken in state.saves}
        yield _Edge(target, sets, sure=ok, settles=settles, past_secret=secret)


def _result_names(act: Act, actions: Mapping[str, Action]) -> frozenset[str]:
    return frozenset(f"result.{name}" for name in actions[act.action].gives)


def _check_reach(
    program: Program, edges: Mapping[str, tuple[_Edge, ...]], faults: Faults
) -> None:
    begun = {program.entry} | {shortcut.go for shortcut in program.shortcuts}
    reached = _closure(begun, edges, through_secrets=True)
    for name, state in program.states.items():
        if name not in reached:
            faults.add("W05", state.line, name, "nothing leads here; remove it or link it")


def _closure(
    begun: set[str], edges: Mapping[str, tuple[_Edge, ...]], *, through_secrets: bool
) -> set[str]:
    reached: set[str] = set()
    while begun:  # ends: each state is taken once
        name = begun.pop()
        reached.add(name)
        for edge in edges[name]:
            if edge.target not in reached and (through_secrets or not edge.past_secret):
                begun.add(edge.target)
    return reached


def _check_ends(
    program: Program, edges: Mapping[str, tuple[_Edge, ...]], faults: Faults
) -> None:
    ending = {name for name, state in program.states.items() if isinstance(state, End)}
    for _ in program.states:
        ending |= {
            name
            for name in program.states
            if any(edge.target in ending for edge in edges[name])
        }
    for name in sorted(program.states.keys() - ending):
        line = program.states[name].line
        faults.add("E06", line, name, "no path leads from here to an `end`")


def _check_cycles(
    program: Program, edges: Mapping[str, tuple[_Edge, ...]], faults: Faults
) -> None:
    """E07: states that pass on without a screen must come to one."""
    passing = {
        name for name, state in program.states.items() if isinstance(state, Call | Decide)
    }
    for _ in program.states:
        passing = {
            name for name in passing if any(edge.target in passing for edge in edges[name])
        }
    for name in sorted(passing):
        if name in _beyond(name, passing, edges):
            line = program.states[name].line
            faults.add("E07", line, name, "this comes round to itself and shows no screen")


def _beyond(name: str, passing: set[str], edges: Mapping[str, tuple[_Edge, ...]]) -> set[str]:
    within = {each: tuple(e for e in edges[each] if e.target in passing) for each in passing}
    return _closure({edge.target for edge in within[name]}, within, through_secrets=True)


def _check_shortcuts(
    program: Program, edges: Mapping[str, tuple[_Edge, ...]], faults: Faults
) -> dict[str, frozenset[str]]:
    """E21: a dialled string lands at most before a secret, never on what comes of one.

    Gives the states that a session can begin in, each with what is set there for certain.
    """
    before = _closure({program.entry}, edges, through_secrets=False)
    starts = {program.entry: frozenset(ME)}
    for shortcut in program.shortcuts:
        if shortcut.go not in before:
            advice = "a shortcut leads to a state that is reached before any secret"
            faults.add("E21", shortcut.line, shortcut.go, advice)
            continue
        captured = {token.name for token in shortcut.tokens if isinstance(token, Capture)}
        known = frozenset(ME) | captured
        starts[shortcut.go] = starts.get(shortcut.go, known) & known
    return starts


def _check_set(
    program: Program,
    starts: dict[str, frozenset[str]],
    edges: Mapping[str, tuple[_Edge, ...]],
    actions: Mapping[str, Action],
    faults: Faults,
) -> None:
    """E10: a name is used only where every path has set it: an argument for sure, while a text
    shows a hole for what an answer left out."""
    known = _set_at(starts, edges)
    sure = _set_at(starts, {name: _sure(edges[name]) for name in edges})
    for name, state in program.states.items():
        if name not in known:
            continue
        for line, names in _uses(state, actions, known[name], sure[name]):
            for missing in sorted(names):
                advice = f"some path to {name} has not set it"
                faults.add("E10", line, missing, advice)
    for shortcut in program.shortcuts:
        unset = (shortcut.when.names if shortcut.when else frozenset()) - frozenset(ME)
        for missing in sorted(unset):
            faults.add("E10", shortcut.line, missing, "a shortcut's guard knows me.* only")


def _sure(edges: tuple[_Edge, ...]) -> tuple[_Edge, ...]:
    return tuple(edge if edge.sure else replace(edge, sets=frozenset()) for edge in edges)


def _set_at(
    starts: dict[str, frozenset[str]], edges: Mapping[str, tuple[_Edge, ...]]
) -> dict[str, frozenset[str]]:
    """The names set on entry to each state on every path (the greatest fixed point)."""
    known = dict(starts)
    ahead = list(known)
    while ahead:  # ends: a state comes back only with fewer names than before
        name = ahead.pop()
        for edge in edges[name]:
            after = known[name]
            if edge.settles:
                after = _unsettled(after)
            after |= edge.sets
            before = known.get(edge.target)
            met = after if before is None else before & after
            if met != before:
                known[edge.target] = met
                ahead.append(edge.target)
    return known


def _unsettled(known: frozenset[str]) -> frozenset[str]:
    """Without `result.*`: the next answer settles it anew."""
    return frozenset(each for each in known if not each.startswith("result."))


def _uses(
    state: State,
    actions: Mapping[str, Action],
    known: frozenset[str],
    sure: frozenset[str],
) -> Iterator[tuple[int, frozenset[str]]]:
    """The line and the names of each use of a name that is not known there."""
    match state:
        case Menu():
            for guard, text in state.blocks:
                yield from _unset(known, guard, text)
        case Input():
            yield from _unset(known, state.text)
            for checked in state.checks:
                yield from _unset(known | {state.into}, checked.unless, checked.say)
        case Secret():
            yield from _unset(known, state.text)
            yield state.act.line, frozenset(name for _, name in state.act.args) - sure
            results = _result_names(state.act, actions)
            for target in state.act.outcomes.values():
                if isinstance(target, Again):
                    yield from _unset(_unsettled(known) | results, target.note)
        case Call():
            yield state.act.line, frozenset(name for _, name in state.act.args) - sure
        case Decide():
            for rule in state.rules:
                yield from _unset(known, rule.when)
        case End():
            yield from _unset(known, state.text)


def _unset(
    known: frozenset[str], *users: Guard | Text | None
) -> Iterator[tuple[int, frozenset[str]]]:
    for user in users:
        if user is not None:
            yield user.line, user.names - known


def _check_truths(program: Program, faults: Faults) -> None:
    """What comes of a secret must be tellable from the books alone: a session may be lost.

    So it is with every END that a secret leads to, and every rule on the way there. A screen is
    never told: of a lost session, one that moved no money may be begun again.
    """
    for name, state in program.states.items():
        if not isinstance(state, Secret):
            continue
        for outcome, target in state.act.outcomes.items():
            if isinstance(target, Again):
                _check_tellable(outcome, target.note, faults)
            else:
                ends = {_OK, UNKNOWN} if state.act.effect is Effect.MONEY else {UNKNOWN}
                _check_told(name, outcome, target, program, faults, must_end=outcome in ends)


def _check_told(
    name: str, outcome: str, target: str, program: Program, faults: Faults, *, must_end: bool
) -> None:
    passed: set[str] = set()
    ahead = [target]
    while ahead:  # ends: each state is taken once
        state_name = ahead.pop()
        if state_name in passed:
            continue
        passed.add(state_name)
        match program.states[state_name]:
            case End(text=text):
                _check_tellable(outcome, text, faults)
            case Decide(rules=rules):
                for rule in rules:
                    ahead.append(rule.go)
                    if rule.when is not None:
                        _check_tellable(outcome, rule.when, faults)
            case state if must_end:
                advice = f"{outcome} of {name} must end the session here"
                faults.add("E18", state.line, state_name, advice)
            case _:
                pass


def _check_tellable(outcome: str, user: Text | Guard, faults: Faults) -> None:
    for name in sorted(user.names):
        if not name.startswith("result."):
            advice = f"after a secret ({outcome}) use result.* only: the session may be lost"
            faults.add("E10", user.line, name, advice)


def _check_screens(program: Program, faults: Faults) -> None:
    """E11: every screen, with the longest reason above it, within the budget at its worst."""
    notices = program.notices
    for name in Notices.__dataclass_fields__:
        _check_screen(program, f"notice {name}", [getattr(notices, name)], (), faults)
    for name, state in program.states.items():
        match state:
            case Menu():
                texts = [text for _, text in state.blocks]
                _check_screen(program, name, texts, (notices.bad_choice,), faults)
            case Input():
                reasons = (state.bad, *(each.say for each in state.checks))
                _check_screen(program, name, [state.text], reasons, faults)
            case Secret():
                again = [
                    target.note
                    for target in state.act.outcomes.values()
                    if isinstance(target, Again)
                ]
                reasons = (state.bad, *again)
                _check_screen(program, name, [state.text], reasons, faults)
                for note in again:
                    told = [note, notices.dial_again]
                    _check_screen(program, f"{name} told again", told, (), faults, between=1)
            case End():
                _check_screen(program, name, [state.text], (), faults)
            case Call() | Decide():
                pass


def _check_screen(
    program: Program,
    name: str,
    texts: list[Text],
    reasons: tuple[Text, ...],
    faults: Faults,
    *,
    between: int = 0,
) -> None:
    """`texts` follow each other, `between` septets apart; one of `reasons` may stand above."""
    for language in program.languages:
        cost = sum(septets_at_worst(text, language) for text in texts)
        cost += between * (len(texts) - 1)
        cost += max((septets_at_worst(each, language) + 1 for each in reasons), default=0)
        if cost > screen_septets_max:
            found = f"{name} in {language}: {cost} septets at worst"
            faults.add("E11", texts[0].line, found, f"at most {screen_septets_max}; shorten it")
