"""Faults as people read them, and as machines do: text, JSON, SARIF 2.1.0.

JSON is an array of objects: code, rule, severity, file, line, found, advice.
SARIF is what code hosts and editors take (docs.oasis-open.org/sarif/sarif/v2.1.0).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from ussd_gateway.files.faults import Fault
from ussd_gateway.files.rules import RULES, Rule

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
TOOL = "ussd-gateway menu lint"

_Object = dict[str, object]


def as_text(faults: Iterable[Fault]) -> str:
    return "\n".join(map(str, faults))


def as_json(faults: Iterable[Fault]) -> str:
    return _written(
        [
            {
                "code": fault.code,
                "rule": RULES[fault.code].name,
                "severity": fault.severity,
                "file": fault.file,
                "line": fault.line,
                "found": fault.found,
                "advice": fault.advice,
            }
            for fault in faults
        ]
    )


def as_sarif(faults: Sequence[Fault]) -> str:
    rules = list(RULES.values())
    driver = {"name": TOOL, "rules": [_described(rule) for rule in rules]}
    results = [_result(fault, rules.index(RULES[fault.code])) for fault in faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _written({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


FORMATS: Mapping[str, Callable[[Sequence[Fault]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
}


def _described(rule: Rule) -> _Object:
    level = "warning" if rule.code.startswith("W") else "error"
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend or rule.why},
        "defaultConfiguration": {"enabled": not rule.reserved, "level": level},
    }


def _result(fault: Fault, rule_index: int) -> _Object:
    place = {
        "artifactLocation": {"uri": quote(fault.file)},
        "region": {"startLine": fault.line},
    }
    return {
        "ruleId": fault.code,
        "ruleIndex": rule_index,
        "level": fault.severity,
        "message": {"text": f"{fault.found}: {fault.advice}"},
        "locations": [{"physicalLocation": place}],
    }


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
