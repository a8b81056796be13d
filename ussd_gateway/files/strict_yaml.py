"""YAML read strictly: a tree of texts with their lines.

Plain YAML turns `on`, `no`, 0712 and 1:30 into other things, keeps the last of two equal keys,
and lets aliases multiply a page into gigabytes. Here every scalar is the text that was
written, and what could surprise (E00: anchors, aliases, tags, a second document, depth, size,
characters that nobody sees; E02: a key twice) is refused.
"""

import re
from dataclasses import dataclass
from typing import assert_never

import yaml

from ussd_gateway.files.faults import Faults

_YAML_ADVICE = (
    "correct it here or just above: indent with spaces, put text that holds a colon in quotes"
)

octets_max = 256 * 1024
nodes_max = 20_000
depth_max = 12

# Control characters but the line break; what turns the direction of writing, or has no width.
# The joiners of some scripts (U+200C, U+200D) are no trick.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Leaf:
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Branch:
    pairs: tuple[tuple[Leaf, "Node"], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Row:
    items: tuple["Node", ...]
    line: int


Node = Leaf | Branch | Row


def read(source: bytes, faults: Faults) -> Node | None:
    """The tree of the one document in `source`; None where it is not strict YAML at all."""
    if len(source) > octets_max:
        faults.add("E00", 1, f"{len(source)} octets", f"a file has at most {octets_max}")
        return None

    try:
        source.decode()
        return _build(source, faults)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        faults.add("E00", line, error.problem or "not YAML", _YAML_ADVICE)
    except UnicodeDecodeError as error:
        faults.add("E00", _line_at(source, error.start), "not UTF-8", "save it as UTF-8")
    except yaml.reader.ReaderError as error:
        line = _line_at(source, error.position)
        faults.add("E00", line, "a control character", "remove it")
    except _Refused as refused:
        faults.add("E00", refused.line, refused.found, refused.advice)
    return None


class _Refused(Exception):
    def __init__(self, event: yaml.Event, found: str, advice: str) -> None:
        super().__init__(found)
        self.line = _line(event)
        self.found = found
        self.advice = advice


def _build(source: bytes, faults: Faults) -> Node | None:
    """Reads events rather than nodes: composing would already have followed the aliases."""
    documents: list[Node] = []
    opened: list[tuple[yaml.Event, list[Node]]] = []
    for count, event in enumerate(yaml.parse(source, Loader=yaml.CSafeLoader)):
        if count > nodes_max:
            raise _Refused(event, "too much", f"write at most {nodes_max} keys and values")
        _refuse_the_surprising(event)
        line = _line(event)
        match event:
            case yaml.ScalarEvent():
                node: Node = Leaf(event.value, line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(opened) == depth_max:
                    raise _Refused(event, "too deep", f"nest at most {depth_max} levels")
                opened.append((event, []))
                continue
            case yaml.MappingEndEvent():
                start, children = opened.pop()
                node = Branch(_pairs(start, children, faults), _line(start))
            case yaml.SequenceEndEvent():
                start, children = opened.pop()
                node = Row(tuple(children), _line(start))
            case yaml.DocumentStartEvent() if documents:
                raise _Refused(event, "a second document", "keep one document to a file")
            case _:
                continue
        (opened[-1][1] if opened else documents).append(node)
    return documents[0] if documents else None


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1


def _line_at(source: bytes, offset: int) -> int:
    return source.count(b"\n", 0, offset) + 1


def _pairs(
    start: yaml.Event, children: list[Node], faults: Faults
) -> tuple[tuple[Leaf, Node], ...]:
    seen: dict[str, int] = {}
    pairs = []
    for key, value in zip(children[::2], children[1::2], strict=True):
        match key:
            case Leaf(text, line):
                pass
            case Branch() | Row():
                raise _Refused(start, "a key that is no word", "write keys as plain words")
            case _:
                assert_never(key)
        if text in seen:
            faults.add("E02", line, text, f"this key was given on line {seen[text]} already")
            continue
        seen[text] = line
        pairs.append((key, value))
    return tuple(pairs)


def _refuse_the_surprising(event: yaml.Event) -> None:
    match event:
        case yaml.AliasEvent():
            raise _Refused(event, f"alias *{event.anchor}", "write the value out")
        case yaml.ScalarEvent() | yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            if event.anchor is not None:
                raise _Refused(
                    event, f"anchor &{event.anchor}", "write the value out each time"
                )
            if event.tag is not None:
                raise _Refused(event, f"tag {event.tag}", "write the value without a tag")
            unseen = (
                _UNSEEN.search(event.value) if isinstance(event, yaml.ScalarEvent) else None
            )
            if unseen:
                found = f"the character U+{ord(unseen[0]):04X}"
                raise _Refused(event, found, "nobody sees it; remove it")
        case _:
            pass
