"""Which pack answers which code."""

import pytest

from tests.ussd.stand_in import shipped_routes
from ussd_gateway.ussd.routes import load_routes

RIGHT = """\
schema: 1
answer_within: 15s
service_codes:
  "*384#": customer
not_served:
  en: Not in service.
  sw: Haitumiki.
"""


def test_the_shipped_routes_are_right() -> None:
    routes = shipped_routes()
    assert routes.service_codes == {"*384#": "customer", "*385#": "agent"}
    assert routes.answer_within_s == 15
    assert routes.says_not_served("sw").startswith("Namba")
    assert routes.says_not_served(None) == routes.says_not_served("en")


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("schema: 1", "schema: 2", "E01", 1),
        ("answer_within: 15s", "answer_within: soon", "E01", 2),
        ("answer_within: 15s", "answer_within: 90s", "E01", 2),
        ("answer_within: 15s", "answers_within: 15s", "E01", 2),
        ('"*384#"', "384", "E01", 4),
        ('"*384#": customer', '"*384#": custom', "E04", 4),
        ("  en: Not in service.", "  english: Not in service.", "E01", 6),
        ("Haitumiki.", "H" * 161, "E11", 7),
        ("not_served:\n  en: Not in service.\n  sw: Haitumiki.", "not_served: {}", "E08", 5),
        ("schema: 1", "schema: &s 1", "E00", 1),
    ],
)
def test_a_fault_is_told_by_code_and_line(old: str, new: str, code: str, line: int) -> None:
    source = RIGHT.replace(old, new).encode()
    faults = load_routes(source, file="routes.yaml", packs={"customer"})
    assert isinstance(faults, list)
    assert (code, line) in [(fault.code, fault.line) for fault in faults]
