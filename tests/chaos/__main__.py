"""Kill, cut, flood and fill, with figures: `make chaos`, or one part of it again.

    python -m tests.chaos [NAME ...] [--seed N]

Ends with 1 where a promise was broken. The seed decides who pays whom and what is hit when; the
machine decides the rest, so that a seed shows a fault again only more often than not.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory

from tests.chaos.parts import PARTS

seeds = 1_000_000
NOT_POWER = (
    "kill -9 shows what a crash of processes does, not a power cut: what a killed process had\n"
    "written, the kernel still has."
)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PARTS))
    arguments.add_argument("--seed", type=int, default=randbelow(seeds))
    given = arguments.parse_args()
    if unknown := set(given.names) - PARTS.keys():
        arguments.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")

    names = given.names or list(PARTS)
    wrong = [name for name in names if not _passes(name, given.seed)]
    print(NOT_POWER)
    print(f"BROKEN: {', '.join(wrong)}" if wrong else "Every promise was kept.")
    return 1 if wrong else 0


def _passes(name: str, seed: int) -> bool:
    """Whether it kept every promise, or could not be tried here."""
    part = PARTS[name]
    print(f"{name}: {part.about} (seed {seed})", flush=True)
    with TemporaryDirectory(prefix="chaos-") as path:
        folder = Path(path)
        if why := part.cannot(folder):
            print(f"  skipped: it cannot be done here: {why}\n", flush=True)
            return True
        command = [sys.executable, "-m", "tests.chaos.parts", name, str(seed), path]
        return subprocess.run([*part.under(folder), *command], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
