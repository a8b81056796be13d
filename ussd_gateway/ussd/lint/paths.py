"""Where the ways of a program lead: W05, E06, E07, E21."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from ussd_gateway.files.faults import Faults, faults_max
from ussd_gateway.ussd.lint.ways import Ways, closure, passing
from ussd_gateway.ussd.menu import ME, Capture, End, Program


def check(program: Program, ways: Ways, faults: Faults) -> None:
    _check_reach(program, ways, faults)
    _check_ends(program, ways, faults)
    for circle in _circles(passing(ways)):
        first = min(circle, key=lambda name: program.states[name].line)
        found = " - ".join(circle)
        advice = "this comes round to itself and shows no screen"
        faults.add("E07", program.states[first].line, found, advice)


def starts(program: Program, ways: Ways, faults: Faults) -> Mapping[str, frozenset[str]]:
    """The states that a session can begin in, each with what is set there for certain.

    E21: a dialled string lands at most before a secret, never on what comes of one."""
    before = closure({program.entry}, ways, through_secrets=False)
    found = {program.entry: frozenset(ME)}
    for shortcut in program.shortcuts:
        if shortcut.go not in before:
            advice = "a shortcut leads to a state that is reached before any secret"
            faults.add("E21", shortcut.line, shortcut.go, advice)
            continue
        captured = {token.name for token in shortcut.tokens if isinstance(token, Capture)}
        known = frozenset(ME) | captured
        found[shortcut.go] = found.get(shortcut.go, known) & known
    return found


def _check_reach(program: Program, ways: Ways, faults: Faults) -> None:
    begun = {program.entry} | {shortcut.go for shortcut in program.shortcuts}
    reached = closure(begun, ways, through_secrets=True)
    for name, state in program.states.items():
        if name not in reached:
            faults.add("W05", state.line, name, "nothing leads here; remove it or link it")


def _check_ends(program: Program, ways: Ways, faults: Faults) -> None:
    before: dict[str, list[str]] = {name: [] for name in program.states}
    for name, each in ways.items():
        for way in each:
            before[way.target].append(name)
    ahead = [name for name, state in program.states.items() if isinstance(state, End)]
    ending = set(ahead)
    while ahead:  # ends: each state is taken once
        for name in before[ahead.pop()]:
            if name not in ending:
                ending.add(name)
                ahead.append(name)
    for name, state in program.states.items():
        if name not in ending:
            faults.add("E06", state.line, name, "no path leads from here to an `end`")


def _circles(ways: Ways) -> Iterator[list[str]]:
    """Circles of states, each told once, until none is left."""
    graph = {name: {way.target for way in each} for name, each in ways.items()}
    for _ in range(faults_max):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            yield circle[::-1]
            for name in circle:
                graph[name] = set()
        else:
            return
