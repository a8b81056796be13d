"""`menus/providers.yaml`: what is read of it, and what an operator is told who slipped."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults
from ussd_gateway.sms.plan import Plan, Terms, load_plan, pool_max
from ussd_gateway.ussd.versions import plain

SHIPPED = Path("menus/providers.yaml")
SCHEMA = Path("menus/providers.schema.json")

GOOD = """schema: 1
workers: 2
providers:
  africastalking:
    rate_per_s: 100
    answers_within: 500ms
    senders: {"+": "20384", "+254": PESA, "+2557": "+255711000001"}
  smpp: {rate_per_s: 40, answers_within: 250ms, window: 20, message_ids: hex_then_decimal}
routes:
  "+": [africastalking]
  "+2547": [smpp, africastalking]
"""


def plan(source: str = GOOD) -> Plan:
    found = load_plan(source.encode(), file="providers.yaml")
    assert isinstance(found, Plan), found
    return found


def test_what_is_written_is_read() -> None:
    found = plan()

    assert found.workers == 2
    assert found.terms["smpp"] == Terms(40, 0.25, {}, window=20, decimal_ids=True)
    assert found.terms["africastalking"].rate_per_s == 100
    assert found.routed == ("africastalking", "smpp")


def test_what_ships_leads_every_number_to_one_provider() -> None:
    found = plan(SHIPPED.read_text("utf-8"))

    assert found.routes == {"+": ("africastalking",)}
    assert set(found.terms) == {"africastalking", "smpp"}
    assert found.routed == ("africastalking",)


@pytest.mark.parametrize(
    ("number", "route", "sender"),
    [
        ("+254711000001", ("smpp", "africastalking"), "PESA"),
        ("+254202000001", ("africastalking",), "PESA"),
        ("+255711000002", ("africastalking",), "+255711000001"),
        ("+256772000001", ("africastalking",), "20384"),
    ],
)
def test_the_longest_beginning_of_a_number_counts(
    number: str, route: tuple[str, ...], sender: str
) -> None:
    found = plan()
    assert found.route(Msisdn(number)) == route
    assert found.terms["africastalking"].sender(Msisdn(number)) == sender


def test_a_number_of_no_sender_has_the_providers_own() -> None:
    assert plan().terms["smpp"].sender(Msisdn("+254711000001")) is None


@pytest.mark.parametrize(
    ("workers", "rate", "pool", "in_flight"),
    [
        (1, 100, 74, 148),
        (2, 100, 37, 148),
        (4, 100, 19, 152),
        (64, 2, 1, 128),
        (1, 2000, 200, 400),
    ],
)
def test_a_pool_is_the_workers_share_of_rate_times_latency(
    workers: int, rate: int, pool: int, in_flight: int
) -> None:
    """100 in a second at half a second each, and 40 at a quarter; and our own time with all."""
    source = GOOD.replace("workers: 2", f"workers: {workers}")
    found = plan(source.replace("rate_per_s: 100", f"rate_per_s: {rate}"))
    assert (found.pool, found.in_flight_max) == (pool, in_flight)
    assert found.pool <= pool_max


def test_what_a_provider_carries_is_told_by_how_numbers_begin() -> None:
    found = plan(GOOD.replace('"+2547"', '"+25471": [africastalking]\n  "+2547"'))

    assert found.carried_by("smpp") == [("+2547", ["+25471"])]
    assert found.carried_by("africastalking") == [
        ("+", ["+25471", "+2547"]),
        ("+25471", []),
        ("+2547", ["+25471"]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("schema: 1", "schema: 2", 1, "E01 schema: 2"),
        ("workers: 2", "workers: 0", 2, "E01 workers: 0"),
        ("workers: 2\n", "", 1, "E01 the file: give its `workers`"),
        ("africastalking:\n", "africatalking:\n", 4, "E01 africatalking in providers: did you"),
        ("rate_per_s: 100", "rate_per_s: 2001", 5, "E01 rate_per_s: 2001"),
        ("500ms", "0ms", 6, "E01 answers_within: 0ms"),
        ("500ms", "0.5s", 6, "E01 answers_within: 0.5s"),
        ("500ms", "10001ms", 6, "E01 answers_within: 10001ms"),
        ("PESA", "PESA YA WATU", 7, "E01 sender PESA YA WATU"),
        ("PESA", "PESÀ", 7, "E01 sender PESÀ"),
        ('"20384"', '"12"', 7, "E01 sender 12"),
        ('"+254":', '"254":', 7, "E01 254"),
        ("    senders", "    window: 10\n    senders", 7, "E01 window in africastalking"),
        ("window: 20, ", "", 8, "E01 smpp: give its `window`"),
        ("window: 20", "window: 201", 8, "E01 window: 201"),
        ("hex_then_decimal", "decimal", 8, "E01 message_ids: decimal"),
        ('"+": [africastalking]', '"+1": [africastalking]', 10, "E52 routes"),
        ("[smpp, africastalking]", "[]", 11, "E52 the route of +2547"),
        ("[smpp, africastalking]", "[smpp, smpp]", 11, "E52 smpp twice in +2547"),
        ("[smpp, africastalking]", "[file]", 11, "E52 file in +2547"),
        ("[smpp, africastalking]", "smpp", 11, "E01 the route of +2547: write a list"),
        ('"+2547"', '"07"', 11, "E01 07"),
    ],
)
def test_a_slip_is_told_at_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    found = load_plan(GOOD.replace(old, new, 1).encode(), file="providers.yaml")
    assert isinstance(found, list)
    assert any(str(fault).startswith(f"providers.yaml:{line}: {says}") for fault in found), (
        found
    )


def test_all_slips_are_told_at_once() -> None:
    broken = GOOD.replace("workers: 2", "workers: x").replace("250ms", "soon")
    found = load_plan(broken.encode(), file="providers.yaml")
    assert isinstance(found, list)
    assert [fault.line for fault in found] == [2, 8]


def test_an_empty_file_is_a_fault() -> None:
    assert isinstance(load_plan(b"", file="providers.yaml"), list)


# --- what editors know of it


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("source", [GOOD, SHIPPED.read_text("utf-8")], ids=["good", "shipped"])
def test_the_schema_takes_what_is_right(source: str, validator: Draft202012Validator) -> None:
    """As the gateway reads it, and as an editor does."""
    root = strict_yaml.read(source.encode(), Faults(""))
    assert root is not None
    for read in (plain(root), yaml.safe_load(source)):
        assert [error.message for error in validator.iter_errors(read)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("workers: 2", "workers: 65"),
        ("workers: 2\n", ""),
        ("smpp:", "smmp:"),
        ("500ms", "0.5s"),
        ("PESA", "PESA YA WATU"),
        ("window: 20, ", ""),
        ("hex_then_decimal", "decimal"),
        ('"+": [africastalking]', '"+1": [africastalking]'),
        ("[smpp, africastalking]", "[]"),
        ("[smpp, africastalking]", "[smpp, smpp]"),
    ],
)
def test_the_schema_marks_a_wrong_shape(
    old: str, new: str, validator: Draft202012Validator
) -> None:
    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace(old, new, 1))))


def test_the_shipped_file_names_its_schema() -> None:
    first, _, _ = SHIPPED.read_text("utf-8").partition("\n")
    assert first == f"# yaml-language-server: $schema={SCHEMA.name}"
