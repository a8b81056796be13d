"""The languages of a file, and which of them cannot be said in GSM-7."""

import re
from collections.abc import Iterator

from ussd_gateway.domain import gsm7
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row

languages_max = 12

_LANGUAGE = re.compile(r"[a-z]{2}")


def read_languages(node: Node | None, faults: Faults) -> tuple[str, ...]:
    found: list[str] = []
    for item in fields.items(node, faults, where="languages"):
        code = fields.word(item, faults, where="languages")
        if code and (not _LANGUAGE.fullmatch(code) or code in found):
            faults.add("E01", item.line, f"language {code}", "list two-letter codes, each once")
        else:
            found.append(code)
    if node is not None and not 0 < len(found) <= languages_max:
        advice = f"name at least one, and at most {languages_max}"
        faults.add("E01", node.line, "languages", advice)
    return tuple(found[:languages_max])


def find_wide(root: Node, languages: tuple[str, ...], faults: Faults) -> frozenset[str]:
    """The languages that cannot be folded to GSM-7 and stay readable (W12)."""
    found: dict[str, Leaf] = {}
    for language, leaf in _said(root, languages):
        if language not in found and not gsm7.folds(leaf.text):
            found[language] = leaf
    for language, leaf in found.items():
        advice = "it goes out as UCS-2: every text of it has room for half as much"
        faults.add("W12", leaf.line, f"{language} is not GSM-7", advice)
    return frozenset(found)


def _said(node: Node, languages: tuple[str, ...]) -> Iterator[tuple[str, Leaf]]:
    """Every text in one of the languages, wherever it stands."""
    match node:
        case Branch(pairs):
            for key, value in pairs:
                if key.text in languages and isinstance(value, Leaf):
                    yield key.text, value
                else:
                    yield from _said(value, languages)
        case Row(items):
            for item in items:
                yield from _said(item, languages)
        case Leaf():
            pass
