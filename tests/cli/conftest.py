"""Offices for the tests: each a copy of one that is made once."""

import shutil
from pathlib import Path

import pytest

from tests.cli.office import Office, made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("office")).folder


@pytest.fixture
def office(template: Path, tmp_path: Path) -> Office:
    folder = tmp_path / "office"
    shutil.copytree(template, folder)
    return Office(folder)
