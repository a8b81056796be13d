"""What a new version of a pack does to people who know the published one.

Sessions stand at states, and carry vars, that a new version may not have (W26); and people know
digits by heart: one that leads elsewhere now sends their money there (W33).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row
from ussd_gateway.ussd.versions import plain

# No session stands at one of these, or comes back to it.
PASSED_BY = ("decide", "end")


@dataclass(frozen=True, slots=True)
class _Option:
    go: str
    label: str  # in the first language of the pack
    line: int


def against(source: bytes, *, file: str, published: bytes) -> tuple[Fault, ...]:
    """W26 and W33 of a file that loads, against the octets of the version that is live, whether
    that still loads or not."""
    written = strict_yaml.read(source, Faults(""))
    new, old = dict(_fields(written)), dict(_fields(strict_yaml.read(published, Faults(""))))
    faults = Faults(file)
    moves = {
        name: node.text for name, node in _fields(new.get("map")) if isinstance(node, Leaf)
    }
    _states_removed(old, new, moves, _lines(written).get("states", 1), faults)
    _moves_mistyped(old, new, moves, faults)
    _types_changed(old, new, faults)
    _digits_reused(old, new, moves, faults)
    return faults.warnings


def _states_removed(
    old: Mapping[str, Node],
    new: Mapping[str, Node],
    moves: Mapping[str, str],
    line: int,
    faults: Faults,
) -> None:
    kept = {name for name, _ in _fields(new.get("states"))}
    for name, state in _fields(old.get("states")):
        if (
            name in kept
            or name in moves
            or any(kind in PASSED_BY for kind, _ in _fields(state))
        ):
            continue
        advice = f"say under `map` which state takes its place: `{name}: ...`"
        faults.add("W26", line, f"{name} is removed", advice)


def _moves_mistyped(
    old: Mapping[str, Node],
    new: Mapping[str, Node],
    moves: Mapping[str, str],
    faults: Faults,
) -> None:
    """A `map` may name states of versions long before; one that is nearly right is a slip."""
    known = [name for name, _ in _fields(old.get("states"))]
    lines = _lines(new.get("map"))
    for name in moves:
        meant = get_close_matches(name, known, n=1, cutoff=0.8)
        if name not in known and meant:
            advice = f"did you mean {meant[0]}? What is live has no {name}"
            faults.add("W26", lines[name], f"map of {name}", advice)


def _types_changed(old: Mapping[str, Node], new: Mapping[str, Node], faults: Faults) -> None:
    before = dict(_fields(old.get("vars")))
    lines = _lines(new.get("vars"))
    for name, kind in _fields(new.get("vars")):
        if name in before and plain(kind) != plain(before[name]):
            advice = "sessions carry the old type: give the var another name"
            faults.add("W26", lines[name], f"{name} has another type", advice)


def _digits_reused(
    old: Mapping[str, Node], new: Mapping[str, Node], moves: Mapping[str, str], faults: Faults
) -> None:
    """The same label at the same digit is the same to people, wherever it leads."""
    menus = dict(_fields(new.get("states")))
    for name, state in _fields(old.get("states")):
        before = _options(state, _first_language(old))
        after = _options(menus.get(moves.get(name, name)), _first_language(new))
        for key, was in before.items():
            now = after.get(key)
            if now is None or moves.get(was.go, was.go) == now.go or was.label == now.label:
                continue
            advice = f"people know it as {was.label}: give what is new a key of its own"
            faults.add("W33", now.line, f"{name}: {key} is now {now.label}", advice)


def _options(state: Node | None, language: str) -> dict[str, _Option]:
    """Those of a menu, by their keys."""
    found = {}
    rows = dict(_fields(dict(_fields(state)).get("menu"))).get("options")
    for item in rows.items if isinstance(rows, Row) else ():
        fields = dict(_fields(item))
        label = dict(_fields(fields.get("text"))).get(language)
        match fields.get("key"), fields.get("go"), label:
            case Leaf(key), Leaf(go), Leaf(text):
                found[key] = _Option(go, text, item.line)
    return found


def _first_language(root: Mapping[str, Node]) -> str:
    match root.get("languages"):
        case Row((Leaf(language), *_)):
            return language
        case _:
            return ""


def _lines(node: Node | None) -> dict[str, int]:
    """Of the keys of a mapping."""
    return {key.text: key.line for key, _ in node.pairs} if isinstance(node, Branch) else {}


def _fields(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Branch):
        for key, value in node.pairs:
            yield key.text, value
