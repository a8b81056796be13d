"""E10: a name is used only where every path has set it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Action
from ussd_gateway.ussd.lint.texts import line_of
from ussd_gateway.ussd.lint.ways import Way, Ways, results, unsettled
from ussd_gateway.ussd.menu import (
    ME,
    Again,
    Call,
    Decide,
    End,
    Guard,
    Input,
    List,
    Menu,
    Program,
    Secret,
    State,
    Text,
)


def check(
    program: Program,
    starts: Mapping[str, frozenset[str]],
    ways: Ways,
    actions: Mapping[str, Action],
    faults: Faults,
) -> Mapping[str, frozenset[str]]:
    """Gives what is set on every path to each state: an argument has to be, for sure, while a
    text shows a hole for what an answer left out. `starts`: where a session can begin, and
    what is set there."""
    known = _set_at(starts, ways)
    sure = _set_at(starts, {name: _sure(each) for name, each in ways.items()})
    for name, state in program.states.items():
        if name not in known:
            continue
        for line, missing in _uses(state, actions, known[name], sure[name]):
            faults.add("E10", line, missing, f"some path to {name} has not set it")
    for shortcut in program.shortcuts:
        names = shortcut.when.names if shortcut.when else frozenset()
        for missing in sorted(names - frozenset(ME)):
            faults.add("E10", shortcut.line, missing, "a shortcut's guard knows me.* only")
    return sure


def _sure(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    return tuple(way if way.sure else replace(way, sets=frozenset()) for way in ways)


def _set_at(starts: Mapping[str, frozenset[str]], ways: Ways) -> dict[str, frozenset[str]]:
    """The names set on entry to each state on every path (the greatest fixed point)."""
    known = dict(starts)
    ahead = list(known)
    while ahead:  # ends: a state comes back only with fewer names than before
        name = ahead.pop()
        for way in ways[name]:
            after = known[name]
            if way.settles:
                after = unsettled(after)
            after |= way.sets
            before = known.get(way.target)
            met = after if before is None else before & after
            if met != before:
                known[way.target] = met
                ahead.append(way.target)
    return known


def _uses(
    state: State,
    actions: Mapping[str, Action],
    known: frozenset[str],
    sure: frozenset[str],
) -> Iterator[tuple[int, str]]:
    """The line and the name of each use of a name that is not known there."""
    match state:
        case Menu():
            yield from _unset(known, state.text)
            for option in state.options.values():
                yield from _unset(known, option.when, option.text)
        case Input():
            yield from _unset(known, state.text)
            for checked in state.checks:
                yield from _unset(known | {state.into}, checked.unless, checked.say)
        case Secret():
            yield from _unset(known, state.text)
            yield from _unset_args(sure, state)
            after = unsettled(known) | results(state.act, actions)
            for target in state.act.outcomes.values():
                if isinstance(target, Again):
                    yield from _unset(after, target.note)
        case Call():
            yield from _unset_args(sure, state)
        case List():
            rows = frozenset(taken.name for taken in state.fields)
            yield from _unset(known, state.text)
            yield from _unset(known | rows, state.row)
            yield from _unset_args(sure, state)
        case Decide():
            for rule in state.rules:
                yield from _unset(known, rule.when)
        case End():
            yield from _unset(known, state.text)


def _unset(known: frozenset[str], *users: Guard | Text | None) -> Iterator[tuple[int, str]]:
    for user in users:
        if user is not None:
            yield from ((line_of(user, name), name) for name in sorted(user.names - known))


def _unset_args(sure: frozenset[str], state: Secret | Call | List) -> Iterator[tuple[int, str]]:
    names = {name for _, name in state.act.args}
    yield from ((state.act.line, name) for name in sorted(names - sure))
