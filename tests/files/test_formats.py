"""Faults in each format: for people, for programs, for code hosts and editors."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from ussd_gateway.files.faults import Fault
from ussd_gateway.files.formats import FORMATS, as_json, as_sarif, as_text
from ussd_gateway.files.rules import RULES

LOST = Fault("E04", "menus/customer.yaml", 7, "buy", "no such state; did you mean bye?")
WIDE = Fault("W12", "menus/mfano wa pili.yaml", 9, "'Ŵeka'", "not GSM-7")
PUBLISHED = json.loads(Path("fixtures/schemas/sarif-2.1.0.json").read_text("utf-8"))


def test_text_is_a_line_a_fault() -> None:
    assert as_text([LOST, WIDE]).splitlines() == [
        "menus/customer.yaml:7: E04 buy: no such state; did you mean bye?",
        "menus/mfano wa pili.yaml:9: W12 'Ŵeka': not GSM-7",
    ]


def test_json_has_every_part_of_a_fault() -> None:
    assert json.loads(as_json([LOST, WIDE])) == [
        {
            "code": "E04",
            "rule": "dangling-target",
            "severity": "error",
            "file": "menus/customer.yaml",
            "line": 7,
            "found": "buy",
            "advice": "no such state; did you mean bye?",
        },
        {
            "code": "W12",
            "rule": "not-gsm7",
            "severity": "warning",
            "file": "menus/mfano wa pili.yaml",
            "line": 9,
            "found": "'Ŵeka'",
            "advice": "not GSM-7",
        },
    ]


@pytest.mark.parametrize("faults", [[], [LOST], [LOST, WIDE]])
def test_sarif_is_valid_by_the_published_schema(faults: list[Fault]) -> None:
    Draft4Validator(PUBLISHED).validate(json.loads(as_sarif(faults)))


def test_sarif_names_each_rule_with_its_help_and_each_fault_with_its_place() -> None:
    run = json.loads(as_sarif([LOST, WIDE]))["runs"][0]

    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    lost, wide = run["results"]
    assert (lost["level"], wide["level"]) == ("error", "warning")
    assert rules[lost["ruleIndex"]]["id"] == lost["ruleId"] == "E04"
    place = wide["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "menus/mfano%20wa%20pili.yaml"
    assert place["region"] == {"startLine": 9}


def test_no_fault_is_a_whole_document_for_machines_and_nothing_for_people() -> None:
    assert {name: bool(form([]).strip("[]")) for name, form in FORMATS.items()} == {
        "text": False,
        "json": False,
        "sarif": True,
    }
