"""Versions of packs: the door through which a turn gets its programs, and how two differ."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row
from ussd_gateway.ussd.menu import Program


class Packs(Protocol):
    """The programs of the packs that are served, by their names."""

    def live(self, pack: str, *, msisdn: str, route: str) -> Program:
        """What a session of this phone, over this route, begins in now. May look for a newer
        one first; never raises."""

    def known(self, pack: str) -> Program:
        """The last that was found for everybody. Asks nobody."""

    def pinned(self, pack: str, digest: str) -> Program | None:
        """What a session began in, however long ago; None where it is retired, cannot be found,
        or no longer loads. May look first. Raises BooksLost."""

    def retired(self, pack: str, digest: str) -> Program | None:
        """The same, retired or not: to compare with what takes its place. Raises BooksLost."""

    def stopped(self) -> frozenset[str]:
        """Names of actions that nothing may ask for now: `send_money` stops `send_money` and
        `send_money.*`. May look first; never raises."""


@dataclass(frozen=True, slots=True)
class OptionAt:
    state: str
    key: str
    go: str


@dataclass(frozen=True, slots=True)
class OptionMoved:
    """It leads where it led, under another key."""

    state: str
    go: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """In one language. `place`: `home.menu.options.1.text`; `before` or `after` is empty where
    there is no such text."""

    place: str
    language: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class VarChange:
    """Of the type of a var that both versions have."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """From one version to another: names of states, and of what stands `beside` them; then what
    has changed within, of the states that both have."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    moved: tuple[OptionMoved, ...] = ()
    options_added: tuple[OptionAt, ...] = ()
    options_removed: tuple[OptionAt, ...] = ()
    texts: tuple[TextChange, ...] = ()
    vars: tuple[VarChange, ...] = ()


@dataclass(slots=True)
class _Options:
    """What has become of the options of a pack's menus."""

    moved: list[OptionMoved] = field(default_factory=list)
    added: list[OptionAt] = field(default_factory=list)
    removed: list[OptionAt] = field(default_factory=list)


def digest_of(source: bytes) -> str:
    """By which a version is known: `Program.digest`, for a file that may not load."""
    return hashlib.sha256(source).hexdigest()[:16]


def changes(before: bytes, after: bytes) -> Changes:
    """What differs but comments and layout, in the order of `after`. What cannot be read has
    no states."""
    old, new = _written(before), _written(after)
    old_states, new_states = _mapping(old.pop("states", {})), _mapping(new.pop("states", {}))
    both = [name for name in new_states if name in old_states]
    options = _options_changed({name: (old_states[name], new_states[name]) for name in both})
    return Changes(
        added=tuple(name for name in new_states if name not in old_states),
        removed=tuple(name for name in old_states if name not in new_states),
        changed=tuple(name for name in both if new_states[name] != old_states[name]),
        beside=tuple(name for name in new | old if new.get(name) != old.get(name)),
        moved=tuple(options.moved),
        options_added=tuple(options.added),
        options_removed=tuple(options.removed),
        texts=tuple(
            _texts_changed(
                old | {name: old_states[name] for name in both},
                new | {name: new_states[name] for name in both},
            )
        ),
        vars=tuple(_vars_changed(_mapping(old.get("vars")), _mapping(new.get("vars")))),
    )


def plain(node: Node) -> object:
    """Without the lines, which change with whatever stands above."""
    match node:
        case Leaf():
            return node.text
        case Branch():
            return {key.text: plain(value) for key, value in node.pairs}
        case Row():
            return [plain(item) for item in node.items]


def _options_changed(states: Mapping[str, tuple[object, object]]) -> _Options:
    found = _Options()
    for state, (before, after) in states.items():
        old, new = _keys(before), _keys(after)
        for go in dict.fromkeys((*old, *new)):
            gone = [key for key in old.get(go, ()) if key not in new.get(go, ())]
            come = [key for key in new.get(go, ()) if key not in old.get(go, ())]
            same = min(len(gone), len(come))
            pairs = zip(gone[:same], come[:same], strict=True)
            found.moved += [OptionMoved(state, go, *pair) for pair in pairs]
            found.removed += [OptionAt(state, key, go) for key in gone[same:]]
            found.added += [OptionAt(state, key, go) for key in come[same:]]
    return found


def _keys(state: object) -> dict[str, list[str]]:
    """Of a menu's options, by where they lead."""
    keys: dict[str, list[str]] = {}
    options = _mapping(_mapping(state).get("menu")).get("options")
    for option in options if isinstance(options, list) else ():
        match option:
            case {"key": str(key), "go": str(go)}:
                keys.setdefault(go, []).append(key)
    return keys


def _texts_changed(old: dict[str, object], new: dict[str, object]) -> Iterator[TextChange]:
    languages = {*_words(old.get("languages")), *_words(new.get("languages"))}
    before, after = dict(_texts(old, languages)), dict(_texts(new, languages))
    for place, language in dict.fromkeys((*after, *before)):
        was, became = before.get((place, language), ""), after.get((place, language), "")
        if was != became:
            yield TextChange(place, language, was, became)


def _texts(
    written: object, languages: set[str], place: str = ""
) -> Iterator[tuple[tuple[str, str], str]]:
    """Every text below, by its place and language."""
    inner = f"{place}." if place else ""
    if isinstance(written, dict):
        for name, value in written.items():
            if name in languages and isinstance(value, str):
                yield (place, name), value
            else:
                yield from _texts(value, languages, f"{inner}{name}")
    if isinstance(written, list):
        for number, item in enumerate(written, start=1):
            name = item.get("key", number) if isinstance(item, dict) else number
            yield from _texts(item, languages, f"{inner}{name}")


def _vars_changed(old: dict[str, object], new: dict[str, object]) -> Iterator[VarChange]:
    for name, kind in new.items():
        if name in old and old[name] != kind:
            yield VarChange(name, _shown(old[name]), _shown(kind))


def _shown(written: object) -> str:
    if isinstance(written, dict):
        return f"{{{', '.join(f'{name}: {_shown(value)}' for name, value in written.items())}}}"
    return str(written)


def _written(source: bytes) -> dict[str, object]:
    root = strict_yaml.read(source, Faults(""))
    return _mapping(plain(root)) if root else {}


def _mapping(written: object) -> dict[str, object]:
    return dict(written) if isinstance(written, Mapping) else {}


def _words(written: object) -> list[str]:
    return (
        [word for word in written if isinstance(word, str)] if isinstance(written, list) else []
    )
