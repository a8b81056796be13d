"""The disk of the SQLite file fills up, and is given room again, while people pay.

The disk is a small tmpfs that only this part's processes see: it is mounted in a name space of
their own, and goes with them. That needs a machine where name spaces can be made.
"""

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.running import gateway

rounds = 6
full_s, free_s = 5.0, 4.0
# SQLite's own log takes 4 MB before it is emptied.
room = "16m"
filling_octets = 4096

SMALL = "small"
_MOUNT = f'mount -t tmpfs -o size={room} tmpfs "$0" && exec "$@"'


def under(folder: Path) -> tuple[str, ...]:
    """The words of a command that mounts the small disk and runs what follows on it."""
    small = folder / SMALL
    small.mkdir(exist_ok=True)
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", _MOUNT, str(small))


def cannot(folder: Path) -> str:
    """Why there can be no such disk; empty where there can."""
    try:
        tried = subprocess.run(
            [*under(folder), "true"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip() if tried.returncode else ""


def disk(report: Report, folder: Path) -> None:
    small = folder / SMALL
    with gateway(folder / "var", DATABASE_URL=f"sqlite:///{small}/gateway.sqlite") as it:

        def fill(_load: Load, _random: Random) -> None:
            for _ in range(rounds):
                time.sleep(free_s)
                _fill(small / "filler", for_s=full_s)

        load = weather(it, report, fill)
    # Nothing that found no room was kept, so there is nothing to check.
    unsure = [one for one in load.payments if one.checking]
    report.broken += [f"left in doubt by a full disk: {one}" for one in unsure]
    report.add({"disk full": f"{rounds} times for {full_s:g} s"})


def _fill(filler: Path, *, for_s: float) -> None:
    """To the last octet; and what is given back meanwhile, too."""
    until = time.monotonic() + for_s
    with filler.open("ab", buffering=0) as file:
        while time.monotonic() < until:
            with suppress(OSError):
                while file.write(bytes(filling_octets)):
                    pass
            time.sleep(0.01)
    filler.unlink()
