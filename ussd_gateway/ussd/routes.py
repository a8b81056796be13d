"""Reads `routes.yaml`: which pack answers which service code, and what is said for others."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ussd_gateway.domain import gsm7
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ussd.render import screen_septets_max

SCHEMA = "1"

answer_within_s_max = 60

_CODE = re.compile(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,2}#")
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Routes:
    service_codes: Mapping[str, str]  # to the name of a pack
    not_served: Mapping[str, str]  # by language
    answer_within_s: int  # how long the aggregator waits for a screen

    def says_not_served(self, wished: str | None) -> str:
        """In the language wished for, or the first of the file."""
        return self.not_served.get(wished or "") or next(iter(self.not_served.values()))


def load_routes(source: bytes, *, file: str, packs: Collection[str]) -> Routes | list[Fault]:
    """The routes in `source`, or every fault. `packs` are the names of the packs there are."""
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write the routes")]

    found = fields.mapping(
        root,
        faults,
        where="routes",
        required=("schema", "answer_within", "service_codes", "not_served"),
    )
    fields.expect(found.get("schema"), SCHEMA, faults, where="schema")
    routes = Routes(
        service_codes=_service_codes(found.get("service_codes"), packs, faults),
        not_served=_not_served(found.get("not_served"), faults),
        answer_within_s=fields.seconds(
            found.get("answer_within"), faults, where="answer_within", most=answer_within_s_max
        ),
    )
    return faults.errors or routes


def _service_codes(node: Node | None, packs: Collection[str], faults: Faults) -> dict[str, str]:
    codes = {}
    for key, value in fields.pairs(node, faults, where="service_codes"):
        pack = fields.word(value, faults, where=key.text)
        if not _CODE.fullmatch(key.text):
            faults.add("E01", key.line, key.text, "write a service code such as *384#")
        elif pack and pack not in packs:
            advice = f"no such pack; {fields.nearest(pack, sorted(packs))}"
            faults.add("E04", value.line, pack, advice)
        codes[key.text] = pack
    return codes


def _not_served(node: Node | None, faults: Faults) -> dict[str, str]:
    texts = {}
    for key, value in fields.pairs(node, faults, where="not_served"):
        text = gsm7.fold(fields.word(value, faults, where=f"not_served in {key.text}").strip())
        if not _LANGUAGE.fullmatch(key.text):
            faults.add("E01", key.line, key.text, "name languages by two letters")
        if gsm7.septets(text) > screen_septets_max:
            advice = f"at most {screen_septets_max} septets; shorten it"
            faults.add("E11", value.line, f"not_served in {key.text}", advice)
        texts[key.text] = text
    if node is not None and not texts:
        faults.add("E08", node.line, "not_served", "say it in one language at least")
    return texts
