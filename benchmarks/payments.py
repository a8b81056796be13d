"""Whole payments over HTTP: five hops each, 64 phones at once, every one to its receipt.

Held against pgbench's tpcb-like on the same disk, and in CPU against the no-op hop. The worker
and the relay do not run: this is the part that the person with the phone waits for.
"""

from collections.abc import Callable
from statistics import quantiles

from benchmarks import people
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground, Loaded, noop_requests
from benchmarks.house import House, houses

rounds = 2
turns = 3  # of no-op and payments, in a round
many = 1_000
warm_up = 400

P50, P99 = 49, 98


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    both = list(houses(ground, "payments"))
    for house in both:
        house.pay(house.journeys(0, warm_up))
    tps: list[float] = []
    floors: list[Loaded] = []
    paid: dict[str, list[Loaded]] = {house.name: [] for house in both}
    for turn in range(rounds * turns):
        if turn % turns == 0:
            say(f"pgbench {turn // turns + 1} of {rounds}")
            tps.append(ground.pgbench_tps())
        say(f"payments, {turn + 1} of {rounds * turns}")
        for house in both:
            floors.append(ground.noop_load())
            journeys = house.journeys(warm_up + turn * many, many)
            paid[house.name].append(house.pay(journeys))
    return [_subject(house, tps, floors, paid[house.name]) for house in both]


def _subject(
    house: House, tps: list[float], floors: list[Loaded], paid: list[Loaded]
) -> Subject:
    pgbench = Floor("pgbench", tps)
    noop_us = [each.cpu_s["server"] / noop_requests * 1e6 for each in floors]
    hop = Floor("no-op hop's CPU", noop_us)
    per_s = [many / each.answered.seconds for each in paid]
    figures = [
        Figure("payments", per_s, "/s", pgbench, at_least=0.2),
        Figure("pgbench tpcb-like", tps, "/s", pgbench),
        Figure("a payment, server CPU", _cpu_us(paid, "server"), "us", hop, at_most=14),
        *(
            Figure(f"a payment, {name} CPU", _cpu_us(paid, name), "us", hop)
            for name in house.beside
        ),
        Figure("a no-op hop, CPU", noop_us, "us", hop),
    ]
    for name, rank in (("p50", P50), ("p99", P99)):
        floor = Floor(f"no-op hop's {name}", [_took_ms(each, 0, rank) for each in floors])
        aim = 100.0 if rank == P99 else None
        figures += [
            Figure(
                f"{title}: {name}",
                [_took_ms(each, number, rank) for each in paid],
                "ms",
                floor,
                value_at_most=aim,
            )
            for number, title in enumerate(people.HOPS)
        ]
        figures.append(Figure(f"no-op hop: {name}", floor.samples, "ms", floor))
    return Subject(
        f"Whole payments over HTTP, 64 phones, on {house.name}", figures, [house.check()]
    )


def _cpu_us(paid: list[Loaded], program: str) -> list[float]:
    return [each.cpu_s[program] / many * 1e6 for each in paid]


def _took_ms(loaded: Loaded, hop: int, rank: int) -> float:
    return quantiles(loaded.answered.took_us[hop], n=100)[rank] / 1000
