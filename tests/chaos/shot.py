"""kill -9 of the ledger's writers, and of PostgreSQL under them, while callers pay.

What a killed process had written, the kernel still has: this is no power cut.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from tests.chaos.books import export_head, on_sqlite
from tests.chaos.callers import CLERKS, while_paying
from tests.chaos.crash import crash
from tests.chaos.desk import Desk
from tests.chaos.report import Report
from ussd_gateway.embedded.postgres import Postgres

kills = 100
postgres_kills = 12
writer_kills = 24  # on PostgreSQL
pause_s_max = 0.5

WRITER, SERVER = "a writer", "PostgreSQL"


def writers_on_sqlite(report: Report, folder: Path) -> None:
    with on_sqlite(folder) as url:
        shoot(report, folder, url, [WRITER] * kills)


def postgres_and_writers(report: Report, folder: Path) -> None:
    with Postgres() as server:
        shots = [WRITER] * writer_kills + [SERVER] * postgres_kills
        Random(report.seed).shuffle(shots)
        url = server.create_database()
        shoot(report, folder, url, shots, fell=lambda: crash(server))


def shoot(
    report: Report,
    folder: Path,
    url: str,
    shots: Sequence[str],
    *,
    fell: Callable[[], object] = lambda: None,
) -> None:
    """`fell` kills the server. A head of the seals is taken away after each shot."""
    random = Random(report.seed)

    def trouble(it: Desk, engine: Engine) -> None:
        for number, victim in enumerate(shots):
            time.sleep(random.uniform(0, pause_s_max))
            if victim == SERVER:
                fell()
            else:
                it.replace(number % CLERKS)
            export_head(engine, folder)

    while_paying(report, folder, url, trouble)
    for victim in dict.fromkeys(shots):
        report.add({f"killed: {victim}": f"{shots.count(victim)} times"})
