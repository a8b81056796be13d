"""The parts of `make chaos`, and one of them run in the process of its own that it gets.

python -m tests.chaos.parts NAME SEED FOLDER
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import cut, flood, full, killed, packs
from tests.chaos.report import Report


@dataclass(frozen=True, slots=True)
class Part:
    """`under` are the words of a command that the part's process needs around it, and `cannot`
    says why there can be none; empty where there can."""

    about: str
    run: Callable[[Report, Path], None]
    under: Callable[[Path], tuple[str, ...]] = lambda _folder: ()
    cannot: Callable[[Path], str] = lambda _folder: ""


PARTS = {
    "killed": Part("kill -9 of any process; SQLite", killed.on_sqlite),
    "killed-postgres": Part("the same, and of PostgreSQL", killed.on_postgres),
    "cut": Part("connections to PostgreSQL cut at COMMIT", cut.at_commit),
    "full": Part("no room on SQLite's disk", full.disk, full.under, full.cannot),
    "flood": Part("more phones than threads", flood.phones_at_once),
    "packs": Part("spoilt menus", packs.spoilt),
}


def main() -> int:
    name, seed, folder = sys.argv[1:]
    report = Report(name, int(seed))
    try:
        PARTS[name].run(report, Path(folder))
    finally:
        report.show()
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
