"""Tries every mutant in a copy of the tree, with the tests that are to fail there.

The tests pass there first without any mutant. A mutant that no longer fits the code, or that
keeps its tests from running at all, is not caught: it shows nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.mutants.taken_away import MUTANTS, Mutant
from tests.chaos.report import Report

COPIED = ("ussd_gateway", "tests", "menus", "fixtures", "pyproject.toml")
# pytest's word for "tests ran, and some failed".
FAILED = 1
tests_within_s = 120.0
all_within_s = 600.0
said_max = 300


def each(report: Report, folder: Path) -> None:
    copy = folder / "tree"
    for name in COPIED:
        _copy(Path(name), copy / name)
    began = time.monotonic()
    named = sorted({test for mutant in MUTANTS for test in mutant.tests})
    code, said = _run(copy, named, all_within_s)
    if code != 0:
        report.broken.append(f"the tests fail without any mutant: {said[-said_max:]}")
        return
    caught = sum(_try(copy, mutant, report) for mutant in MUTANTS)
    took_s = time.monotonic() - began
    report.add({"mutants": f"{caught} of {len(MUTANTS)} caught, in {took_s:.0f} s"})


def _try(copy: Path, mutant: Mutant, report: Report) -> bool:
    """Whether it was caught."""
    file = copy / mutant.file
    whole = file.read_text("utf-8")
    if whole.count(mutant.old) != 1:
        report.broken.append(f"{mutant.name}: no longer fits {mutant.file}: {mutant.old!r}")
        report.add({mutant.name: "does not fit"})
        return False
    file.write_text(whole.replace(mutant.old, mutant.new), "utf-8")
    began = time.monotonic()
    code, said = _run(copy, ["--exitfirst", *mutant.tests], tests_within_s)
    took_s = time.monotonic() - began
    file.write_text(whole, "utf-8")
    failed = re.findall(r"^FAILED (?:\S*/)?([^\s\[]+)", said, re.MULTILINE)
    # A test that cannot be set up has said nothing.
    if code == FAILED and failed:
        report.add({mutant.name: f"caught in {took_s:.1f} s by {' '.join(failed)}"})
        return True
    if code == 0:
        report.broken.append(f"SURVIVED: {mutant.name}; {', '.join(mutant.tests)} pass")
        report.add({mutant.name: f"SURVIVED {', '.join(mutant.tests)}"})
        return False
    report.broken.append(f"{mutant.name}: its tests do not run: {said[-said_max:]}")
    report.add({mutant.name: "not tried"})
    return False


def _run(copy: Path, words: Iterable[str], within_s: float) -> tuple[int, str]:
    """Pytest's own code, and what it said; 124 where it was not through in time."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, f"not through in {within_s:g} s"
    return done.returncode, done.stdout + done.stderr


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copy(source, target)
        return
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
