"""SMS texts: `menus/sms.yaml`, read as strictly as screens are, and measured in segments.

vars:     {amount: money, name: text(20), ...}      all that a message may show
messages: sent: {en: "...", sw: "..."}              each in every language, one segment at worst
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd.menu import Nav, Text
from ussd_gateway.ussd.reading.known import Known
from ussd_gateway.ussd.render import fitter, render, septets_at_worst

SCHEMA = "1"

_TYPE = re.compile(r"text\(([0-9]{1,2})\)")


@dataclass(frozen=True, slots=True)
class Messages:
    """Every template, in every language of the file. The first stands in for others."""

    languages: tuple[str, ...]
    vars: Mapping[str, VarType]
    texts: Mapping[str, Text]

    def render(self, template: str, language: str, values: Mapping[str, Scalar]) -> str:
        """The SMS as it goes out. `values` beyond the declared vars are left alone."""
        shown = {
            name: fitter(kind)(values[name])
            for name, kind in self.vars.items()
            if name in values
        }
        spoken = language if language in self.languages else self.languages[0]
        return render(self.texts[template], spoken, shown)


def load_messages(
    source: bytes, *, file: str, templates: frozenset[str], money_max: Money
) -> Messages | list[Fault]:
    """`templates` are the messages that services send: each must be there, and no other."""
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write messages")]

    header = fields.mapping(
        root, faults, where="the file", required=("schema", "languages", "vars", "messages")
    )
    schema = fields.word(header.get("schema"), faults, where="schema")
    if schema != SCHEMA:
        faults.add("E01", root.line, f"schema: {schema}", f"this gateway reads {SCHEMA}")
    declared = _vars(header.get("vars"), faults)
    languages = tuple(
        fields.word(item, faults, where="languages")
        for item in fields.items(header.get("languages"), faults, where="languages")
    )
    known = Known(
        languages=languages,
        money_max=money_max,
        actions={},
        vars={},
        names=declared,
        states=(),
        nav=Nav(back="0", home="00"),
        faults=faults,
    )
    texts = _texts(header.get("messages"), known, templates, line=root.line)
    return faults.errors or Messages(languages, declared, texts)


def _vars(node: Node | None, faults: Faults) -> dict[str, VarType]:
    found = {}
    for key, value in fields.pairs(node, faults, where="vars"):
        text = fields.word(value, faults, where=key.text)
        match = _TYPE.fullmatch(text)
        if text == "money":
            found[key.text] = VarType("money")
        elif match:
            found[key.text] = VarType("text", int(match[1]))
        elif text:
            faults.add("E01", key.line, f"{key.text}: {text}", "write money or text(20)")
    return found


def _texts(
    node: Node | None, known: Known, templates: frozenset[str], *, line: int
) -> dict[str, Text]:
    found = {}
    for key, value in fields.pairs(node, known.faults, where="messages"):
        if key.text not in templates:
            advice = fields.nearest(key.text, sorted(templates))
            known.faults.add("E01", key.line, f"message {key.text}", advice)
            continue
        text = known.text(value, where=f"message {key.text}", line=key.line)
        found[key.text] = text
        for language in known.languages:
            septets = septets_at_worst(text, language)
            if septets > gsm7.SMS_SEPTETS_MAX:
                known.faults.add(
                    "E11",
                    key.line,
                    f"message {key.text} in {language}: {septets} septets at worst",
                    f"shorten it to {gsm7.SMS_SEPTETS_MAX}, one segment",
                )
    for name in sorted(templates - found.keys()):
        known.faults.add("E01", line, f"no message {name}", "the gateway sends it: write it")
    return found
