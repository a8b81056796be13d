"""The table of rules is whole: what is raised stands in it, each rule is broken once."""

import re
from pathlib import Path

from ussd_gateway.files.rules import RULES

_CODE = re.compile(r'"([EW][0-9]{2})"')
_TABLE = Path("ussd_gateway/files/rules.py")


def raised() -> set[str]:
    files = (path for path in Path("ussd_gateway").rglob("*.py") if path != _TABLE)
    return {code for path in files for code in _CODE.findall(path.read_text("utf-8"))}


def test_every_code_that_is_raised_stands_in_the_table_and_the_other_way_round() -> None:
    assert raised() == {code for code, rule in RULES.items() if not rule.reserved}


def test_every_rule_has_a_fixture_that_breaks_it() -> None:
    names = {path.name for path in Path("fixtures/lint").rglob("*_*")}
    of_rule = re.compile(r"(?:sms_|providers_)?([EW]\d\d)_")
    broken = {found[1] for name in names if (found := of_rule.match(name))}
    assert broken == {code for code, rule in RULES.items() if not rule.reserved}


def test_every_rule_says_why_and_how_to_mend_what_breaks_it() -> None:
    for code, rule in RULES.items():
        assert rule.code == code
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name), code
        assert rule.why.endswith(".")
        assert rule.mend.endswith(".") or rule.reserved


def test_no_two_rules_have_one_name() -> None:
    names = [rule.name for rule in RULES.values()]
    assert sorted(names) == sorted(set(names))
