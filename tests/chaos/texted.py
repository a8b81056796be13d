"""SMS under fire: relay, workers and Valkey die by `kill -9`, Valkey is emptied, and meanwhile
the provider is slow, turns messages down, falls silent, and reports late, twice or not at all.

Then it is dead for a while, and people go on paying; as it comes back, Valkey is emptied again
and again while the backlog drains. In the end every payment's messages are on the phones, and
only what was met with silence is there twice.
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

import requests

from tests.chaos.killed import Kill, flush, part
from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.promises import owed
from tests.endtoend.running import Gateway, eventually, gateway
from ussd_gateway.embedded.postgres import Postgres

kills = 100
pause_least_s, pause_most_s = 0.1, 0.6
dead_s = 20.0
flushes_max = 40
flush_every_s = 0.25
ask_s = 5.0

VICTIMS: tuple[tuple[str, Kill], ...] = (
    ("relay", part("relay")),
    ("SMS worker", part("worker")),
    ("Valkey", part("valkey")),
    ("Valkey emptied", flush),
)
WEIGHTS = (3, 4, 2, 2)
Shares = Mapping[str, float]
MOODY_ANSWERS: Shares = {
    "slow": 0.05,
    "throttled": 0.05,
    "error": 0.05,
    "silent": 0.01,
    "silent after taking": 0.01,
}
MOODY_REPORTS: Shares = {
    "doubled": 0.2,
    "reordered": 0.2,
    "early": 0.1,
    "missing": 0.05,
}


def on_sqlite(report: Report, folder: Path) -> None:
    with gateway(folder / "var") as it:
        _fire(it, report)


def on_postgres(report: Report, folder: Path) -> None:
    with (
        Postgres() as server,
        gateway(folder / "var", DATABASE_URL=server.create_database()) as it,
    ):
        _fire(it, report)


def _fire(it: Gateway, report: Report) -> None:
    def trouble(_load: Load, random: Random) -> None:
        play(it, answers=MOODY_ANSWERS, reports=MOODY_REPORTS)
        hits = [_shoot(it, random) for _ in range(kills)]
        play(it, answers={"error": 1}, reports={})
        time.sleep(dead_s)
        backlog = _open(it)
        play(it, answers={}, reports={})
        flushed = _drained_and_flushed(it, random)
        report.add(
            {
                **{f"killed: {name}": f"{hits.count(name)} times" for name, _ in VICTIMS},
                "provider dead": f"{dead_s:g} s, then {backlog:,} SMS waited",
                "Valkey emptied as they drained": f"{flushed} times",
            }
        )

    weather(it, report, trouble)


def play(it: Gateway, *, answers: Shares, reports: Shares) -> None:
    """From now on the provider is so."""
    url = f"http://127.0.0.1:{it.settings.sim_port}/sms/troubles"
    plan = {"answers": answers, "reports": reports}
    requests.post(url, json=plan, timeout=ask_s).raise_for_status()


def _shoot(it: Gateway, random: Random) -> str:
    """Whom it hit; nobody may be up yet, and then it waits."""
    name, kill = random.choices(VICTIMS, WEIGHTS)[0]
    time.sleep(random.uniform(pause_least_s, pause_most_s))
    eventually(partial(kill, it, random), within_s=ask_s)
    return name


def _drained_and_flushed(it: Gateway, random: Random) -> int:
    """How often it was emptied while there was something to drain."""
    for count in range(flushes_max):
        if not _open(it):
            return count
        flush(it, random)
        time.sleep(flush_every_s)
    return flushes_max


def _open(it: Gateway) -> int:
    states = owed(it)
    return sum(states.get(state, 0) for state in ("due", "claimed", "sending"))
