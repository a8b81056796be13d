"""The operators' packs and SMS texts, compiled once a process for the same octets and terms.

Most of what a gateway does before it answers is to compile them, and whoever opens many of them
in one process, as `menu test` does for its transcripts, would compile the same each time. A
program is frozen and knows actions by their names alone, so that it serves every gateway.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Never

from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Action, Call, Route
from ussd_gateway.ussd import messages
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.messages import Messages
from ussd_gateway.ussd.reading import loader

kept_max = 16


@dataclass(frozen=True, slots=True)
class Offered:
    """Actions as packs are checked against them: two are equal that differ in `run` alone,
    and nothing that runs is held on to."""

    terms: Hashable
    actions: Mapping[str, Action] = field(compare=False)


def offered(actions: Mapping[str, Action]) -> Offered:
    unbound = {name: replace(action, run=_not_here) for name, action in actions.items()}
    return Offered(_hashable(unbound), unbound)


def load_pack(
    source: bytes, *, file: str, actions: Offered, money_max: Money, routes: Sequence[Route]
) -> Program | list[Fault]:
    """`loader.load_pack`."""
    found = _pack(source, file, actions, money_max, tuple(routes))
    return found if isinstance(found, Program) else list(found)


def load_messages(
    source: bytes, *, file: str, templates: frozenset[str], money_max: Money
) -> Messages | list[Fault]:
    """`messages.load_messages`."""
    found = _messages(source, file, templates, money_max)
    return found if isinstance(found, Messages) else list(found)


@lru_cache(maxsize=kept_max)
def _pack(
    source: bytes, file: str, actions: Offered, money_max: Money, routes: tuple[Route, ...]
) -> Program | tuple[Fault, ...]:
    found = loader.load_pack(
        source, file=file, actions=actions.actions, money_max=money_max, routes=routes
    )
    return found if isinstance(found, Program) else tuple(found)


@lru_cache(maxsize=kept_max)
def _messages(
    source: bytes, file: str, templates: frozenset[str], money_max: Money
) -> Messages | tuple[Fault, ...]:
    found = messages.load_messages(source, file=file, templates=templates, money_max=money_max)
    return found if isinstance(found, Messages) else tuple(found)


def _not_here(_call: Call) -> Never:
    raise AssertionError("a program knows actions by their names: it runs none")


def _hashable(value: object) -> Hashable:
    """Equal for whatever is equal, all the way down."""
    if isinstance(value, Mapping):
        return tuple((key, _hashable(each)) for key, each in value.items())
    if is_dataclass(value):
        return tuple(_hashable(getattr(value, each.name)) for each in fields(value))
    assert isinstance(value, Hashable), value
    return value
