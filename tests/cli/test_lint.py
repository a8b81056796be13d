"""`menu lint` as operators and machines meet it."""

import json
import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.typed import run
from ussd_gateway.files.rules import RULES

LOST = "fixtures/lint/E04_dangling.yaml"
BEYOND = Path("fixtures/lint/folder/W51_limit_beyond_tariffs.yaml")
MANY = "fixtures/lint/W29_six_options.yaml"


@pytest.fixture
def menus(tmp_path: Path) -> Path:
    shutil.copytree("menus", tmp_path / "menus")
    return tmp_path / "menus"


def lint(menus: Path, *words: str) -> CompletedProcess[str]:
    return run("menu", "lint", *words, DATA_DIR=str(menus.parent), MENUS_DIR=str(menus))


def edit(path: Path, old: str, new: str) -> None:
    source = path.read_text("utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), "utf-8")


def test_what_ships_has_no_fault_and_no_warning(menus: Path) -> None:
    done = lint(menus, "--strict")
    assert (done.returncode, done.stdout) == (0, f"{menus}: no faults, 0 warnings\n"), done


def test_every_file_is_read_and_its_faults_are_told_at_once(menus: Path) -> None:
    edit(menus / "agent.yaml", "go: deposit_customer", "go: deposit_costumer")
    edit(menus / "sms.yaml", "{receipt} Sent", "{reciept} Sent")
    edit(menus / "routes.yaml", '"*385#": agent', '"*385#": agents')
    edit(menus / "providers.yaml", '"+": [africastalking]', '"+": [africatalking]')
    done = lint(menus)
    told = [line.split(" ")[:2] for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [(where.split(":")[0], code) for where, code in told] == [
        ("menus/agent.yaml", "E04"),
        ("menus/providers.yaml", "E52"),
        ("menus/routes.yaml", "E04"),
        ("menus/sms.yaml", "E09"),
    ], done.stdout


def test_what_services_work_by_is_read_too(menus: Path) -> None:
    edit(menus / "limits.yaml", "250000.00", "plenty")
    edit(menus / "content.csv", "20.00", "free")
    (menus / "tariffs" / "KE-2024.csv").write_text("tariff,service\n")
    done = lint(menus)
    assert done.returncode == 1
    codes = [line.split(" ")[1] for line in done.stdout.splitlines()]
    assert codes == ["E44", "E44", "E40"], done.stdout


def test_limits_and_tariffs_are_held_against_each_other(menus: Path) -> None:
    shutil.copy(BEYOND, menus / "limits.yaml")
    marked = BEYOND.read_text("utf-8").split("# <- W51")[0].count("\n") + 1
    done = lint(menus, "--strict")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"menus/limits.yaml:{marked}: W51 standard: a transaction of 300000")
    assert lint(menus).returncode == 0


def test_the_mark_that_spreadsheets_put_before_a_file_is_read_over(menus: Path) -> None:
    files = [path for path in menus.rglob("*") if path.suffix in {".csv", ".yaml"}]
    for path in files:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    done = lint(menus, "--strict")
    assert done.returncode == 0, done.stdout


def test_a_pack_is_called_as_its_file_is(menus: Path) -> None:
    edit(menus / "agent.yaml", "pack: agent", "pack: agents")
    done = lint(menus)
    assert done.returncode == 1
    says = r"menus/agent\.yaml:\d+: E01 pack: agents: it is known by its file: write agent\n"
    assert re.fullmatch(says, done.stdout), done.stdout


def test_a_missing_file_is_a_fault_and_no_traceback(menus: Path) -> None:
    (menus / "sms.yaml").unlink()
    done = lint(menus)
    assert done.returncode == 1
    assert done.stdout.startswith("menus/sms.yaml:1: E00 ")


def test_files_are_told_apart_by_what_is_in_them(menus: Path) -> None:
    done = lint(menus, LOST, MANY)
    assert done.returncode == 1
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        [f"{LOST}:33:", "E04"],
        [f"{MANY}:37:", "W29"],
    ]


def test_a_warning_fails_where_lint_is_strict_and_only_there(menus: Path) -> None:
    assert lint(menus, MANY).returncode == 0
    assert lint(menus, "--strict", MANY).returncode == 1


def test_machines_get_json_or_sarif_and_nothing_else(menus: Path) -> None:
    (fault,) = json.loads(lint(menus, "--format", "json", LOST).stdout)
    assert (fault["code"], fault["file"], fault["line"]) == ("E04", LOST, 33)
    sarif = json.loads(lint(menus, "--format", "sarif", LOST).stdout)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["E04"]
    assert json.loads(lint(menus, "--format", "json").stdout) == []


def test_the_rules_are_shown_with_their_reasons(menus: Path) -> None:
    shown = lint(menus, "--rules").stdout
    for code, rule in RULES.items():
        assert f"{code} {rule.name}\n  {rule.why}\n" in shown
