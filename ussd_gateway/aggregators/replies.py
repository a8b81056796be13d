"""The shapes of answers: a text, a JSON object, or values joined by a sign.

A value is written once, at load, as a template: `{screen}`, a field that was sent (`{msisdn}`,
which goes back as it came), a number counted up (`{request_id + 1}`), or one of two for whether
the session goes on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ussd_gateway.aggregators.bodies import Fields, Plain

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

_COUNT = re.compile(r"[0-9]{1,15}")

Tree = Mapping[str, "Tree | Value"]


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer is made of: a screen, and the fields that go back."""

    screen: str
    ends: bool
    echoes: Fields


@dataclass(frozen=True, slots=True)
class Written:
    body: bytes
    content_type: str


class Value(Protocol):
    def of(self, said: Said) -> Plain: ...


@dataclass(frozen=True, slots=True)
class Constant:
    plain: Plain

    def of(self, _said: Said) -> Plain:
        return self.plain


@dataclass(frozen=True, slots=True)
class Around:
    """The screen, with what stands before and behind it."""

    before: str
    after: str

    def of(self, said: Said) -> Plain:
        return f"{self.before}{said.screen}{self.after}"


@dataclass(frozen=True, slots=True)
class Echo:
    """A field as it came; empty where it did not come."""

    name: str
    plus: int = 0

    def of(self, said: Said) -> Plain:
        value = said.echoes.get(self.name, "")
        if not self.plus or not _COUNT.fullmatch(str(value)):
            return value
        following = int(str(value)) + self.plus
        return str(following) if isinstance(value, str) else following


@dataclass(frozen=True, slots=True)
class Either:
    goes_on: Value
    ends: Value

    def of(self, said: Said) -> Plain:
        return (self.ends if said.ends else self.goes_on).of(said)


class Shape(Protocol):
    """`unsafe`: the characters that neither a screen nor a field may hold to stand in it."""

    @property
    def unsafe(self) -> str: ...

    def write(self, said: Said) -> Written: ...


@dataclass(frozen=True, slots=True)
class Text:
    value: Value

    @property
    def unsafe(self) -> str:
        return ""

    def write(self, said: Said) -> Written:
        return Written(str(self.value.of(said)).encode(), TEXT)


@dataclass(frozen=True, slots=True)
class JsonObject:
    tree: Tree

    @property
    def unsafe(self) -> str:
        return ""

    def write(self, said: Said) -> Written:
        return Written(json.dumps(_object(self.tree, said)).encode(), JSON)


@dataclass(frozen=True, slots=True)
class Joined:
    """Values in their places, `line_break` for each line break."""

    by: str
    line_break: str
    values: tuple[Value, ...]

    @property
    def unsafe(self) -> str:
        return f"{self.by}{self.line_break.strip()}"

    def write(self, said: Said) -> Written:
        text = self.by.join(_text(value.of(said)) for value in self.values)
        return Written(text.replace("\n", self.line_break).encode(), TEXT)


def _object(tree: Tree, said: Said) -> dict[str, object]:
    return {
        name: _object(each, said) if isinstance(each, Mapping) else each.of(said)
        for name, each in tree.items()
    }


def _text(plain: Plain) -> str:
    return "" if plain is None else str(plain)
