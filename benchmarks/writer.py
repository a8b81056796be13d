"""Whole payments through the ledger's writer, two hundred callers at once: what the books take.

Spread over many wallets, and every one of them to one biller; in one process, and on PostgreSQL
in two, which meet in the house's accounts, or in the biller's as well. Work is done for a fixed
time, after a warm-up; who is answered asks again. Held against pgbench's tpcb-like on the same
server; and how long a payment takes against the least that it could: callers / payments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import quantiles

from benchmarks import people
from benchmarks.asking import Answered, Asked, Asking
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground
from benchmarks.people import ONE_BILLER, SPREAD
from ussd_gateway.settings import Settings, load

rounds = 3
callers = 200
run_s = 3.0
warm_up_s = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """Payments of a kind, asked for in one or several processes. `at_least`: of pgbench;
    `spread`: the case that one biller's is held against."""

    kind: str
    waiting: str
    processes: int = 1
    at_least: float | None = None
    spread: "Case | None" = None

    def __str__(self) -> str:
        to_whom = "spread" if self.spread is None else "one biller"
        where = "" if self.processes == 1 else f", {self.processes} processes"
        return f"{callers} {self.waiting}, {to_whom}{where}"


CALLBACKS = Case(SPREAD, "callbacks", at_least=2.2)
THREADS = Case(SPREAD, "threads", at_least=1.3)
TWO = Case(SPREAD, "callbacks", processes=2)
IN_ONE = (
    CALLBACKS,
    Case(ONE_BILLER, "callbacks", spread=CALLBACKS),
    THREADS,
    Case(ONE_BILLER, "threads", spread=THREADS),
)
IN_TWO = (TWO, Case(ONE_BILLER, "callbacks", processes=2, spread=TWO))
CASES = {"PostgreSQL": IN_ONE + IN_TWO, "SQLite": IN_ONE}
biller_at_least = 0.8
p99_at_most = 2.5


@dataclass(frozen=True, slots=True)
class Run:
    """What all the callers of a case saw."""

    per_s: float
    p50_ms: float
    p99_ms: float

    @property
    def least_ms(self) -> float:
        """How long each would take, were all of them served in turn."""
        return callers / self.per_s * 1000


@dataclass(slots=True)
class Counter:
    """A ledger's processes, and all the payments that they were asked for, by kind."""

    settings: Settings
    processes: list[Asking]
    paid: dict[str, int] = field(default_factory=dict)

    def run(self, case: Case, seconds: float) -> Run:
        asked = Asked(case.kind, case.waiting, callers // case.processes, seconds)
        processes = self.processes[: case.processes]
        for each in processes:
            each.begin(asked)
        answers = [each.end() for each in processes]
        took_s = [took for answered in answers for took in answered.took_s]
        self.paid[case.kind] = self.paid.get(case.kind, 0) + len(took_s)
        percentiles = quantiles(took_s, n=100)
        return Run(sum(map(_per_s, answers)), percentiles[49] * 1000, percentiles[98] * 1000)

    def close(self) -> None:
        for process in self.processes:
            process.close()


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    url = ground.postgres.create_database()
    counters = {
        "PostgreSQL": counter(ground, "writer-pg", processes=2, DATABASE_URL=url),
        "SQLite": counter(ground, "writer-sqlite", processes=1),
    }
    for name, each in counters.items():
        for case in CASES[name]:
            each.run(case, warm_up_s)

    tps: list[float] = []
    found: dict[tuple[str, Case], list[Run]] = {}
    for turn in range(rounds):
        say(f"pgbench {turn + 1} of {rounds}")
        tps.append(ground.pgbench_tps())
        for name, each in counters.items():
            for case in CASES[name]:
                say(f"{name}, {case}, round {turn + 1} of {rounds}")
                found.setdefault((name, case), []).append(each.run(case, run_s))
    for each in counters.values():
        each.close()
    return [
        _subject(name, each, tps, {case: found[name, case] for case in CASES[name]})
        for name, each in counters.items()
    ]


def counter(ground: Ground, name: str, *, processes: int, **given: str) -> Counter:
    """Books of their own, with their customers."""
    environ = ground.gateway_settings(name, **given)
    settings = load(environ)
    people.register(settings)
    return Counter(
        settings, [Asking(f"{name}_{number}", environ) for number in range(processes)]
    )


def _per_s(answered: Answered) -> float:
    return len(answered.took_s) / answered.seconds


def _subject(
    name: str, counted: Counter, tps: list[float], found: Mapping[Case, list[Run]]
) -> Subject:
    pgbench = Floor("pgbench", tps)
    figures = [Figure("pgbench tpcb-like", tps, "/s", pgbench)]
    for case, runs in found.items():
        per_s = [run.per_s for run in runs]
        figures.append(Figure(str(case), per_s, "/s", pgbench, at_least=case.at_least))
        if case.spread is not None:
            spread = Floor("spread", [run.per_s for run in found[case.spread]])
            figures.append(
                Figure("  beside the spread", per_s, "/s", spread, at_least=biller_at_least)
            )
        least = Floor("callers/payments", [run.least_ms for run in runs])
        figures += [
            Figure("  p50", [run.p50_ms for run in runs], "ms", least),
            Figure("  p99", [run.p99_ms for run in runs], "ms", least, at_most=p99_at_most),
        ]
    return Subject(
        f"Whole payments through the writer, on {name}",
        figures,
        [people.check_books(counted.settings, counted.paid)],
    )
