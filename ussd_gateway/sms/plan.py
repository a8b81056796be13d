"""Reads `menus/providers.yaml`: who carries SMS, how fast, from whom, and for which numbers.

The file says itself what each of its lines means; here is what must be true of them together.
A provider is known by what it speaks, and of each there is one: its account stands in the
environment.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Leaf, Node

SCHEMA = "1"

AFRICAS_TALKING = "africastalking"
SMPP = "smpp"
FILE = "file"
NAMES = (AFRICAS_TALKING, SMPP, FILE)

EVERY_NUMBER = "+"

workers_max = 64
rate_per_s_max = 2_000
answers_within_ms_max = 10_000
window_max = 200
# Threads that wait for providers, in one worker.
pool_max = 200
# What a message takes beside its answer: taken from the outbox, put into words, sent. No faster
# than the rate is anybody asked for all that.
own_s = 0.1
# So many pools of all workers are claimed or being sent: one at work, one behind it.
pools_in_flight = 2

_PREFIX = re.compile(r"\+[0-9]{0,12}")
# A name of up to 11 characters, a short code, or a number.
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}|[0-9]{3,8}|\+[1-9][0-9]{7,14}")
_MILLISECONDS = re.compile(r"[0-9]{1,5}ms")
_IDS = ("same", "hex_then_decimal")

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed with a provider. `window` and `decimal_ids` are of SMPP only."""

    rate_per_s: int
    answers_within_s: float
    senders: Mapping[str, str] = field(default_factory=dict)  # by the beginning of the number
    window: int = 1
    decimal_ids: bool = False

    def sender(self, msisdn: Msisdn) -> str | None:
        """From whom a number is written to; None: the provider's own default."""
        return _longest(self.senders, msisdn)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who carries what. `terms` are by the provider's name, `routes` by the beginning of the
    number."""

    workers: int
    terms: Mapping[str, Terms]
    routes: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        assert EVERY_NUMBER in self.routes, "every number has a route"

    def route(self, msisdn: Msisdn) -> tuple[str, ...]:
        """The names of the providers to ask, in order."""
        route = _longest(self.routes, msisdn)
        assert route is not None, "every number has a route"
        return route

    @property
    def routed(self) -> tuple[str, ...]:
        """The names of the providers that some number is sent through."""
        return tuple(dict.fromkeys(name for route in self.routes.values() for name in route))

    def carried_by(self, name: str) -> list[tuple[str, list[str]]]:
        """The numbers that a provider is asked for: by how they begin, each with the longer
        beginnings that have a route of their own."""

        def longer(prefix: str) -> list[str]:
            return [each for each in self.routes if each != prefix and each.startswith(prefix)]

        return [(each, longer(each)) for each, route in self.routes.items() if name in route]

    @property
    def pool(self) -> int:
        """How many messages one worker sends at once: as many as its share of the rates takes,
        each for as long as an answer usually takes, and our own work with it."""
        terms = [self.terms[name] for name in self.routed]
        at_once = sum(each.rate_per_s * (each.answers_within_s + own_s) for each in terms)
        return min(max(math.ceil(at_once / self.workers), 1), pool_max)

    @property
    def in_flight_max(self) -> int:
        """How many messages of all workers may be claimed or being sent."""
        return pools_in_flight * self.pool * self.workers


def load_plan(source: bytes, *, file: str) -> Plan | list[Fault]:
    """The plan in `source`, or every fault."""
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write the providers")]

    found = fields.mapping(
        root,
        faults,
        where="the file",
        required=("schema", "workers", "providers", "routes"),
    )
    fields.expect(found.get("schema"), SCHEMA, faults, where="schema")
    workers = fields.count(
        found.get("workers"), faults, where="workers", least=1, most=workers_max
    )
    terms = _providers(found.get("providers"), faults)
    routes = _routes(found.get("routes"), terms, faults)
    return faults.errors or Plan(workers, terms, routes)


def _providers(node: Node | None, faults: Faults) -> dict[str, Terms]:
    if node is None:
        return {}
    found = fields.mapping(node, faults, where="providers", optional=NAMES)
    return {name: _terms(name, each, faults) for name, each in found.items()}


def _terms(name: str, node: Node, faults: Faults) -> Terms:
    own = ("window", "message_ids") if name == SMPP else ()
    found = fields.mapping(
        node,
        faults,
        where=name,
        required=("rate_per_s", "answers_within", *own),
        optional=("senders",),
    )
    rate_per_s = fields.count(
        found.get("rate_per_s"), faults, where="rate_per_s", least=1, most=rate_per_s_max
    )
    answers_within_s = _answers_within_s(found.get("answers_within"), faults)
    senders = _senders(found.get("senders"), faults)
    if name != SMPP:
        return Terms(rate_per_s, answers_within_s, senders)
    window = fields.count(found.get("window"), faults, where="window", least=1, most=window_max)
    decimal_ids = _decimal_ids(found.get("message_ids"), faults)
    return Terms(rate_per_s, answers_within_s, senders, window, decimal_ids)


def _answers_within_s(node: Node | None, faults: Faults) -> float:
    text = fields.word(node, faults, where="answers_within")
    value = int(text.removesuffix("ms")) if _MILLISECONDS.fullmatch(text) else 0
    if node is not None and text and not 0 < value <= answers_within_ms_max:
        advice = f"write it as 500ms, at most {answers_within_ms_max}ms"
        faults.add("E01", node.line, f"answers_within: {text}", advice)
    return value / 1000


def _decimal_ids(node: Node | None, faults: Faults) -> bool:
    text = fields.word(node, faults, where="message_ids")
    if node is not None and text and text not in _IDS:
        advice = f"write {' or '.join(_IDS)}"
        faults.add("E01", node.line, f"message_ids: {text}", advice)
    return text == _IDS[1]


def _senders(node: Node | None, faults: Faults) -> dict[str, str]:
    senders = {}
    for key, value in fields.pairs(node, faults, where="senders"):
        _check_prefix(key, faults)
        sender = fields.word(value, faults, where=f"the sender of {key.text}")
        if sender and not _SENDER.fullmatch(sender):
            advice = "a name of up to 11 letters and digits, a short code, or a number"
            faults.add("E01", value.line, f"sender {sender}", advice)
        senders[key.text] = sender
    return senders


def _routes(
    node: Node | None, terms: Mapping[str, Terms], faults: Faults
) -> dict[str, tuple[str, ...]]:
    routes = {}
    for key, value in fields.pairs(node, faults, where="routes"):
        _check_prefix(key, faults)
        routes[key.text] = _route(key, value, terms, faults)
    if node is not None and EVERY_NUMBER not in routes:
        faults.add("E52", node.line, "routes", f'give "{EVERY_NUMBER}", which is every number')
    return routes


def _route(
    key: Leaf, node: Node, terms: Mapping[str, Terms], faults: Faults
) -> tuple[str, ...]:
    names = []
    for item in fields.items(node, faults, where=f"the route of {key.text}"):
        name = fields.word(item, faults, where=f"the route of {key.text}")
        if name in names:
            faults.add("E52", item.line, f"{name} twice in {key.text}", "name it once")
        elif name and name not in terms:
            advice = f"no such provider here; {fields.nearest(name, sorted(terms))}"
            faults.add("E52", item.line, f"{name} in {key.text}", advice)
        names.append(name)
    if not names:
        faults.add("E52", node.line, f"the route of {key.text}", "name one provider at least")
    return tuple(names)


def _check_prefix(key: Leaf, faults: Faults) -> None:
    if not _PREFIX.fullmatch(key.text):
        advice = 'write how the number begins, with its country: "+2547"'
        faults.add("E01", key.line, key.text, advice)


def _longest(by_prefix: Mapping[str, _Value], msisdn: Msisdn) -> _Value | None:
    """Of the longest beginning of the number that is there."""
    prefixes = (msisdn[:length] for length in range(len(msisdn), 0, -1))
    return next((by_prefix[each] for each in prefixes if each in by_prefix), None)
