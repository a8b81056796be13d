"""Which states a state leads to, by what; and which ones nothing leads to."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ussd_gateway.ussd.menu import (
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
)
from ussd_gateway.ussd.render import render


@dataclass(frozen=True, slots=True)
class Edge:
    """`label`: the option, the outcome, or what decides. It is empty where there is one way
    only."""

    source: str
    label: str
    target: str


def edges(program: Program, language: str) -> Iterator[Edge]:
    """Of every state, in the file's order; options are named in this language."""
    for name, state in program.states.items():
        for label, target in _leads(state, language):
            yield Edge(name, label, target)


def unreached(program: Program, reached: Collection[str]) -> tuple[str, ...]:
    """States that are not among these, in the file's order. A `decide` is passed by unseen:
    what names it has reached it."""
    first = program.languages[0]
    named = {program.entry, *(shortcut.go for shortcut in program.shortcuts)}
    known = set(reached)
    for _ in program.states:
        named |= {edge.target for edge in edges(program, first) if edge.source in known}
        known |= {name for name in named if isinstance(program.states.get(name), Decide)}
    return tuple(name for name in program.states if name not in known)


def _leads(state: State, language: str) -> Iterator[tuple[str, str]]:
    match state:
        case Menu(options=options):
            for key, option in options.items():
                yield f"{key}. {render(option.text, language, {})}", option.go
        case Input(go=go):
            yield "", go
        case Decide(rules=rules):
            for rule in rules:
                yield _asked(rule.when), rule.go
        case List(go=go, act=act):
            yield "chosen", go
            yield from _outcomes(act.outcomes)
        case Secret(act=act) | Call(act=act):
            yield from _outcomes(act.outcomes)
        case End():
            pass


def _outcomes(outcomes: Mapping[str, str | Again]) -> Iterator[tuple[str, str]]:
    for outcome, target in outcomes.items():
        if isinstance(target, str):
            yield outcome, target


def _asked(guard: Guard | None) -> str:
    return f"by {', '.join(sorted(guard.names))}" if guard else "else"
