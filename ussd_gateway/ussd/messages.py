"""SMS texts: `menus/sms.yaml`, read as strictly as screens are, and measured in segments.

vars:     {amount: money, name: text(20), ...}      all that a message may show
commands: balance: [BAL, SALIO]                     what people ask by SMS, and by which words
messages: sent: {en: "...", sw: "..."}              each in every language, one segment at worst

Of the vars, `lines(4,30)` is four lines of thirty septets each. A command that is given no
words is not offered. A segment has 160 septets; or 70 characters, in a language that cannot be
said in GSM-7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.texted import COMMANDS, Ask, plain
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd.lint.money import check_texts
from ussd_gateway.ussd.menu import Text
from ussd_gateway.ussd.reading.header import USUAL
from ussd_gateway.ussd.reading.known import Known
from ussd_gateway.ussd.reading.languages import find_wide, read_languages
from ussd_gateway.ussd.reading.naming import check_name
from ussd_gateway.ussd.render import fitter, render, septets_at_worst

SCHEMA = "1"

_TYPE = re.compile(r"text\(([0-9]{1,2})\)")
_LINES = re.compile(r"lines\(([0-9]),([0-9]{1,2})\)")
_WORD = re.compile(r"[^\W\d_]{2,20}")


@dataclass(frozen=True, slots=True)
class Messages:
    """Every template, in every language of the file. The first stands in for others."""

    languages: tuple[str, ...]
    vars: Mapping[str, VarType]
    texts: Mapping[str, Text]
    commands: Mapping[str, Ask]  # by their words, which are `texted.plain`
    warnings: tuple[Fault, ...]

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
        root,
        faults,
        where="the file",
        required=("schema", "languages", "vars", "messages"),
        optional=("commands",),
    )
    fields.expect(header.get("schema"), SCHEMA, faults, where="schema")
    declared = _vars(header.get("vars"), faults)
    languages = read_languages(header.get("languages"), faults)
    known = Known(
        languages=languages,
        wide=find_wide(root, languages, faults),
        money_max=money_max,
        actions={},
        vars={},
        names=declared,
        states=(),
        nav=USUAL,
        faults=faults,
    )
    texts = _texts(header.get("messages"), known, templates, line=root.line)
    commands = _commands(header.get("commands"), faults)
    check_texts(
        ((f"message {name}", text) for name, text in texts.items()),
        money={name for name, kind in declared.items() if kind.kind == "money"},
        languages=languages,
        ours=money_max.currency,
        faults=faults,
    )
    if faults.errors:
        return faults.in_order
    return Messages(languages, declared, texts, commands, faults.warnings)


def _vars(node: Node | None, faults: Faults) -> dict[str, VarType]:
    found = {}
    for key, value in fields.pairs(node, faults, where="vars"):
        if not check_name(key, faults):
            continue
        text = fields.word(value, faults, where=key.text)
        match = _TYPE.fullmatch(text)
        if text == "money":
            found[key.text] = VarType("money")
        elif match:
            found[key.text] = VarType("text", int(match[1]))
        elif match := _LINES.fullmatch(text):
            found[key.text] = VarType("lines", int(match[2]), count=int(match[1]))
        elif text:
            advice = "write money, text(20) or lines(4,30)"
            faults.add("E01", key.line, f"{key.text}: {text}", advice)
    return found


def _commands(node: Node | None, faults: Faults) -> dict[str, Ask]:
    """A word is of one command, whatever the language: nobody says which they write in."""
    found: dict[str, Ask] = {}
    for key, value in fields.pairs(node, faults, where="commands"):
        if key.text not in COMMANDS:
            advice = fields.nearest(key.text, sorted(COMMANDS))
            faults.add("E01", key.line, f"command {key.text}", advice)
            continue
        for item in fields.items(value, faults, where=f"command {key.text}"):
            written = fields.word(item, faults, where=f"command {key.text}")
            word = plain(written)
            if written and not _WORD.fullmatch(word):
                advice = "write one word of letters, 2 to 20"
                faults.add("E01", item.line, f"command {key.text}: {written}", advice)
            elif word in found:
                advice = f"it asks for {found[word].value} already"
                faults.add("E01", item.line, f"command {key.text}: {written}", advice)
            elif word:
                found[word] = COMMANDS[key.text]
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
        found[key.text] = known.text(value, where=f"message {key.text}", line=key.line)
        for language in known.languages:
            _check_segment(key.text, found[key.text], language, known.faults)
    for name in sorted(templates - found.keys()):
        known.faults.add("E01", line, f"no message {name}", "the gateway sends it: write it")
    return found


def _check_segment(name: str, text: Text, language: str, faults: Faults) -> None:
    """E11: what is longer than one segment costs as two."""
    most, unit, cost = gsm7.SMS_SEPTETS_MAX, "septets", septets_at_worst(text, language)
    if language in text.wide:
        most, unit, cost = gsm7.SMS_UNITS_MAX, "characters", cost // 2
    if cost > most:
        found = f"message {name} in {language}: {cost} {unit} at worst"
        faults.add("E11", text.line_in(language), found, f"shorten it to {most}, one segment")
