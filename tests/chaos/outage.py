"""The provider takes nothing for a while, as if for ten minutes, and people pay on as before.

Calm and dead slices of the same length take turns, so that what else the machine does meets
both. Between them nobody pays: what waits drains, and is measured against the provider's rate.
Once, in the middle of it, Valkey is emptied.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from random import Random
from statistics import median, quantiles

from sqlalchemy import Engine, delete, insert

from tests.chaos.books import rows
from tests.chaos.killed import flush
from tests.chaos.load import PEOPLE
from tests.chaos.report import Report
from tests.chaos.storm import all_sealed
from tests.chaos.texted import Shares, play
from tests.endtoend import promises
from tests.endtoend.phones import Payer, Payment
from tests.endtoend.running import Gateway, eventually, gateway
from ussd_gateway import app
from ussd_gateway.domain.book import Priority
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import outbox

payments_per_s = 50
# Ten minutes, in slices.
meant_s = 600.0
slice_s = 10.0
warm_s = 3.0
# Enough that a payment which takes long keeps no other waiting.
phones = 24
shillings_max = 20
notices = 40

slower_at_most = 1.10
of_rate_at_least = 0.8
drained_within_s = 60.0
flush_at_share = 0.5

# How a dead provider surely takes nothing; silence is another matter.
WAYS: tuple[Shares, ...] = (
    {"throttled": 1},
    {"refused": 1},
    {"throttled": 0.5, "refused": 0.5},
)

_LAST_ID = "SELECT coalesce(max(id), 0) FROM outbox"
_OPEN = "SELECT count(*) FROM outbox WHERE state IN ('due', 'claimed', 'sending')"
_SENT = """
SELECT id, priority, sent_at_ms FROM outbox
WHERE id > :after AND sent_at_ms IS NOT NULL ORDER BY sent_at_ms, priority, id
"""


@dataclass(frozen=True, slots=True)
class Drain:
    """`sent` in the order in which the provider took them: id, priority, when."""

    sent: Sequence[tuple[int, int, int]]
    began_ms: int

    @property
    def per_s(self) -> float:
        """From the first that it took again to the last."""
        return len(self.sent) * 1000 / (self.sent[-1][2] - self.sent[0][2])

    @property
    def tried_after_s(self) -> float:
        """Back, it was asked again then."""
        return (self.sent[0][2] - self.began_ms) / 1000

    @property
    def behind_notices(self) -> list[int]:
        """How many receipts still waited as each of the notices went out, in order."""
        left = sum(priority == Priority.RECEIPT for _, priority, _ in self.sent)
        behind = []
        for _, priority, _ in self.sent:
            if priority == Priority.RECEIPT:
                left -= 1
            else:
                behind.append(left)
        return sorted(behind)

    @property
    def overtaken(self) -> float:
        """By how many younger receipts one was overtaken, of all but the unluckiest in 100."""
        ids = [number for number, priority, _ in self.sent if priority == Priority.RECEIPT]
        places = {number: place for place, number in enumerate(sorted(ids))}
        return _p99([max(place - places[number], 0) for place, number in enumerate(ids)])


def on_postgres(report: Report, folder: Path) -> None:
    with (
        Postgres() as server,
        gateway(folder / "var", DATABASE_URL=server.create_database()) as it,
    ):
        engine = app.database(it.settings)
        try:
            _Outages(it, engine, report).run()
        finally:
            engine.dispose()


@dataclass(slots=True)
class _Outages:
    it: Gateway
    engine: Engine
    report: Report
    payments: list[Payment] = field(default_factory=list)

    def run(self) -> None:
        money = promises.money_minor(self.it)
        plan = app.sms_plan(self.it.settings)
        (name,) = plan.routed
        self._pay(warm_s)
        self._drained()

        dead: list[list[float]] = []
        calm: list[list[float]] = []
        drains: list[Drain] = []
        for turn, way in enumerate(WAYS):
            if turn % 2:
                calm.append(self._calm())
            took_s, drain = self._dead(way, flushed=turn == len(WAYS) - 1)
            dead.append(took_s)
            drains.append(drain)
            if not turn % 2:
                calm.append(self._calm())

        self._compare(calm, dead)
        self._judge(drains, plan.terms[name].rate_per_s, plan.in_flight_max)
        promises.settle(self.it, drained_within_s)
        with writing(self.engine) as connection:
            # Of no command: the checker would ask whose they are.
            connection.execute(delete(outbox).where(outbox.c.priority == Priority.NOTICE))
        sealed = all_sealed(self.it, self.report)
        found = promises.check(self.it, self.payments, PEOPLE, money_before=money)
        self.report.broken += found.broken
        self.report.add(found.figures | sealed)

    def _calm(self) -> list[float]:
        took_s = self._pay(slice_s)
        self._drained()
        return took_s

    def _dead(self, way: Shares, *, flushed: bool) -> tuple[list[float], Drain]:
        ((last_id,),) = rows(self.engine, _LAST_ID)
        play(self.it, answers=way, reports={})
        self._owe_notices()
        took_s = self._pay(slice_s)
        began_ms, waiting = int(time.time() * 1000), self._open()
        play(self.it, answers={}, reports={})
        if flushed:
            half = waiting * flush_at_share
            eventually(lambda: self._open() < half, within_s=drained_within_s)
            flush(self.it, Random(self.report.seed))
        self._drained()
        return took_s, Drain(rows(self.engine, _SENT, after=last_id), began_ms)

    def _pay(self, for_s: float) -> list[float]:
        """So many a second, whatever becomes of those before. How long each took, from the
        moment at which it was meant to begin."""
        began, count = time.time(), int(for_s * payments_per_s)
        numbers, lock = iter(range(count)), threading.Lock()

        def phone(which: int) -> list[tuple[float, Payment]]:
            random = Random(f"{self.report.seed} {began} {which}")
            payer_of = PEOPLE[which % len(PEOPLE)]
            payer = Payer(self.it.callback_url, payer_of)
            done: list[tuple[float, Payment]] = []
            others = [one for one in PEOPLE if one != payer_of]
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return done
                meant_at = began + number / payments_per_s
                time.sleep(max(meant_at - time.time(), 0))
                payee, shillings = random.choice(others), random.randint(1, shillings_max)
                done.append((meant_at, payer.pay(payee, shillings)))

        with ThreadPoolExecutor(phones) as pool:
            done = [one for some in pool.map(phone, range(phones)) for one in some]
        self.payments += [payment for _, payment in done]
        return [payment.at - meant_at for meant_at, payment in done]

    def _owe_notices(self) -> None:
        """Older than every receipt that will wait, and not one of them goes first."""
        now_ms = int(time.time() * 1000)
        with writing(self.engine) as connection:
            connection.execute(
                insert(outbox), [_notice(number, now_ms) for number in range(notices)]
            )

    def _open(self) -> int:
        ((count,),) = rows(self.engine, _OPEN)
        return int(count)

    def _drained(self) -> None:
        if not eventually(lambda: not self._open(), within_s=drained_within_s):
            self.report.broken.append(f"SMS owed {drained_within_s:g} s after: {self._open()}")

    def _compare(self, calm: Sequence[list[float]], dead: Sequence[list[float]]) -> None:
        """Broken where it is slower by more than calm slices differ among themselves too."""
        all_calm, all_dead = list(chain(*calm)), list(chain(*dead))
        calm_s, dead_s = _p99(all_calm), _p99(all_dead)
        of_each = [_p99(one) for one in calm]
        apart_s = max(of_each) - min(of_each)
        if dead_s - calm_s > max((slower_at_most - 1) * calm_s, apart_s):
            self.report.broken.append(
                f"payments were slower while the provider was dead: p99 {dead_s * 1000:.0f} ms,"
                f" and {calm_s * 1000:.0f} ms when it was not"
            )
        total_s = slice_s * len(dead)
        self.report.add(
            {
                "provider dead": f"{total_s:g} s in {len(dead)} slices for {meant_s:g} s: "
                f"time goes {meant_s / total_s:.0f} times as fast",
                "payments meant": f"{payments_per_s}/s, {len(all_dead):,} while it was"
                f" dead, {len(all_calm):,} while not",
                "p99 dead / calm": f"{dead_s * 1000:.0f} / {calm_s * 1000:.0f} ms:"
                f" {dead_s / calm_s:.2f}; of single slices {_ms(dead)} / {_ms(calm)} ms",
                "p50 dead / calm": f"{median(all_dead) * 1000:.0f} /"
                f" {median(all_calm) * 1000:.0f} ms",
            }
        )

    def _judge(self, drains: Sequence[Drain], rate_per_s: int, in_flight_max: int) -> None:
        *whole, flushed = drains
        share = median(drain.per_s for drain in whole) / rate_per_s
        if share < of_rate_at_least:
            self.report.broken.append(f"drained at {share:.0%} of the provider's rate")
        for drain in whole:
            if (behind := median(drain.behind_notices)) > in_flight_max:
                self.report.broken.append(
                    f"{behind:.0f} receipts still waited as most notices went out"
                )
        each = ", ".join(
            f"{len(drain.sent):,} at {drain.per_s:.0f}/s, from {drain.tried_after_s:.1f} s on"
            for drain in whole
        )
        self.report.add(
            {
                "drained": f"{each}: {share:.0%} of the provider's {rate_per_s}/s",
                "drained, Valkey emptied": f"{len(flushed.sent):,} at {flushed.per_s:.0f}/s",
                "receipts that waited as notices went, median / most": ", ".join(
                    f"{median(one.behind_notices):.0f} / {one.behind_notices[-1]}"
                    for one in whole
                )
                + f"; {in_flight_max} may be in flight",
                "a receipt overtaken by younger ones, p99": ", ".join(
                    f"{one.overtaken:.0f}" for one in whole
                ),
            }
        )


def _notice(number: int, now_ms: int) -> Mapping[str, object]:
    return {
        "key": f"notice:{now_ms}:{number}",
        "msisdn": f"+2547110009{number:02}",
        "template": "pin_locked",
        "language": "en",
        "params": "{}",
        "priority": Priority.NOTICE,
        "event_at_ms": now_ms,
        "state": "due",
        "attempt": 0,
        "next_at_ms": 0,
    }


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


def _ms(slices: Sequence[Sequence[float]]) -> str:
    return ", ".join(f"{_p99(one) * 1000:.0f}" for one in slices)
