"""The nodes of an operator's file as the fields they should be, or faults."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row

_DURATION = re.compile(r"([0-9]{1,6})(s|m)")
_SECONDS = {"s": 1, "m": 60}

# The most names that advice lists where none is near.
listed_max = 12
slip_max = 3
compared_max = 100


def mapping(
    node: Node,
    faults: Faults,
    *,
    where: str,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> dict[str, Node]:
    """The fields of `where`: those known, all required ones there (E01)."""
    if not isinstance(node, Branch):
        faults.add("E01", node.line, where, "write `key: value` pairs here")
        return {}

    known = required + optional
    found = {}
    for key, value in node.pairs:
        if key.text in known:
            found[key.text] = value
        else:
            faults.add("E01", key.line, f"{key.text} in {where}", nearest(key.text, known))
    for name in required:
        if name not in found:
            faults.add("E01", node.line, where, f"give its `{name}`")
    return found


def pairs(node: Node | None, faults: Faults, *, where: str) -> Iterator[tuple[Leaf, Node]]:
    """The pairs of a mapping whose keys are the operator's own."""
    if isinstance(node, Branch):
        yield from node.pairs
    elif node is not None:
        faults.add("E01", node.line, where, "write `key: value` pairs here")


def items(node: Node | None, faults: Faults, *, where: str) -> tuple[Node, ...]:
    if isinstance(node, Row):
        return node.items
    if node is not None:
        faults.add("E01", node.line, where, "write a list here")
    return ()


def word(node: Node | None, faults: Faults, *, where: str) -> str:
    """A plain text; empty, with a fault, where there is none."""
    if isinstance(node, Leaf) and node.text:
        return node.text
    if node is not None:
        faults.add("E01", node.line, where, "write one word or text here")
    return ""


def count(node: Node | None, faults: Faults, *, where: str, least: int, most: int) -> int:
    text = word(node, faults, where=where)
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    if node is not None and text:
        faults.add("E01", node.line, f"{where}: {text}", f"a whole number, {least} to {most}")
    return least


def seconds(node: Node | None, faults: Faults, *, where: str, most: int) -> int:
    """A duration, `90s` or `3m`, of at least a second."""
    text = word(node, faults, where=where)
    match = _DURATION.fullmatch(text)
    value = int(match[1]) * _SECONDS[match[2]] if match else 0
    if 0 < value <= most:
        return value
    if node is not None and text:
        faults.add(
            "E01", node.line, f"{where}: {text}", f"write it as 3s or 2m, at most {most}s"
        )
    return 1


def expect(node: Node | None, value: str, faults: Faults, *, where: str) -> None:
    """`value` is the only one that is read here."""
    text = word(node, faults, where=where)
    if node is not None and text and text != value:
        faults.add("E01", node.line, f"{where}: {text}", f"this gateway reads {value}")


def switch(node: Node | None, faults: Faults, *, where: str, default: bool) -> bool:
    if node is None:
        return default
    text = word(node, faults, where=where)
    if text not in ("on", "off"):
        faults.add("E01", node.line, f"{where}: {text}", "write on or off")
    return text != "off"


def meant(name: str, known: Iterable[str]) -> str | None:
    """A question that names what was probably meant."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else None


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """Advice that names what was probably meant."""
    # A slip of the hand changes a name's length by little; of many names few are compared.
    alike = [each for each in known if abs(len(each) - len(name)) <= slip_max][:compared_max]
    close = get_close_matches(name, alike, n=1)
    if close:
        return f"did you mean {close[0]}?"
    if not known:
        return "nothing is known here"
    more = ", ..." if len(known) > listed_max else ""
    return f"known here: {', '.join(known[:listed_max])}{more}"
