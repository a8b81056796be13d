"""The parts of `make chaos`, and one of them run in the process of its own that it gets.

python -m tests.chaos.parts NAME SEED FOLDER
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos import (
    cut,
    drained,
    fivefold,
    flood,
    full,
    killed,
    outage,
    packs,
    raced,
    shot,
    simulated,
    tampers,
    texted,
)
from tests.chaos.books import on_both
from tests.chaos.mutants import tried
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
    "shot": Part("kill -9 of the ledger's writers; SQLite", shot.writers_on_sqlite),
    "shot-postgres": Part("the same, and of PostgreSQL", shot.postgres_and_writers),
    "drained": Part("many callers and one wallet", on_both(drained.drain)),
    "fivefold": Part("each key several times at once", on_both(fivefold.ask)),
    "raced": Part("holds posted, voided and expired at once", on_both(raced.race)),
    "cut": Part("connections to PostgreSQL cut at COMMIT", cut.of_gateway),
    "cut-writers": Part("the same, of the ledger's writers alone", cut.of_writers),
    "full": Part("no room on SQLite's disk", full.of_gateway, full.under, full.cannot),
    "full-writers": Part(
        "the same, of the ledger's writers alone",
        full.of_writers,
        partial(full.under, room=full.writers_room),
        full.cannot,
    ),
    "sms": Part("SMS while relay, workers, Valkey and provider fail; SQLite", texted.on_sqlite),
    "sms-postgres": Part("the same", texted.on_postgres),
    "outage": Part("payments while the SMS provider takes nothing", outage.on_postgres),
    "flood": Part("more phones than threads", flood.phones_at_once),
    "packs": Part("spoilt menus", packs.spoilt),
    "machine": Part("commands of all kinds, against a model", simulated.machine),
    "simulation": Part("towns that a seed decides; SQLite", simulated.town),
    "tampers": Part("hands in the books", tampers.of_every_kind),
    "mutants": Part("a lock, a CHECK, a unique key or a rule taken away", tried.each),
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
