import signal
from pathlib import Path

import pytest

from ussd_gateway.embedded import FolderTaken, owned

from .processes import owner


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_is_made_and_keeps_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "away"
    with owned(folder):
        (folder / "books").write_text("balanced")
    with owned(folder):
        assert (folder / "books").read_text() == "balanced"


def test_the_folder_of_a_killed_owner_is_free(tmp_path: Path) -> None:
    with owner("supervisor", tmp_path, "pass", "sleep()") as first:
        assert first.said() == "ready"
        first.signal(signal.SIGKILL)
        first.ended()
        with owned(tmp_path):
            pass


def test_fresh_empties_what_was_made_here(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with owned(folder):
        empty = names(folder)
        (folder / "books").touch()
        (folder / "logs").mkdir()
        (folder / "logs" / "web.log").touch()
    with owned(folder, fresh=True):
        assert names(folder) == empty


def test_fresh_never_empties_a_folder_that_held_other_things(tmp_path: Path) -> None:
    (tmp_path / "diary").touch()
    with owned(tmp_path):
        pass
    with pytest.raises(FolderTaken, match="held other things"), owned(tmp_path, fresh=True):
        pass
    assert "diary" in names(tmp_path)
