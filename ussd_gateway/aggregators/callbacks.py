"""Reads a row's `request`, and the callback of its own that `ended` may be."""

import re
from collections.abc import Mapping

from ussd_gateway.aggregators.bodies import Reads, form_fields, json_fields
from ussd_gateway.aggregators.row import (
    NETWORK_CODE,
    NETWORK_NAME,
    Bears,
    Callback,
    EndEvent,
    Kind,
    Mark,
)
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Leaf, Node

_READS: Mapping[str, tuple[Reads, bool]] = {
    "form": (form_fields, False),
    "json": (json_fields, False),
    "query": (form_fields, True),
}
_NETWORKS = {"code": NETWORK_CODE, "name": NETWORK_NAME}
_PATH = re.compile(r"[A-Za-z0-9_/-]+(\{[A-Za-z]\w*\}[A-Za-z0-9_/-]*)*")
_SLOT = re.compile(r"\{(\w+)\}")


def callback(node: Node | None, codes: Mapping[str, str], faults: Faults) -> Callback | None:
    """None, with faults, where it cannot be read."""
    if node is None:
        return None
    before = len(faults.errors)
    found = fields.mapping(
        node,
        faults,
        where="request",
        required=("as", "session_id", "msisdn", "service_code", "input"),
        optional=("path", "network", "first_input", "mark", "hop_id"),
    )
    reads, in_query = _reads(found.get("as"), faults)
    service_code, default_code = _service_code(found.get("service_code"), codes, faults)
    how, input_field = _one_of(found.get("input"), ("accumulated", "latest"), "input", faults)
    latest = how == "latest"
    for name in ("first_input", "mark"):
        if how and (name in found) != latest:
            advice = f"{name} belongs to a latest input, and to no other"
            faults.add("E01", node.line, "request", advice)
    if how == "accumulated" and "hop_id" in found:
        advice = "an accumulated input tells its repeats; leave it out"
        faults.add("E01", found["hop_id"].line, "hop_id", advice)
    first, first_input = _first_input(found.get("first_input"), faults)
    network_is, network = _one_of(found.get("network"), tuple(_NETWORKS), "network", faults)
    read = Callback(
        reads=reads,
        in_query=in_query,
        path=_path(found.get("path"), faults),
        session_id=fields.word(found.get("session_id"), faults, where="session_id"),
        msisdn=fields.word(found.get("msisdn"), faults, where="msisdn"),
        service_code=service_code,
        default_code=default_code,
        codes=tuple(sorted(codes, key=len, reverse=True)),
        network=network,
        network_is=_NETWORKS.get(network_is, NETWORK_CODE),
        input=input_field,
        first=first,
        first_input=first_input,
        mark=_mark(found.get("mark"), faults),
        hop_id=fields.word(found.get("hop_id"), faults, where="hop_id"),
    )
    return read if len(faults.errors) == before else None


def end_event(found: Mapping[str, Node], faults: Faults) -> EndEvent:
    """`found` is what stands in `ended`."""
    status = found.get("status")
    said = (
        fields.mapping(status, faults, where="status", required=("field", "words"))
        if status is not None
        else {}
    )
    words = fields.items(said.get("words"), faults, where="words")
    return EndEvent(
        path=_plain_path(found.get("path"), faults),
        session_id=fields.word(found.get("session_id"), faults, where="session_id"),
        status=fields.word(said.get("field"), faults, where="status"),
        words=frozenset(fields.word(word, faults, where="words") for word in words),
        hops=fields.word(found.get("hops"), faults, where="hops"),
        duration_ms=fields.word(found.get("duration_ms"), faults, where="duration_ms"),
    )


def _reads(node: Node | None, faults: Faults) -> tuple[Reads, bool]:
    text = fields.word(node, faults, where="as")
    if node is not None and text and text not in _READS:
        faults.add("E01", node.line, f"as: {text}", fields.nearest(text, tuple(_READS)))
    return _READS.get(text, _READS["form"])


def _one_of(
    node: Node | None, kinds: tuple[str, ...], where: str, faults: Faults
) -> tuple[str, str]:
    """The kind that is given, and its field."""
    if node is None:
        return "", ""
    found = fields.mapping(node, faults, where=where, optional=kinds)
    if len(found) != 1:
        faults.add("E01", node.line, where, f"give one of {', '.join(kinds)}, and its field")
        return "", ""
    [(kind, name)] = found.items()
    return kind, fields.word(name, faults, where=where)


def _service_code(
    node: Node | None, codes: Mapping[str, str], faults: Faults
) -> tuple[str, str]:
    if node is None:
        return "", ""
    found = fields.mapping(node, faults, where="service_code", optional=("sent", "default"))
    if not found:
        advice = "give the field that it is sent in, or a default, or both"
        faults.add("E01", node.line, "service_code", advice)
    default = found.get("default")
    code = fields.word(default, faults, where="default")
    if default is not None and code and code not in codes:
        advice = f"no such service code; {fields.nearest(code, tuple(codes))}"
        faults.add("E04", default.line, code, advice)
    return fields.word(found.get("sent"), faults, where="sent"), code


def _first_input(node: Node | None, faults: Faults) -> tuple[Bears, str]:
    if node is None or (isinstance(node, Leaf) and node.text == Bears.NONE.value):
        return Bears.NONE, ""
    kinds = (Bears.DIALLED.value, Bears.TAIL.value)
    kind, name = _one_of(node, kinds, "first_input", faults)
    return (Bears(kind) if kind else Bears.NONE), name


def _mark(node: Node | None, faults: Faults) -> Mark | None:
    if node is None:
        return None
    names = tuple(kind.value for kind in Kind)
    found = fields.mapping(
        node, faults, where="mark", required=("field", *names[:2]), optional=names[2:]
    )
    words: dict[str, Kind] = {}
    for kind in Kind:
        for item in fields.items(found.get(kind.value), faults, where=kind.value):
            word = fields.word(item, faults, where=kind.value).casefold()
            if word in words:
                faults.add("E01", item.line, word, "it cannot mark two kinds of callback")
            words[word] = kind
    return Mark(fields.word(found.get("field"), faults, where="field"), words)


def _path(node: Node | None, faults: Faults) -> re.Pattern[str]:
    if node is None:
        return re.compile("")
    text = fields.word(node, faults, where="path")
    if not _PATH.fullmatch(text):
        faults.add("E01", node.line, f"path: {text}", "write it as session/{id}/{call}")
        return re.compile("")
    return re.compile(_SLOT.sub(r"(?P<\1>[^/]+)", text))


def _plain_path(node: Node | None, faults: Faults) -> str:
    text = fields.word(node, faults, where="path")
    if node is not None and ("{" in text or not _PATH.fullmatch(text)):
        faults.add("E01", node.line, f"path: {text}", "write a word of an address")
    return text
