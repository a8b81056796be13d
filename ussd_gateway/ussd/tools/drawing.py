"""The tree of a pack as an SVG, laid out without any program but this one.

Each state is a box whose shape says its kind, a column to the right of what leads to it, and as
high up as its first child. A subtree takes the height of all its leaves, so boxes never meet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ussd_gateway.ussd.tools.graph import Node, told

_BOX = 270
_GAP = 150  # between columns; the labels of lines stand there
_LINE = 14
_HEAD = 22
_PAD = 8
_APART = 14  # between one box and the next below it
_MARGIN = 24
_LEGEND = 44
_name_letters = 34
_line_letters = 40
_label_letters = 20

_FILLS = {
    "menu": "#e8f1fb",
    "input": "#fff6da",
    "secret": "#f3e8fb",
    "list": "#e2f5ea",
    "call": "#f4f4f4",
    "decide": "#fbe9dd",
    "end": "#ffffff",
}
_STYLE = """
text { font: 11px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1c2733 }
.name { font-weight: bold; font-size: 12px }
.quiet { fill: #5b6b7c; font-size: 10px }
.label { fill: #24527a; font-size: 10px }
.count { fill: #8a4b08; font-size: 10px }
.shape { stroke: #5b6b7c; stroke-width: 1.2 }
.money { stroke: #c0392b; stroke-width: 3.5 }
.unreached { stroke: #c0392b; stroke-dasharray: 5 3 }
.way { fill: none; stroke: #8795a8; stroke-width: 1.3 }
"""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Placed:
    node: Node
    lines: tuple[_Line, ...]
    x: int
    y: int
    height: int
    children: tuple["_Placed", ...]


def svg(roots: Sequence[Node], *, title: str) -> str:
    """A whole document, of the size that it needs."""
    placed = []
    below = _MARGIN + _LEGEND
    for root in roots:
        box = _place(root, _MARGIN, below)
        placed.append(box)
        below = _bottom(box) + 2 * _APART
    width = max(_right(box) for box in placed) + _MARGIN
    body = [part for box in placed for part in _drawn(box)]
    size = f'width="{width}" height="{below}" viewBox="0 0 {width} {below}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{below}" fill="#ffffff"/>',
        *_legend(title),
    )
    return "\n".join((*head, *body, "</svg>", ""))


def _place(node: Node, x: int, y: int) -> _Placed:
    """With its first child beside it, and the others below that one."""
    lines = tuple(_lines(node))
    height = _HEAD + _LINE * len(lines) + _PAD
    children = []
    below = y
    for child in node.children:
        box = _place(child, x + _BOX + _GAP, below)
        children.append(box)
        below = _bottom(box) + _APART
    return _Placed(node, lines, x, y, height, tuple(children))


def _lines(node: Node) -> Iterator[_Line]:
    if node.does:
        yield _Line(node.does, "quiet")
    for dialled in node.dialled:
        yield _Line(dialled, "label")
    if node.count is not None and (words := told(node.count)):
        yield _Line(words, "count")
    for label, target in node.notes:
        yield _Line(target if label == target else f"{label} → {target}", "quiet")


def _bottom(box: _Placed) -> int:
    return max(box.y + box.height, *(_bottom(child) for child in box.children), 0)


def _right(box: _Placed) -> int:
    return max(box.x + _BOX, *(_right(child) for child in box.children), 0)


def _drawn(box: _Placed) -> Iterator[str]:
    for child in box.children:
        yield from _way(box, child)
        yield from _drawn(child)
    node = box.node
    kinds = f"shape{' money' * node.money}{' unreached' * node.unreached}"
    yield (
        f'<path class="{kinds}" fill="{_FILLS[node.kind]}" '
        f'd="{_outline(node.kind, box.x, box.y, box.height)}">'
        f"<title>{escape(f'{node.name}: {node.kind}')}</title></path>"
    )
    yield _text(box.x + 12, box.y + 16, node.name, "name", _name_letters)
    for number, line in enumerate(box.lines):
        at = box.y + _HEAD + _LINE * number + 10
        yield _text(box.x + 12, at, line.text, line.kind, _line_letters)


def _way(box: _Placed, child: _Placed) -> Iterator[str]:
    """From the right of a box to the left of another, by a bend in the middle of the gap."""
    x1, y1 = box.x + _BOX, box.y + 12
    x2, y2 = child.x, child.y + 12
    bend = x1 + 12
    yield f'<path class="way" d="M{x1} {y1} H{bend} V{y2} H{x2 - 6}"/>'
    yield f'<path d="M{x2} {y2} l-7 -4 v8 z" fill="#8795a8"/>'
    yield _text(bend + 5, y2 - 4, child.node.arrives, "label", _label_letters)


def _outline(kind: str, x: int, y: int, height: int) -> str:
    """The shape of a kind; every shape fills the same box."""
    right, bottom = x + _BOX, y + height
    match kind:
        case "menu":
            return _rounded(x, y, height, 6)
        case "input":
            return f"M{x + 8} {y} H{right} L{right - 8} {bottom} H{x} Z"
        case "secret":
            inner = f"M{x + 5} {y} V{bottom} M{right - 5} {y} V{bottom}"
            return f"M{x} {y} H{right} V{bottom} H{x} Z {inner}"
        case "list":
            return f"M{x} {y} H{right} V{bottom} H{x} Z M{x} {y + 4} H{right}"
        case "call":
            middle = y + height / 2
            return (
                f"M{x + 6} {y} H{right - 6} L{right} {middle} L{right - 6} {bottom} "
                f"H{x + 6} L{x} {middle} Z"
            )
        case "decide":
            cut = 8
            return (
                f"M{x + cut} {y} H{right - cut} L{right} {y + cut} V{bottom - cut} "
                f"L{right - cut} {bottom} H{x + cut} L{x} {bottom - cut} V{y + cut} Z"
            )
        case _:
            return _rounded(x, y, height, min(15, height // 2))


def _rounded(x: int, y: int, height: int, radius: int) -> str:
    right, bottom, r = x + _BOX, y + height, radius
    return (
        f"M{x + r} {y} H{right - r} Q{right} {y} {right} {y + r} V{bottom - r} "
        f"Q{right} {bottom} {right - r} {bottom} H{x + r} Q{x} {bottom} {x} {bottom - r} "
        f"V{y + r} Q{x} {y} {x + r} {y} Z"
    )


def _legend(title: str) -> Iterator[str]:
    yield _text(_MARGIN, _MARGIN, title, "name", 120)
    x = _MARGIN
    for kind, fill in _FILLS.items():
        yield (
            f'<rect class="shape" x="{x}" y="{_MARGIN + 10}" width="12" height="12" '
            f'fill="{fill}"/>'
        )
        yield _text(x + 17, _MARGIN + 20, kind, "quiet", 10)
        x += 80
    yield (
        f'<rect class="shape money" x="{x}" y="{_MARGIN + 10}" width="12" height="12" '
        f'fill="{_FILLS["secret"]}"/>'
    )
    yield _text(x + 19, _MARGIN + 20, "moves money", "quiet", 20)


def _text(x: int, y: int, text: str, kind: str, letters: int) -> str:
    if not text:
        return ""
    shown = text if len(text) <= letters else f"{text[: letters - 1]}…"
    whole = "" if shown == text else f"<title>{escape(text)}</title>"
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(shown)}{whole}</text>'
