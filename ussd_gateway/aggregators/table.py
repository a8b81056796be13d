"""Reads `routes.yaml`: which pack answers which service code, and the wire of each route.

The file says itself what each of its lines means; here is what must be true of them together.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ussd_gateway.aggregators import answers, callbacks
from ussd_gateway.aggregators.answers import Slots
from ussd_gateway.aggregators.row import Callback, Ending, Limits
from ussd_gateway.aggregators.wire import Wire
from ussd_gateway.domain import gsm7
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ports import Route

SCHEMA = "1"

# A gateway keeps a second of it for the way, and has to have some left.
answer_within_s_least = 3
answer_within_s_max = 60
silence_s_max = 600
session_s_max = 900
septets_least = 40
septets_max = 182  # of 160 octets

_CODE = re.compile(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,2}#")
_LANGUAGE = re.compile(r"[a-z]{2}")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Table:
    service_codes: Mapping[str, str]  # to the name of a pack
    not_served: Mapping[str, str]  # by language
    wires: Mapping[str, Wire]  # by the name of the route


def load_table(
    source: bytes, *, file: str, packs: Collection[str] | None
) -> Table | list[Fault]:
    """The table in `source`, or every fault. `packs` are the names of the packs there are;
    None: not known yet."""
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write the routes")]

    found = fields.mapping(
        root,
        faults,
        where="routes",
        required=("schema", "service_codes", "not_served", "routes"),
    )
    fields.expect(found.get("schema"), SCHEMA, faults, where="schema")
    codes = _service_codes(found.get("service_codes"), packs, faults)
    wires = _wires(found.get("routes"), codes, faults)
    routes = [wire.route for wire in wires.values()]
    not_served = _not_served(found.get("not_served"), routes, faults)
    return faults.errors or Table(codes, not_served, wires)


def _service_codes(
    node: Node | None, packs: Collection[str] | None, faults: Faults
) -> dict[str, str]:
    codes = {}
    for key, value in fields.pairs(node, faults, where="service_codes"):
        pack = fields.word(value, faults, where=key.text)
        if not _CODE.fullmatch(key.text):
            faults.add("E01", key.line, key.text, "write a service code such as *384#")
        elif pack and packs is not None and pack not in packs:
            advice = f"no such pack; {fields.nearest(pack, sorted(packs))}"
            faults.add("E04", value.line, pack, advice)
        codes[key.text] = pack
    return codes


def _not_served(node: Node | None, routes: list[Route], faults: Faults) -> dict[str, str]:
    texts = {}
    for key, value in fields.pairs(node, faults, where="not_served"):
        where = f"not_served in {key.text}"
        text = gsm7.fold(fields.word(value, faults, where=where).strip())
        if not _LANGUAGE.fullmatch(key.text):
            faults.add("E01", key.line, key.text, "name languages by two letters")
        for route in routes:
            if gsm7.septets(text) > route.septets_max:
                advice = f"at most {route.septets_max} septets by {route.name}; shorten it"
                faults.add("E11", value.line, where, advice)
            for sign in sorted(route.forbids.intersection(text)):
                faults.add("E12", value.line, where, f"{route.name} does not carry {sign}")
        texts[key.text] = text
    if node is not None and not texts:
        faults.add("E08", node.line, "not_served", "say it in one language at least")
    return texts


def _wires(node: Node | None, codes: Mapping[str, str], faults: Faults) -> dict[str, Wire]:
    wires = {}
    for key, value in fields.pairs(node, faults, where="routes"):
        if not _NAME.fullmatch(key.text):
            faults.add("E01", key.line, key.text, "name a route in small letters, as in URLs")
        wire = _wire(key.text, value, codes, faults)
        if wire is not None:
            wires[key.text] = wire
    if node is not None and not wires and not faults.errors:
        faults.add("E01", node.line, "routes", "describe one route at least")
    return wires


def _wire(name: str, node: Node, codes: Mapping[str, str], faults: Faults) -> Wire | None:
    before = len(faults.errors)
    row = fields.mapping(
        node,
        faults,
        where=name,
        required=("request", "reply", "budget", "limits", "repeats"),
        optional=("ended",),
    )
    callback = callbacks.callback(row.get("request"), codes, faults)
    slots = Slots(faults)
    reply = answers.shape(row.get("reply"), slots, where="reply")
    ending = _ending(row.get("ended"), callback, slots, faults)
    if ending is None and callback is not None and callback.mark and callback.mark.ends:
        faults.add("E01", node.line, name, "give `ended`: what is answered to it")
    limits = _limits(row.get("limits"), faults)
    septets, forbids = _budget(row.get("budget"), faults)
    if reply is not None and not forbids.issuperset(reply.unsafe):
        advice = f"a screen would break the answer: forbid {reply.unsafe} in its budget"
        faults.add("E12", node.line, f"joined in {name}", advice)
    if callback is not None:
        _check_repeats(row.get("repeats"), callback, faults)
    if len(faults.errors) > before or callback is None or reply is None:
        return None

    route = Route(
        name=name,
        accumulates=callback.mark is None,
        answer_within_s=limits.answer_within_s,
        septets_max=septets,
        forbids=forbids,
        session_s=limits.session_s,
    )
    return Wire(route, limits, callback, reply, ending, echoes=frozenset(slots.echoed))


def _ending(
    node: Node | None, callback: Callback | None, slots: Slots, faults: Faults
) -> Ending | None:
    marked = callback is not None and callback.mark is not None and callback.mark.ends
    if node is None:
        return None

    event = ("session_id", "status", "hops", "duration_ms")
    found = fields.mapping(
        node, faults, where="ended", required=("reply",), optional=("path", *event)
    )
    answer = answers.shape(found.get("reply"), slots, where="reply", last=True)
    of_its_own = "path" in found
    if of_its_own == marked:
        advice = "it has a path of its own, or the mark says it: give the one that is true"
        faults.add("E01", node.line, "ended", advice)
    for name in event:
        if (name in found) != of_its_own:
            advice = f"its {name} goes with a path of its own"
            faults.add("E01", node.line, f"ended: {name}", advice)
    if answer is None:
        return None
    return Ending(callbacks.end_event(found, faults) if of_its_own else None, answer)


def _budget(node: Node | None, faults: Faults) -> tuple[int, frozenset[str]]:
    if node is None:
        return septets_least, frozenset()
    found = fields.mapping(
        node, faults, where="budget", required=("septets",), optional=("forbids",)
    )
    septets = fields.count(
        found.get("septets"), faults, where="septets", least=septets_least, most=septets_max
    )
    forbids = found.get("forbids")
    text = fields.word(forbids, faults, where="forbids")
    if forbids is not None and any(sign.isalnum() or sign.isspace() for sign in text):
        faults.add("E01", forbids.line, "forbids", "menus are made of letters and digits")
    return septets, frozenset(text)


def _limits(node: Node | None, faults: Faults) -> Limits:
    if node is None:
        return Limits(answer_within_s_max, silence_s_max, session_s_max)
    names = {
        "answer_within": answer_within_s_max,
        "silence": silence_s_max,
        "session": session_s_max,
    }
    found = fields.mapping(node, faults, where="limits", required=tuple(names))
    answer_within_s, silence_s, session_s = (
        fields.seconds(found.get(name), faults, where=name, most=most)
        for name, most in names.items()
    )
    if answer_within_s < answer_within_s_least and "answer_within" in found:
        advice = f"at least {answer_within_s_least}s, or nothing could be answered"
        faults.add("E01", found["answer_within"].line, "answer_within", advice)
    if session_s < max(answer_within_s, silence_s) and "session" in found:
        advice = "a session is as long as one answer and one silence at least"
        faults.add("E01", found["session"].line, "session", advice)
    return Limits(answer_within_s, silence_s, session_s)


def _check_repeats(node: Node | None, callback: Callback, faults: Faults) -> None:
    latest = "hop_id" if callback.hop_id else "time"
    rule = latest if callback.mark else "text"
    text = fields.word(node, faults, where="repeats")
    if node is not None and text not in ("", rule):
        faults.add("E01", node.line, f"repeats: {text}", f"by its request it is {rule}")
