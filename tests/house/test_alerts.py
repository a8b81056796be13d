"""The alerts of docs/alerts: each is well formed, and asks for figures that there are."""

import re
from pathlib import Path

import pytest
import yaml

from ussd_gateway.store.inquiry import FOR_GOOD, QUANTILES, SMS_STATES

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "docs" / "alerts").glob("*.yaml"))
HEALTH = (ROOT / "ussd_gateway" / "web" / "health.py").read_text("utf-8")
EXPORTED = frozenset(re.findall(r'"(gateway_[a-z_]+)"', HEALTH))
ALERTS = [
    pytest.param(rule, id=rule["alert"])
    for path in RULES
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]


def test_there_are_alerts() -> None:
    assert len(ALERTS) > 5
    assert len({each.id for each in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize("rule", ALERTS)
def test_every_figure_that_an_alert_names_is_exported(rule: dict[str, str]) -> None:
    asked = set(re.findall(r"gateway_[a-z_]+", rule["expr"]))
    assert asked
    assert asked <= EXPORTED


@pytest.mark.parametrize("rule", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]


@pytest.mark.parametrize("rule", ALERTS)
def test_the_states_and_quantiles_that_an_alert_asks_for_exist(rule: dict[str, str]) -> None:
    states = set(re.findall(r'state="(\w+)"', rule["expr"]))
    quantiles = set(re.findall(r'quantile="([0-9.]+)"', rule["expr"]))

    assert states <= {*SMS_STATES, FOR_GOOD}
    assert quantiles <= set(map(str, QUANTILES))


def test_the_sections_that_alerts_send_people_to_are_there() -> None:
    text = "".join(Path(path).read_text("utf-8") for path in RULES)
    sent_to = set(re.findall(r"docs/(\w+\.md), ([\w ]+)", text))
    assert {file for file, _ in sent_to} == {"sms.md", "ledger.md"}
    for file, section in sent_to:
        document = (ROOT / "docs" / file).read_text("utf-8")
        assert re.search(rf"^###? {section}$", document, re.MULTILINE)
