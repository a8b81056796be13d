"""The connection to PostgreSQL is cut at COMMIT: one of a few, and for whole seconds each one.

Once of the ledger's writers alone, and once of the whole gateway: there not the payments'
connections only, but those too that keep what became of an SMS.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from tests.chaos.books import export_head
from tests.chaos.callers import while_paying
from tests.chaos.cutter import Cutter, cutter
from tests.chaos.desk import Desk
from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.running import gateway
from ussd_gateway.embedded.postgres import Postgres

cuts_least = 500
rounds_least, rounds_max = 8, 30
# Some of the COMMITs, then all of them for longer than the writer tries, then none.
some = 0.25
some_s, all_s, none_s = 4.0, 4.5, 2.0


def of_writers(report: Report, folder: Path) -> None:
    with _wired(report) as (wire, url, own_url):

        def trouble(_desk: Desk, engine: Engine) -> None:
            for _ in _rounds(wire, at_least=1):
                export_head(engine, folder)

        while_paying(report, folder, own_url, trouble, reached_by=url)


def of_gateway(report: Report, folder: Path) -> None:
    with (
        _wired(report) as (wire, url, _),
        gateway(folder / "var", DATABASE_URL=url) as it,
    ):

        def trouble(_load: Load, _random: Random) -> None:
            for _ in _rounds(wire, at_least=rounds_least):
                pass

        weather(it, report, trouble)


def _rounds(wire: Cutter, *, at_least: int) -> Iterator[int]:
    """Until it was cut often enough; each ends with a wire that is whole."""
    for number in range(rounds_max):
        if number >= at_least and wire.cuts.total() >= cuts_least:
            return
        for share, for_s in ((some, some_s), (1.0, all_s), (0.0, none_s)):
            wire.share = share
            time.sleep(for_s)
        yield number


@contextmanager
def _wired(report: Report) -> Iterator[tuple[Cutter, str, str]]:
    """The wire to a server, the URL of a database on it by that wire, and its own URL."""
    with Postgres() as server:
        own_url = server.create_database()
        database = own_url.partition("@/")[2].partition("?")[0]
        with cutter(server.folder / ".s.PGSQL.5432", report.seed) as wire:
            yield wire, f"postgresql://postgres@127.0.0.1:{wire.port}/{database}", own_url
        cuts = ", ".join(f"{cut.value} {count:,}" for cut, count in wire.cuts.most_common())
        report.add({"COMMITs cut": f"{wire.cuts.total():,}: {cuts}"})
        if wire.cuts.total() < cuts_least:
            report.broken.append(f"cut too seldom to show anything: {wire.cuts.total()} times")
