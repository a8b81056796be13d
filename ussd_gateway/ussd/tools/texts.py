"""Where the texts of a pack stand in its file, and how they are changed there without anything
else being touched: comments, order and layout stay, octet by octet.

    home.menu.options.1.text    {en: Send money, sw: Tuma pesa}
                                     ^--------^      ^-------^   between which characters

What is written is read again before it is let go of.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import yaml

from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults

# What YAML reads as a plain word wherever it stands, and no editor takes for anything else.
_PLAIN = re.compile(r"[^\W\d_](?:[\w '.?!()%/-]*[\w.?!)%])?")
_NOT_PLAIN = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


class NotWritten(Exception):
    """A pack, or what is to stand in it, cannot be used. `reasons` are lines for a person."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Said:
    """A text in one language, and between which characters of the file it is written."""

    text: str
    start: int
    end: int
    style: str


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    said: Mapping[str, Said]
    flow: bool  # {en: ..., sw: ...}; else a line for each
    column: int  # of the languages


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def languages(text: str) -> list[str]:
    """Those of the pack. Raises NotWritten."""
    return [each.value for each in _languages(_root(text))]


def places(text: str) -> Iterator[Place]:
    """Every text of the notices and states, in the file's order. Raises NotWritten."""
    root = _root(text)
    known = frozenset(each.value for each in _languages(root))
    for name, node in _pairs(root.get("notices")):
        yield from _below(f"notices.{name}", node, known)
    for name, node in _pairs(root.get("states")):
        yield from _below(name, node, known)


def rewritten(text: str, language: str, said: Mapping[str, str]) -> str:
    """The file that says this, by the names of places, in a language that may be new. Raises
    NotWritten."""
    known = languages(text)
    edits = [] if language in known else [_added_language(text, language)]
    for place in places(text):
        if place.name not in said:
            continue
        was, now = place.said.get(language), said[place.name]
        if was is None:
            edits.append(_added(text, place, language, now, like=place.said[known[0]]))
        elif was.text != now:
            edits.append(_changed(text, was, now, flow=place.flow))
    return _checked(text, _edited(text, edits), language, said)


def _root(text: str) -> dict[str, yaml.Node]:
    if strict_yaml.read(text.encode(), faults := Faults("the pack")) is None or faults.errors:
        raise NotWritten([str(fault) for fault in faults.errors])
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    return dict(_pairs(root))


def _languages(root: Mapping[str, yaml.Node]) -> list[yaml.ScalarNode]:
    listed = root.get("languages")
    items = listed.value if isinstance(listed, yaml.SequenceNode) else []
    found = [item for item in items if isinstance(item, yaml.ScalarNode)]
    if not found:
        raise NotWritten(["the pack names no languages"])
    return found


def _below(name: str, node: yaml.Node, known: frozenset[str]) -> Iterator[Place]:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, start=1):
            key = dict(_pairs(item)).get("key")
            called = key.value if key is not None else number
            yield from _below(f"{name}.{called}", item, known)
        return
    pairs = _pairs(node)
    said = {key: _said(value) for key, value in pairs if isinstance(value, yaml.ScalarNode)}
    if isinstance(node, yaml.MappingNode) and said.keys() == dict(pairs).keys() <= known:
        [(first, _), *_] = node.value
        yield Place(name, said, bool(node.flow_style), first.start_mark.column)
        return
    for each, value in pairs:
        # The parameters of an action have names of their own.
        if each != "with":
            yield from _below(f"{name}.{each}", value, known)


def _said(node: yaml.ScalarNode) -> Said:
    start, end = node.start_mark.index, node.end_mark.index
    return Said(node.value.strip(), start, end, node.style or "")


def _pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value]


def _added_language(text: str, language: str) -> _Edit:
    root = _root(text)
    last = _languages(root)[-1]
    listed = root["languages"]
    if isinstance(listed, yaml.SequenceNode) and listed.flow_style:
        return _Edit(last.end_mark.index, last.end_mark.index, f", {language}")
    begins = text.rfind("\n", 0, last.start_mark.index) + 1
    end = _end_of_line(text, last.end_mark.index)
    return _Edit(end, end, f"\n{text[begins : last.start_mark.index]}{language}")


def _added(text: str, place: Place, language: str, said: str, *, like: Said) -> _Edit:
    """Behind the last language of the place."""
    last = list(place.said.values())[-1]
    if place.flow:
        return _Edit(last.end, last.end, f", {language}: {_scalar(said, like.style)}")
    margin = " " * place.column
    written = _scalar(said, like.style)
    if _is_block(like):
        written = _block(said, _header(text, like), _margin(text, like))
    end = last.start + len(text[last.start : last.end].rstrip())
    end = _end_of_line(text, end)
    return _Edit(end, end, f"\n{margin}{language}: {written}")


def _changed(text: str, was: Said, said: str, *, flow: bool) -> _Edit:
    if flow or not _is_block(was):
        return _Edit(was.start, was.end, _scalar(said, was.style))
    end = was.start + len(text[was.start : was.end].rstrip())
    return _Edit(was.start, end, _block(said, _header(text, was), _margin(text, was)))


def _is_block(said: Said) -> bool:
    return said.style in ("|", ">")


def _header(text: str, said: Said) -> str:
    """`|`, as it is written there; folded lines become lines."""
    header, _, _ = text[said.start : said.end].partition("\n")
    return header.replace(">", "|").rstrip()


def _margin(text: str, said: Said) -> str:
    _, _, lines = text[said.start : said.end].partition("\n")
    first = next(line for line in lines.split("\n") if line.strip())
    return first[: len(first) - len(first.lstrip())]


def _block(said: str, header: str, margin: str) -> str:
    lines = (f"{margin}{line}" if line else "" for line in said.split("\n"))
    return "\n".join((header, *lines))


def _scalar(said: str, style: str) -> str:
    if style == "'" and "\n" not in said:
        return "'" + said.replace("'", "''") + "'"
    plain = _PLAIN.fullmatch(said) is not None and said.lower() not in _NOT_PLAIN
    if style == "" and plain:
        return said
    return json.dumps(said, ensure_ascii=False)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    ordered = sorted(edits, key=lambda edit: edit.start)
    assert all(a.end <= b.start for a, b in pairwise(ordered)), "no two places meet"
    for edit in reversed(ordered):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _checked(before: str, after: str, language: str, said: Mapping[str, str]) -> str:
    """`after`, which says this there, and all else as before."""
    now = _all(after)
    wanted = _all(before) | {(name, language): text for name, text in said.items()}
    if now != wanted:
        keys = sorted(now.keys() | wanted.keys())
        wrong = [key for key in keys if now.get(key) != wanted.get(key)]
        raise NotWritten([f"{name}: cannot be written in {each}" for name, each in wrong])
    return after


def _all(text: str) -> dict[tuple[str, str], str]:
    """Every text, by its place and language."""
    return {
        (place.name, language): said.text
        for place in places(text)
        for language, said in place.said.items()
    }
