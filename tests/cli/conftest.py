"""Offices and books for the tests: each a copy of one that is made once."""

import shutil
from pathlib import Path

import pytest

from tests.cli.office import Office, made
from tests.store.true_books import write_books
from ussd_gateway.settings import Settings


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("office")).folder


@pytest.fixture
def office(template: Path, tmp_path: Path) -> Office:
    folder = tmp_path / "office"
    shutil.copytree(template, folder)
    return Office(folder)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of books of 2026-11-21, of which nothing is sealed yet. Nothing changes them:
    whoever wants to copies `gateway.sqlite`."""
    folder = tmp_path_factory.mktemp("books")
    write_books(Settings(data_dir=folder))
    return folder
