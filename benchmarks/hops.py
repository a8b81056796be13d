"""Each hop of a payment by itself, from the first that reads to the last that moves money.

All sessions of a round take the same hop, then all take the next, so that CPU can be told hop
by hop. Server means the gateway's own processes; what the database and Valkey spend for it is
told apart.
"""

from collections.abc import Callable

from benchmarks import machine, people
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground, Loaded, noop_requests
from benchmarks.house import House, houses

rounds = 3
sessions = 1_200
warm_up = 300

READ, PIN = 1, len(people.HOPS) - 1


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    return [_measure(ground, house, say) for house in houses(ground, "hops")]


def _measure(ground: Ground, house: House, say: Callable[[str], None]) -> Subject:
    house.pay(house.journeys(0, warm_up))
    floors: list[Loaded] = []
    loads: list[list[Loaded]] = [[] for _ in people.HOPS]
    for turn in range(rounds):
        say(f"{house.name}, round {turn + 1} of {rounds}")
        journeys = house.journeys(warm_up + turn * sessions, sessions)
        for hop, found in enumerate(loads):
            if hop in (0, READ, PIN):
                floors.append(ground.noop_load())
            bodies = [[journey[hop]] for journey in journeys]
            found.append(house.load(bodies, [people.REPLIES[hop]]))
    figures = _figures(floors, loads, house)
    return Subject(f"Hops, one kind at a time, on {house.name}", figures, [house.check()])


def _figures(floors: list[Loaded], loads: list[list[Loaded]], house: House) -> list[Figure]:
    cpu = Floor("no-op hop's CPU", _cpu_us(floors, "server", noop_requests))
    rate = Floor("no-op hops/s", [each.answered.requests_per_s for each in floors])
    figures = [
        Figure("no-op hop, server CPU", cpu.samples, "us", cpu),
        Figure("no-op hops", rate.samples, "/s", rate),
    ]
    for hop, found in enumerate(loads):
        name = f"{people.HOPS[hop]}"
        at_most = 3.0 if hop == READ else None
        spent = _cpu_us(found, "server", sessions)
        figures.append(Figure(f"{name}: server CPU", spent, "us", cpu, at_most=at_most))
        if hop in (READ, PIN):
            per_s = [each.answered.requests_per_s for each in found]
            figures.append(Figure(f"{name}: hops", per_s, "/s", rate))
        figures += [
            Figure(f"{name}: {beside} CPU", _cpu_us(found, beside, sessions), "us", cpu)
            for beside in house.beside
            if hop in (READ, PIN)
        ]
    return figures


def _cpu_us(loads: list[Loaded], program: str, requests: int) -> list[float]:
    # A program that did nothing for a hop has spent less than a tick on all of them.
    least = machine.TICK_S / requests
    return [max(each.cpu_s[program] / requests, least) * 1e6 for each in loads]
