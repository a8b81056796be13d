"""The ways through a program, from each state to the next: what every rule of paths follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ussd_gateway.ports import Action
from ussd_gateway.ussd.menu import (
    Act,
    Again,
    Call,
    Decide,
    End,
    Input,
    List,
    Menu,
    Program,
    Secret,
    State,
)

_OK = "ok"


@dataclass(frozen=True, slots=True)
class Way:
    """A way from one state to the next: the names it sets; `result.*` where `settles`. What an
    outcome other than ok gives may be less than its action promises: that is not `sure`.
    `passes`: it is taken without a screen in between."""

    target: str
    sets: frozenset[str] = frozenset()
    sure: bool = True
    settles: bool = False
    past_secret: bool = False
    passes: bool = False


Ways = Mapping[str, tuple[Way, ...]]


def find_ways(program: Program, actions: Mapping[str, Action]) -> Ways:
    return {name: tuple(_of(state, actions)) for name, state in program.states.items()}


def closure(begun: set[str], ways: Ways, *, through_secrets: bool) -> set[str]:
    """The states that are reached from `begun`, these among them."""
    reached: set[str] = set()
    ahead = set(begun)
    while ahead:  # ends: each state is taken once
        name = ahead.pop()
        reached.add(name)
        for way in ways[name]:
            if way.target not in reached and (through_secrets or not way.past_secret):
                ahead.add(way.target)
    return reached


def passing(ways: Ways) -> Ways:
    """Those that are taken without a screen in between."""
    return {name: tuple(way for way in each if way.passes) for name, each in ways.items()}


def results(act: Act, actions: Mapping[str, Action]) -> frozenset[str]:
    """`result.*` of what is done here."""
    return frozenset(f"result.{name}" for name in actions[act.action].gives)


def unsettled(known: frozenset[str]) -> frozenset[str]:
    """Without `result.*`: the next answer settles it anew."""
    return frozenset(each for each in known if not each.startswith("result."))


def _of(state: State, actions: Mapping[str, Action]) -> Iterator[Way]:
    match state:
        case Menu():
            yield from (Way(option.go) for option in state.options.values())
        case Input():
            yield Way(state.go, frozenset({state.into}))
        case Decide():
            yield from (Way(rule.go, passes=True) for rule in state.rules)
        case List():
            chosen = frozenset(f"{state.into}.{taken.given}" for taken in state.fields)
            yield Way(state.go, chosen)
            if state.chooses_one:
                yield Way(state.go, chosen, passes=True)
            for target in state.act.outcomes.values():
                assert not isinstance(target, Again), "only a secret is asked again"
                yield Way(target, passes=True)
        case Secret() | Call():
            yield from _outcomes(state, actions)
        case End():
            pass


def _outcomes(state: Secret | Call, actions: Mapping[str, Action]) -> Iterator[Way]:
    given = results(state.act, actions)
    secret = isinstance(state, Secret)
    for outcome, target in state.act.outcomes.items():
        if isinstance(target, Again):
            continue
        settles = secret or not state.saves
        sets = given if settles else frozenset()
        ok = outcome == _OK
        if ok:
            sets |= {taken.name for taken in state.saves}
        yield Way(target, sets, sure=ok, settles=settles, past_secret=secret, passes=not secret)
