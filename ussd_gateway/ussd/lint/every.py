"""All rules over a whole program, one file a theme."""

from collections.abc import Mapping, Sequence

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Action, Route
from ussd_gateway.ussd.lint import (
    characters,
    digits,
    hops,
    labels,
    money,
    paths,
    screens,
    truths,
    unset,
    waits,
)
from ussd_gateway.ussd.lint.ways import find_ways
from ussd_gateway.ussd.menu import Program


def check(
    program: Program, actions: Mapping[str, Action], routes: Sequence[Route], faults: Faults
) -> Mapping[str, frozenset[str]]:
    """Gives what is set on every path to each state."""
    ways = find_ways(program, actions)
    paths.check(program, ways, faults)
    starts = paths.starts(program, ways, faults)
    needs = unset.check(program, starts, ways, actions, faults)
    truths.check(program, actions, faults)
    hops.check(program, ways, routes, faults)
    waits.check(program, ways, starts, routes, faults)
    screens.check(program, ways, routes, faults)
    characters.check(program, routes, faults)
    labels.check(program, faults)
    digits.check(program, faults)
    money.check(program, faults)
    return needs
