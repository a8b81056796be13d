"""The table of routes: what stands in it, and what is told of one that cannot be read."""

import pytest

from tests.aggregators.samples import ROUTES, SHIPPED
from ussd_gateway.aggregators.table import Table, load_table
from ussd_gateway.files.faults import Fault

RIGHT = """\
schema: 1
service_codes:
  "*384#": customer
not_served:
  en: Not in service.
  sw: Haitumiki.
routes:
  adds:
    request:
      as: form
      session_id: id
      msisdn: number
      service_code: {sent: code}
      network: {code: network}
      input: {accumulated: text}
    reply:
      text: {continue: "CON {screen}", end: "END {screen}"}
    ended:
      path: events
      session_id: id
      status: {field: status, words: [Success, Failed]}
      hops: hops
      duration_ms: took
      reply: {text: OK}
    budget: {septets: 160}
    limits: {answer_within: 15s, silence: 30s, session: 3m}
    repeats: text
  newest:
    request:
      as: json
      path: session/{id}/{call}
      session_id: id
      msisdn: number
      service_code: {default: "*384#"}
      network: {name: network}
      input: {latest: text}
      first_input: {dialled: text}
      mark: {field: call, begins: [start], goes_on: [more], ended: [end]}
      hop_id: hop
    reply:
      joined:
        by: "|"
        line_break: "^"
        values: ["{id}", {continue: MORE, end: END}, "{screen}"]
    ended:
      reply: {json: {code: 200, ok: true, id: "{id}"}}
    budget: {septets: 160, forbids: "|^"}
    limits: {answer_within: 10s, silence: 30s, session: 2m}
    repeats: hop_id
"""


def read(source: str) -> Table | list[Fault]:
    return load_table(source.encode(), file="routes.yaml", packs={"customer"})


def test_the_shipped_table_has_the_eight_routes() -> None:
    assert ROUTES == (
        "africastalking",
        "hubtel",
        "nalo",
        "arkesel",
        "wigal",
        "beem",
        "moolre",
        "infobip",
    )
    assert SHIPPED.service_codes == {"*384#": "customer", "*385#": "agent"}
    assert SHIPPED.not_served["sw"].startswith("Namba")


def test_a_route_carries_what_a_turn_has_to_know() -> None:
    first, wigal = SHIPPED.wires["africastalking"], SHIPPED.wires["wigal"]

    assert (first.route.name, first.route.accumulates) == ("africastalking", True)
    assert (first.route.answer_within_s, first.route.septets_max) == (15, 160)
    assert (first.limits.silence_s, first.limits.session_s) == (30, 180)
    assert first.route.forbids == frozenset()
    assert wigal.route.forbids == frozenset("$<&|^")
    assert not wigal.route.accumulates


def test_a_table_that_is_right_is_read() -> None:
    table = read(RIGHT)
    assert isinstance(table, Table), "\n".join(map(str, table))
    assert list(table.wires) == ["adds", "newest"]


