"""Each file in fixtures/lint breaks just one rule, and is told of at just the line that says
so: `# <- E04`. The rule is in its name."""

import re
from pathlib import Path

import pytest

from tests.ussd.stand_in import MENUS, MONEY_MAX
from ussd_gateway.app import check_files
from ussd_gateway.files.faults import Fault
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.messages import load_messages

FOLDER = Path("fixtures/lint")
SMS = sorted(FOLDER.glob("sms_*.yaml"))
OTHERS = sorted({*FOLDER.glob("*.yaml"), *FOLDER.glob("*.csv")} - {*SMS})

# All that there are, to the files of messages here.
TEMPLATES = frozenset({"sent", "received"})


def expected(path: Path) -> list[tuple[str, int]]:
    found = re.match(r"(?:sms_|providers_)?([EW][0-9]{2})_", path.name)
    assert found, path.name
    mark = f"# <- {found[1]}"
    lines = path.read_text("utf-8").split("\n")
    marked = [number for number, line in enumerate(lines, 1) if mark in line]
    return [(found[1], line) for line in marked]


@pytest.fixture(scope="module")
def told() -> dict[str, list[Fault]]:
    found: dict[str, list[Fault]] = {str(path): [] for path in OTHERS}
    for fault in check_files(Settings(menus_dir=MENUS), OTHERS):
        found[fault.file].append(fault)
    return found


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_the_broken_rule_is_told_at_its_line(path: Path, told: dict[str, list[Fault]]) -> None:
    faults = told[str(path)]
    found = [(fault.code, fault.line) for fault in faults]
    assert found == expected(path), "\n".join(map(str, faults))


@pytest.mark.parametrize("path", SMS, ids=lambda path: path.stem)
def test_messages_are_held_to_the_same_rules(path: Path) -> None:
    faults = load_messages(
        path.read_bytes(), file=path.name, templates=TEMPLATES, money_max=MONEY_MAX
    )
    if not isinstance(faults, list):
        faults = list(faults.warnings)
    found = [(fault.code, fault.line) for fault in faults]
    assert found == expected(path), "\n".join(map(str, faults))


def test_each_fault_says_what_was_found_and_what_to_do(told: dict[str, list[Fault]]) -> None:
    for faults in told.values():
        assert all(fault.found and fault.advice for fault in faults)
