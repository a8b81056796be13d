"""Versions of packs: the door through which a turn gets its programs, and how two differ."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row
from ussd_gateway.ussd.menu import Program


class Packs(Protocol):
    """The programs of the packs that are served, by their names."""

    def live(self, pack: str) -> Program:
        """What a session begins in now. May look for a newer one first; never raises."""

    def known(self, pack: str) -> Program:
        """The last that `live` found. Asks nobody."""

    def pinned(self, pack: str, digest: str) -> Program | None:
        """What a session began in, however long ago; None where it cannot be found, or no
        longer loads. Raises BooksLost."""


@dataclass(frozen=True, slots=True)
class Changes:
    """From one version to another: names of states, and of what stands `beside` them."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    beside: tuple[str, ...]


def digest_of(source: bytes) -> str:
    """By which a version is known: `Program.digest`, for a file that may not load."""
    return hashlib.sha256(source).hexdigest()[:16]


def changes(before: bytes, after: bytes) -> Changes:
    """What differs but comments and layout, in the order of `after`. What cannot be read has
    no states."""
    old, new = _written(before), _written(after)
    old_states, new_states = _mapping(old.pop("states", {})), _mapping(new.pop("states", {}))
    return Changes(
        added=tuple(name for name in new_states if name not in old_states),
        removed=tuple(name for name in old_states if name not in new_states),
        changed=tuple(
            name
            for name, state in new_states.items()
            if name in old_states and state != old_states[name]
        ),
        beside=tuple(name for name in new | old if new.get(name) != old.get(name)),
    )


def _written(source: bytes) -> dict[str, object]:
    root = strict_yaml.read(source, Faults(""))
    return _mapping(_plain(root)) if root else {}


def _mapping(plain: object) -> dict[str, object]:
    return dict(plain) if isinstance(plain, Mapping) else {}


def _plain(node: Node) -> object:
    """Without the lines, which change with whatever stands above."""
    match node:
        case Leaf():
            return node.text
        case Branch():
            return {key.text: _plain(value) for key, value in node.pairs}
        case Row():
            return [_plain(item) for item in node.items]
