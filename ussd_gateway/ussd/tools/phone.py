"""A screen in a drawn frame, as wide as a small phone, and such frames side by side."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap

columns = 30  # of the letters that a small phone shows in a row

_WIDTH = columns + 4
_GAP = "  "


def framed(text: str, *, title: str = "", below: str = "") -> list[str]:
    """The lines of a drawn phone. `below`: what is told of the screen."""
    lines = [part for line in text.split("\n") for part in _wrapped(line)]
    return [
        f"╭─{_cut(title):─<{columns + 1}}╮",
        *(f"│ {line:<{columns}} │" for line in lines),
        f"╰{'─' * (columns + 2)}╯",
        *(f" {part}".ljust(_WIDTH) for part in _wrapped(below) if below),
    ]


def beside(blocks: Sequence[Sequence[str]]) -> list[str]:
    """Blocks of lines next to each other, each as wide as a phone."""
    rows = zip_longest(*blocks, fillvalue="")
    return [_GAP.join(f"{line:<{_WIDTH}}" for line in row).rstrip() for row in rows]


def _wrapped(line: str) -> list[str]:
    return wrap(line, columns, drop_whitespace=True) or [""]


def _cut(title: str) -> str:
    return title if len(title) <= columns else f"{title[: columns - 3]}..."
