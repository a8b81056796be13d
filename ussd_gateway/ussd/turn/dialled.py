"""A dialled string, `*384*1*0711000002*500#`: a shortcut, or inputs one by one.

The aggregator delivers it as the text of the first hop, `1*0711000002*500`, byte for byte what
three hops would have given.
"""

from collections.abc import Iterator

from ussd_gateway.ports import Scalar
from ussd_gateway.ussd.events import Jump, Session
from ussd_gateway.ussd.menu import Program, Shortcut
from ussd_gateway.ussd.turn.heard import JOINT


def shortcut(program: Program, session: Session, text: str) -> Jump | None:
    """Where the first shortcut that fits all of `text` leads, with what it captures."""
    tokens = text.split(JOINT)
    for each in program.shortcuts:
        if each.when is not None and not each.when.holds(session.values):
            continue
        captured = _captured(each, tokens)
        if captured is not None:
            return Jump(each.go, captured)
    return None


def tokens(text: str) -> Iterator[tuple[int, str]]:
    """Each input and where it begins."""
    offset = 0
    for token in text.split(JOINT):
        yield offset, token
        offset += len(token) + len(JOINT)


def _captured(each: Shortcut, tokens: list[str]) -> dict[str, Scalar] | None:
    if len(tokens) != len(each.tokens):
        return None
    captured: dict[str, Scalar] = {}
    for wanted, token in zip(each.tokens, tokens, strict=True):
        if isinstance(wanted, str):
            if token != wanted:
                return None
            continue
        value = wanted.parse(token)
        if value is None:
            return None
        captured[wanted.name] = value
    return captured
