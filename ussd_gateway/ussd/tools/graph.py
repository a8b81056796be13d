"""A pack as a drawing: a tree from the entry on, what is shared drawn once.

    start --by me.registered--> home --1. Send money--> send_to --> send_amount --> ...

A state stands where the shortest way first comes to it; every other way there is a line of text
in the state that it leaves from. So no line crosses another, however large the pack is. ENDs
that an action is refused by are such lines too: there are dozens of them, and none leads on.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ussd_gateway.ports import Effect
from ussd_gateway.ussd.menu import (
    Call,
    Capture,
    Decide,
    End,
    Input,
    List,
    Menu,
    Program,
    Secret,
    State,
)
from ussd_gateway.ussd.tools.reach import Edge, edges
from ussd_gateway.ussd.tools.samples import OK
from ussd_gateway.ussd.turn.counting import Count

NO_COUNTS: Mapping[str, Count] = {}

# How Mermaid writes each kind.
_MERMAID = {
    "menu": ('["', '"]'),
    "input": ('[/"', '"/]'),
    "secret": ('[["', '"]]'),
    "list": ('[("', '")]'),
    "call": ('{{"', '"}}'),
    "decide": ('{"', '"}'),
    "end": ('(["', '"])'),
}
_MERMAID_CLASSES = (
    "classDef money fill:#fde2e1,stroke:#c0392b,stroke-width:3px",
    "classDef end_ fill:#eef2f7,stroke:#8795a8",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A state as it is drawn. `arrives`: what is written on the line that comes to it.
    `notes`: where else it leads, by what. `unreached`: nothing leads to it."""

    name: str
    kind: str
    money: bool
    arrives: str
    does: str
    dialled: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]
    count: Count | None
    children: tuple["Node", ...]
    unreached: bool = False


def tree(
    program: Program, language: str, counts: Mapping[str, Count] = NO_COUNTS
) -> tuple[Node, ...]:
    """The entry with all that comes after it; then what nothing leads to, if anything."""
    leads: dict[str, list[Edge]] = {name: [] for name in program.states}
    for edge in edges(program, language):
        leads[edge.source].append(edge)
    places = _places(program, leads)
    dialled = _dialled(program)

    def node(name: str, arrives: str) -> Node:
        state = program.states[name]
        children, notes = [], []
        for edge in _joined(leads[name]):
            if places.get(edge.target) == (name, edge.label):
                children.append(node(edge.target, edge.label))
            else:
                notes.append((edge.label, edge.target))
        return Node(
            name=name,
            kind=kind_of(state),
            money=moves_money(state),
            arrives=arrives,
            does=_does(state),
            dialled=tuple(dialled.get(name, ())),
            notes=tuple(notes),
            count=counts.get(name),
            children=tuple(children),
            unreached=name not in places,
        )

    lost = [name for name in program.states if name not in places]
    return (node(program.entry, ""), *(node(name, "") for name in lost))


def mermaid(program: Program, language: str, counts: Mapping[str, Count] = NO_COUNTS) -> str:
    """The text of a Mermaid flowchart, each state and each way between two of them."""
    lines = ["flowchart LR"]
    dialled = _dialled(program)
    for name, state in program.states.items():
        opens, closes = _MERMAID[kind_of(state)]
        words = [name, _does(state), *dialled.get(name, ()), told(counts.get(name))]
        label = "<br>".join(_quoted(word) for word in words if word)
        lines.append(f"  s_{name}{opens}{label}{closes}")
    leads: dict[str, list[Edge]] = {}
    for edge in edges(program, language):
        leads.setdefault(edge.source, []).append(edge)
    for some in leads.values():
        for edge in _joined(some):
            label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
            lines.append(f"  s_{edge.source} -->{label} s_{edge.target}")
    lines += [f"  {each}" for each in _MERMAID_CLASSES]
    for name, state in program.states.items():
        if moves_money(state):
            lines.append(f"  class s_{name} money")
        elif isinstance(state, End):
            lines.append(f"  class s_{name} end_")
    return "\n".join(lines) + "\n"


def told(count: Count | None) -> str:
    """What has become of a screen, in few words."""
    if count is None or not count.entered:
        return ""
    gone = max(0, count.entered - count.answered)
    return f"{count.entered:,} came, {gone * 100 // count.entered}% left, {count.wrong:,} wrong"


def kind_of(state: State) -> str:
    return type(state).__name__.lower()


def moves_money(state: State) -> bool:
    return isinstance(state, Secret) and state.act.effect is Effect.MONEY


def _places(
    program: Program, leads: Mapping[str, Sequence[Edge]]
) -> dict[str, tuple[str, str]]:
    """The state and the label by which each state is come to first; breadth first, so that no
    flow swallows another. An END of a refusal has no place while something else leads there."""
    places = {program.entry: ("", "")}
    ahead = deque([program.entry])
    while ahead:  # ends: each state is placed once
        name = ahead.popleft()
        for edge in _joined(leads[name]):
            if edge.target not in places and not _is_refusal(program, edge):
                places[edge.target] = (name, edge.label)
                ahead.append(edge.target)
    for refusals in leads.values():
        for edge in _joined(refusals):
            places.setdefault(edge.target, ("", ""))
    return places


def _is_refusal(program: Program, edge: Edge) -> bool:
    source, target = program.states[edge.source], program.states[edge.target]
    asks = isinstance(source, Secret | Call | List)
    return asks and isinstance(target, End) and OK not in edge.label.split(", ")


def _joined(some: Sequence[Edge]) -> list[Edge]:
    """Several ways from one state to another as one."""
    labels: dict[str, list[str]] = {}
    for edge in some:
        labels.setdefault(edge.target, []).append(edge.label)
    return [Edge(some[0].source, ", ".join(each), to) for to, each in labels.items()]


def _does(state: State) -> str:
    match state:
        case Secret(act=act) | Call(act=act) | List(act=act):
            return act.action
        case Input(into=into):
            return f"into {into}"
        case Menu() | Decide() | End():
            return ""


def _dialled(program: Program) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for shortcut in program.shortcuts:
        tokens = [
            f"{{{token.name}}}" if isinstance(token, Capture) else token
            for token in shortcut.tokens
        ]
        found.setdefault(shortcut.go, []).append(f"dialled {'*'.join(tokens)}")
    return found


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
