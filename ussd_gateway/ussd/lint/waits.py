"""E22: what one answer of a person waits for fits what the turn and every route allow.

Between two screens a session may pass several states that act, one after the other: a secret
and the calls that it leads to, calls that follow each other, a list at their end.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Route
from ussd_gateway.ussd.lint.ways import Ways, passing
from ussd_gateway.ussd.menu import Call, List, Program, Secret
from ussd_gateway.ussd.turn.acting import answer_margin_s, calls_max, hop_s_max


@dataclass(frozen=True, slots=True)
class _Wait:
    """The longest there is from a state to the next screen, and who acts on the way."""

    seconds: float = 0
    actors: tuple[str, ...] = ()


def check(
    program: Program,
    ways: Ways,
    starts: Collection[str],
    routes: Sequence[Route],
    faults: Faults,
) -> None:
    """`starts`: the states that a session can begin in."""
    most, by = hop_s_max, "a hop"
    for route in routes:
        if route.answer_within_s - answer_margin_s < most:
            most, by = route.answer_within_s - answer_margin_s, route.name
    waits = _longest(program, passing(ways))
    begun = {*starts, *program.moves.values()} | {
        way.target for each in ways.values() for way in each if not way.passes
    }
    for name, state in program.states.items():
        wait = _Wait()
        if isinstance(state, Secret):
            # Its own act comes first, and then whichever of its outcomes takes longest.
            beyond = [waits[way.target] for way in ways[name] if way.target in waits]
            wait = _then(program, name, beyond)
        elif name in begun:
            wait = waits.get(name, wait)
        if wait.seconds > most:
            found = f"{', '.join(wait.actors)}: {wait.seconds:g}s in one hop"
            faults.add("E22", state.line, found, f"at most {most:g}s by {by}")
        elif len(wait.actors) > calls_max:
            found = f"{', '.join(wait.actors)}: {len(wait.actors)} actions in one hop"
            faults.add("E22", state.line, found, f"at most {calls_max}")


def _longest(program: Program, ways: Ways) -> dict[str, _Wait]:
    """By the states that are passed; nothing where they come round (E07)."""
    graph = {name: {way.target for way in each} for name, each in ways.items()}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return {}
    waits: dict[str, _Wait] = {}
    for name in order:
        waits[name] = _then(program, name, [waits[target] for target in graph[name]])
        if isinstance(program.states[name], Secret):
            # Its screen is shown first: it acts in the hop after that.
            waits[name] = _Wait()
    return waits


def _then(program: Program, name: str, beyond: Sequence[_Wait]) -> _Wait:
    longest = max(beyond, key=lambda wait: (wait.seconds, wait.actors), default=_Wait())
    state = program.states[name]
    if isinstance(state, Secret | Call | List):
        act_s = state.act.within_s
        return _Wait(longest.seconds + act_s, (name, *longest.actors))
    return longest
