"""Reads a row's `reply`: the shape of an answer, and the templates of its values."""

import re

from ussd_gateway.aggregators.bodies import Plain
from ussd_gateway.aggregators.replies import (
    Around,
    Constant,
    Echo,
    Either,
    Joined,
    JsonObject,
    Shape,
    Text,
    Tree,
    Value,
)
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node

SCREEN = "{screen}"

_ECHO = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)(?: \+ ([1-9]))?\}")
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
_WORDS = {"true": True, "false": False}
# More screens than any answer shows.
_MANY = 99
_GOES_ON, _ENDS = "continue", "end"


class Slots:
    """What the templates of a row name: the fields that go back."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.echoed: set[str] = set()


def shape(node: Node | None, slots: Slots, *, where: str, last: bool = False) -> Shape | None:
    """None, with a fault, where it has none. The `last` answer shows no screen."""
    if node is None:
        return None
    shapes = ("text", "json", "joined")
    found = fields.mapping(node, slots.faults, where=where, optional=shapes)
    if len(found) != 1:
        slots.faults.add("E01", node.line, where, f"give one of {', '.join(shapes)}")
        return None

    before = len(slots.faults.errors)
    [(kind, inner)] = found.items()
    screens = _screens(inner)
    if kind == "text":
        made: Shape = Text(_text(inner, slots))
    elif kind == "json":
        made = JsonObject(_tree(inner, slots))
    else:
        made = _joined(inner, slots)
    if len(slots.faults.errors) == before and screens != (0 if last else 1):
        advice = "nobody sees it: no {screen}" if last else "{screen} stands in it once"
        slots.faults.add("E01", node.line, where, advice)
    return made


def _screens(node: Node) -> int:
    """How often the screen stands in an answer: in both of two, or in neither."""
    if isinstance(node, Leaf):
        return int(SCREEN in node.text)
    if isinstance(node, Branch):
        counts = [_screens(value) for _, value in node.pairs]
        if _is_either(node):
            return counts[0] if counts[0] == counts[1] else _MANY
        return sum(counts)
    return sum(_screens(item) for item in node.items)


def _joined(node: Node, slots: Slots) -> Joined:
    faults = slots.faults
    found = fields.mapping(
        node, faults, where="joined", required=("by", "values"), optional=("line_break",)
    )
    by = fields.word(found.get("by"), faults, where="by")
    line_break = fields.word(found.get("line_break"), faults, where="line_break") or "\n"
    if len(by) > 1 or len(line_break) > 1:
        faults.add("E01", node.line, "joined", "join by one sign, and break lines by one")
    values = fields.items(found.get("values"), faults, where="values")
    return Joined(by, line_break, tuple(_text(value, slots) for value in values))


def _tree(node: Node, slots: Slots) -> Tree:
    return {
        key.text: (
            _tree(value, slots)
            if isinstance(value, Branch) and not _is_either(value)
            else _value(value, slots, typed=True)
        )
        for key, value in fields.pairs(node, slots.faults, where="json")
    }


def _text(node: Node, slots: Slots) -> Value:
    return _value(node, slots, typed=False)


def _value(node: Node, slots: Slots, *, typed: bool) -> Value:
    """`typed`: true, false and whole numbers are what they say, and no texts."""
    if isinstance(node, Branch) and _is_either(node):
        found = {key.text: value for key, value in node.pairs}
        goes_on = _value(found[_GOES_ON], slots, typed=typed)
        return Either(goes_on, _value(found[_ENDS], slots, typed=typed))
    if not isinstance(node, Leaf):
        advice = "write a value, or {continue: ..., end: ...}"
        slots.faults.add("E01", node.line, "a reply", advice)
        return Constant("")
    text = node.text
    before, screen, after = text.partition(SCREEN)
    if screen and not any(brace in before + after for brace in "{}"):
        return Around(before, after)
    if match := _ECHO.fullmatch(text):
        slots.echoed.add(match[1])
        return Echo(match[1], int(match[2] or 0))
    if "{" in text or "}" in text:
        advice = "write {screen}, or {FIELD} alone, as it was sent"
        slots.faults.add("E09", node.line, text, advice)
    return Constant(_plain(text) if typed else text)


def _plain(text: str) -> Plain:
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _COUNT.fullmatch(text) else text


def _is_either(node: Node) -> bool:
    return isinstance(node, Branch) and {key.text for key, _ in node.pairs} == {_GOES_ON, _ENDS}
