"""The disk of the SQLite file fills up, and is given room again, while people pay: through the
whole gateway, and, faster than its log is emptied, from the ledger's writers alone.

The disk is a small tmpfs that only this part's processes see: it is mounted in a name space of
their own, and goes with them. That needs a machine where name spaces can be made.
"""

import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.chaos.callers import while_paying
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.running import gateway

rounds = 6
full_s, free_s = 5.0, 4.0
# SQLite's own log takes 4 MB before it is emptied. Writers alone keep far more.
room, writers_room = "16m", "128m"
filling_octets = 4096

SMALL = "small"
_MOUNT = 'mount -t tmpfs -o size={room} tmpfs "$0" && exec "$@"'


def under(folder: Path, room: str = room) -> tuple[str, ...]:
    """The words of a command that mounts the small disk and runs what follows on it."""
    small = folder / SMALL
    small.mkdir(exist_ok=True)
    mount = _MOUNT.format(room=room)
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", mount, str(small))


def cannot(folder: Path) -> str:
    """Why there can be no such disk; empty where there can."""
    try:
        tried = subprocess.run(
            [*under(folder), "true"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip() if tried.returncode else ""


def of_gateway(report: Report, folder: Path) -> None:
    small = folder / SMALL
    with gateway(folder / "var", DATABASE_URL=f"sqlite:///{small}/gateway.sqlite") as it:
        load = weather(it, report, lambda _load, _random: _fill_again_and_again(small))
    # Nothing that found no room was kept, so there is nothing to check.
    unsure = [one for one in load.payments if one.checking or one.cut_off]
    report.broken += [f"left in doubt by a full disk: {one}" for one in unsure]
    report.add({"disk full": f"{rounds} times for {full_s:g} s"})


def of_writers(report: Report, folder: Path) -> None:
    small = folder / SMALL
    url = f"sqlite:///{small}/books.sqlite"
    heard = while_paying(
        report, folder, url, lambda _desk, _books: _fill_again_and_again(small)
    )
    if heard["unknown"]:
        report.broken.append(f"left in doubt by a full disk: {heard['unknown']} times")
    if not heard["timeout"]:
        report.broken.append("the disk was never full enough to refuse anything")
    report.add({"disk full": f"{rounds} times for {full_s:g} s"})


def _fill_again_and_again(small: Path) -> None:
    for _ in range(rounds):
        time.sleep(free_s)
        _fill(small / "filler", for_s=full_s)


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
