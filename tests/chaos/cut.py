"""The connection to PostgreSQL is cut at COMMIT: one of a few, and for whole seconds each one.

Not the payments' connections only: those that keep what became of an SMS are cut too.
"""

import time
from pathlib import Path
from random import Random

from tests.chaos.cutter import cutter
from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.running import gateway
from ussd_gateway.embedded.postgres import Postgres

rounds = 8
# Some of the COMMITs, then all of them for longer than the writer tries, then none.
some = 0.25
some_s, all_s, none_s = 4.0, 4.5, 2.0


def at_commit(report: Report, folder: Path) -> None:
    with Postgres() as server:
        database = server.create_database().partition("@/")[2].partition("?")[0]
        with cutter(server.folder / ".s.PGSQL.5432", report.seed) as wire:
            url = f"postgresql://postgres@127.0.0.1:{wire.port}/{database}"
            with gateway(folder / "var", DATABASE_URL=url) as it:

                def cut(_load: Load, _random: Random) -> None:
                    for _ in range(rounds):
                        for share, for_s in ((some, some_s), (1.0, all_s), (0.0, none_s)):
                            wire.share = share
                            time.sleep(for_s)

                weather(it, report, cut)
        cuts = ", ".join(f"{cut.value} {count}" for cut, count in wire.cuts.most_common())
        report.add({"COMMITs cut": f"{wire.cuts.total():,}: {cuts}"})
