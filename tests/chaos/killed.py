"""Processes die by `kill -9` while people pay: any of ours, Valkey, and PostgreSQL itself.

This proves that a process may crash at any moment. It does not prove a power cut: what a killed
process had written, the kernel still holds.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median

import redis

from tests.chaos.crash import crash
from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.phones import Payment
from tests.endtoend.running import Gateway, children, gateway, kill
from ussd_gateway.embedded.postgres import Postgres

kills = 60
postgres_kills = 12
pause_least_s, pause_most_s = 0.1, 1.2
back_within_s = 30.0

Kill = Callable[[Gateway, Random], bool]


def on_sqlite(report: Report, folder: Path) -> None:
    """Any process of ours, in any order."""
    with gateway(folder / "var") as it:
        _shoot(it, report, _shots(report.seed, kills))


def on_postgres(report: Report, folder: Path) -> None:
    """The same, and the database server too: all of it, or one process of it, after which it
    cuts every connection and recovers by itself."""
    with Postgres() as server:
        shots = _shots(report.seed, kills // 2)
        shots += [("PostgreSQL", lambda *_: crash(server))] * postgres_kills
        shots += [("a PostgreSQL backend", partial(_backend, server))] * postgres_kills
        Random(report.seed).shuffle(shots)
        with gateway(folder / "var", DATABASE_URL=server.create_database()) as it:
            _shoot(it, report, shots)


def _shots(seed: int, count: int) -> list[tuple[str, Kill]]:
    return Random(seed).choices(VICTIMS, WEIGHTS, k=count)


def _server(it: Gateway, random: Random) -> bool:
    servers = it.servers()
    return bool(servers) and kill(random.choice(servers))


def flush(it: Gateway, _random: Random) -> bool:
    """Valkey forgets all: every session, every job."""
    try:
        with redis.from_url(it.settings.redis_url) as client:
            client.flushall()
    except redis.RedisError:
        return False
    return True


def part(name: str) -> Kill:
    return lambda it, _random: it.kill(name)


def _backend(server: Postgres, _it: Gateway, random: Random) -> bool:
    (postmaster, *_) = (server.folder / "data" / "postmaster.pid").read_text().split()
    backends = [one.pid for one in children(int(postmaster)) if "[local]" in one.words]
    return bool(backends) and kill(random.choice(backends))


VICTIMS: list[tuple[str, Kill]] = [
    ("a web server process", _server),
    ("all of web", part("web")),
    ("SMS worker", part("worker")),
    ("relay", part("relay")),
    ("scheduler", part("scheduler")),
    ("Valkey", part("valkey")),
    ("Valkey emptied", flush),
]
# What holds payments and messages in flight is hit most.
WEIGHTS = (4, 1, 3, 2, 1, 2, 1)


def _shoot(it: Gateway, report: Report, shots: Sequence[tuple[str, Kill]]) -> None:
    hits: list[tuple[str, float]] = []

    def kills_all(load: Load, random: Random) -> None:
        for name, shoot in shots:
            time.sleep(random.uniform(pause_least_s, pause_most_s))
            began = time.time()
            if shoot(it, random):
                hits.append((name, began))
                if not load.paid_since(began, within_s=back_within_s):
                    report.broken.append(
                        f"{name}: no receipt {back_within_s:g} s after its death"
                    )

    load = weather(it, report, kills_all)
    report.add(_silences(hits, load.payments))


def _silences(hits: Sequence[tuple[str, float]], payments: Sequence[Payment]) -> dict[str, str]:
    """How long nobody got a receipt, from each kill on."""
    receipts_at = sorted(one.at for one in payments if one.acknowledged)
    figures = {}
    for name in dict(hits):
        waits_s = [
            next((at - began for at in receipts_at if at > began), 0.0)
            for victim, began in hits
            if victim == name
        ]
        times = f"{len(waits_s)} times; next receipt after"
        figures[f"killed: {name}"] = (
            f"{times} {median(waits_s):.1f} s, at most {max(waits_s):.1f} s"
        )
    return figures
