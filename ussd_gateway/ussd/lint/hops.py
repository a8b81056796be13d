"""How far it is to where people want to be: W27, W30 and E30; and E23, where they never are."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Route
from ussd_gateway.ussd.lint.ways import Way, Ways
from ussd_gateway.ussd.menu import End, Input, Menu, Program

# What a person takes to read a screen and type an answer, on most phones.
answer_s = 12

menus_warned_above = 3
menus_max = 4


def check(program: Program, ways: Ways, routes: Sequence[Route], faults: Faults) -> None:
    _check_time(program, ways, routes, faults)
    _check_depth(program, ways, faults)
    _check_exits(program, faults)


def _check_time(program: Program, ways: Ways, routes: Sequence[Route], faults: Faults) -> None:
    """W27: the shortest way to each end, against the shortest session of a route."""
    shortest = min(routes, key=lambda route: route.session_s, default=None)
    if shortest is None:
        return
    answers = _distances({program.entry: 0}, ways, lambda way: not way.passes)
    for name, state in program.states.items():
        count = answers.get(name, 0)
        if isinstance(state, End) and count * answer_s > shortest.session_s:
            found = f"{name} is {count} answers away: {count * answer_s} s"
            advice = f"a session of {shortest.name} ends after {shortest.session_s} s"
            faults.add("W27", state.line, found, advice)


def _check_depth(program: Program, ways: Ways, faults: Faults) -> None:
    menus = {name for name, state in program.states.items() if isinstance(state, Menu)}
    first = {program.entry: int(program.entry in menus)}
    depths = _distances(first, ways, lambda way: way.target in menus)
    deepest = max((depths.get(name, 0) for name in menus), default=0)
    # Where one is too deep, those on the way there need no warning.
    most, code = (menus_max, "E30") if deepest > menus_max else (menus_warned_above, "W30")
    for name, state in program.states.items():
        depth = depths.get(name, 0)
        if name in menus and depth > most:
            faults.add(code, state.line, f"{name} is {depth} menus deep", f"at most {most}")


def _check_exits(program: Program, faults: Faults) -> None:
    for name, state in program.states.items():
        if isinstance(state, Input) and not state.nav and state.retries is None:
            advice = "say `retries`, or leave `nav` on"
            faults.add("E23", state.line, f"{name} asks without an exit", advice)


def _distances(
    first: Mapping[str, int], ways: Ways, counts: Callable[[Way], bool]
) -> dict[str, int]:
    """From the `first` to each state that is reached, by the way that counts least."""
    distances = dict(first)
    ahead = deque(first)
    while ahead:  # ends: a state comes back only at a smaller distance
        name = ahead.popleft()
        for way in ways[name]:
            step = counts(way)
            distance = distances[name] + step
            if distance < distances.get(way.target, distance + 1):
                distances[way.target] = distance
                (ahead.append if step else ahead.appendleft)(way.target)
    return distances