@pytest.mark.parametrize(
    ("old", "new", "code", "found"),
    [
        ("schema: 1", "schema: 2", "E01", "schema: 2"),
        ("schema: 1", "schema: &s 1", "E00", "anchor &s"),
        ('  "*384#": customer', "  384: customer", "E01", "384"),
        ('"*384#": customer', '"*384#": custom', "E04", "custom"),
        ("  en: Not", "  english: Not", "E01", "english"),
        ("Haitumiki.", "H" * 161, "E11", "not_served in sw"),
        ("Haitumiki.", "Hai|tumiki.", "E12", "not_served in sw"),
        ("\n  en: Not in service.\n  sw: Haitumiki.", " {}", "E08", "not_served"),
        ("  adds:", "  Adds:", "E01", "Adds"),
        ("as: form", "as: xml", "E01", "as: xml"),
        (
            "      msisdn: number\n      service_code: {sent",
            "      service_code: {sent",
            "E01",
            "request",
        ),
        (
            "      msisdn: number\n      service_code: {sent",
            "      phone: number\n      service_code: {sent",
            "E01",
            "phone in request",
        ),
        ("{sent: code}", "{}", "E01", "service_code"),
        ('{default: "*384#"}', '{default: "*385#"}', "E04", "*385#"),
        ("{code: network}", "{code: network, name: network}", "E01", "network"),
        ("{accumulated: text}", "{every: text}", "E01", "every in input"),
        ("{accumulated: text}", "{accumulated: text}\n      hop_id: hop", "E01", "hop_id"),
        (
            "{accumulated: text}",
            "{accumulated: text}\n      first_input: none",
            "E01",
            "request",
        ),
        ("{latest: text}", "{accumulated: text}", "E01", "request"),
        (
            "first_input: {dialled: text}",
            "first_input: {typed: text}",
            "E01",
            "typed in first_input",
        ),
        ("begins: [start]", "begins: [more]", "E01", "more"),
        ("begins: [start]", "begins: start", "E01", "begins"),
        ("session/{id}/{call}", "session/{id/{call}", "E01", "path: session/{id/{call}"),
        ("path: events", "path: events/{id}", "E01", "path: events/{id}"),
        ("      hops: hops\n", "", "E01", "ended: hops"),
        ("      path: events\n", "", "E01", "ended"),
        ("words: [Success", "wards: [Success", "E01", "wards in status"),
        (", ended: [end]", "", "E01", "ended"),
        (
            '    ended:\n      reply: {json: {code: 200, ok: true, id: "{id}"}}\n',
            "",
            "E01",
            "newest",
        ),
        ('end: "END {screen}"', "end: END", "E01", "reply"),
        ('"CON {screen}"', '"CON {scren} now"', "E09", "CON {scren} now"),
        ("{text: OK}", '{text: "{screen}"}', "E01", "reply"),
        ("{text: OK}", "{text: OK, json: {}}", "E01", "reply"),
        ("{text: OK}", "{text: [OK]}", "E01", "a reply"),
        (', "{screen}"]', "]", "E01", "reply"),
        ('by: "|"', 'by: "||"', "E01", "joined"),
        ('forbids: "|^"', 'forbids: "|"', "E12", "joined in newest"),
        ('forbids: "|^"', 'forbids: "|^a"', "E01", "forbids"),
        ("{septets: 160}", "{septets: 200}", "E01", "septets: 200"),
        ("answer_within: 15s", "answer_within: soon", "E01", "answer_within: soon"),
        ("answer_within: 15s", "answer_within: 90s", "E01", "answer_within: 90s"),
        ("answer_within: 15s", "answer_within: 1s", "E01", "answer_within"),
        ("answer_within: 15s", "answers_within: 15s", "E01", "answers_within in limits"),
        ("session: 2m", "session: 20s", "E01", "session"),
        ("repeats: text", "repeats: time", "E01", "repeats: time"),
        ("repeats: hop_id", "repeats: time", "E01", "repeats: time"),
    ],
)
def test_a_fault_is_told_by_code_and_line(old: str, new: str, code: str, found: str) -> None:
    assert RIGHT.count(old) >= 1, old
    source = RIGHT.replace(old, new, 1)
    faults = read(source)

    assert isinstance(faults, list), "it was read"
    assert (code, found) in [(fault.code, fault.found) for fault in faults], faults
    assert all(1 <= fault.line <= source.count("\n") for fault in faults)
    assert all(fault.advice for fault in faults)


def test_every_fault_of_every_row_is_told() -> None:
    faults = read(RIGHT.replace("septets: 160", "septets: 1").replace("silence", "quiet"))
    assert isinstance(faults, list)
    assert len({fault.line for fault in faults}) == 4


@pytest.mark.parametrize("source", ["", "[]", "routes", "schema: 1\nroutes: {}\n"])
def test_what_is_no_table_is_told(source: str) -> None:
    assert isinstance(read(source), list)
