"""Transcripts played one after the other, each on books of its own that are thrown away after:
the packs are as their files are now."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ussd_gateway.cli.stage.world import opened, prepare
from ussd_gateway.embedded import Valkey
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.transcripts import Played, Transcript, play


class Stage:
    def __init__(self, settings: Settings) -> None:
        """On prepared books, of SQLite."""
        self._settings = settings

    def play(self, transcript: Transcript) -> Played:
        folder = self._settings.data_dir
        copy = folder / "copy.sqlite"
        shutil.copy(folder / "gateway.sqlite", copy)
        own = self._settings.model_copy(update={"database_url": f"sqlite:///{copy}"})
        with opened(own) as world:
            return play(transcript, world)


@contextmanager
def staged(menus_dir: Path) -> Iterator[Stage]:
    """Nothing of the installation is touched. Raises Faulty where a file is at fault."""
    with TemporaryDirectory(prefix="ussd-gateway-") as name:
        folder = Path(name)
        with Valkey(folder) as valkey:
            settings = Settings(data_dir=folder, redis_url=valkey.url, menus_dir=menus_dir)
            prepare(settings)
            yield Stage(settings)
