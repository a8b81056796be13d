"""The README is true: every command is in it, and every command in it is there."""

import re
from pathlib import Path

import typer

from ussd_gateway.cli import app
from ussd_gateway.settings import Settings

README = Path("README.md").read_text("utf-8")


def _commands(group: typer.Typer, prefix: str = "") -> set[str]:
    found = set()
    for command in group.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        found.add(prefix + name.replace("_", "-"))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        found |= _commands(inner.typer_instance, f"{prefix}{inner.name} ")
    return found


def test_every_command_is_in_the_readme_and_no_other() -> None:
    table = README.split("## Commands")[1].split("## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {
        re.split(r" [\[A-Z]", words)[0]
        for cell in cells
        for words in re.findall(r"`([^`]+)`", cell)
    }

    assert named == _commands(app)


def test_every_variable_of_the_environment_is_in_the_readme_and_no_other() -> None:
    table = README.split("## The environment")[1].split("## ")[0]
    named = re.findall(r"^\| ([A-Z_, ]+) \|", table, re.MULTILINE)
    variables = {name for cell in named for name in cell.split(", ")}

    assert variables == {name.upper() for name in Settings.model_fields}


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert Path(target).exists(), target


def test_the_session_in_the_readme_is_the_golden_one() -> None:
    golden = Path("fixtures/transcripts/send_money/sent.txt").read_text("utf-8")
    shown = README.split("## A session")[1].split("## ")[0]
    said = [line.strip() for line in shown.splitlines() if line.startswith("    ")]

    assert said
    for line in said:
        assert line.replace("4826", "<PIN>") in golden, line
