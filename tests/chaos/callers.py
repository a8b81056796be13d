"""Callers who pay one another and ask again, under the same key, until they know; and all that
they were told, held against the books."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from tests.chaos.books import BANK, open_books, rows, verified
from tests.chaos.clerk import Order
from tests.chaos.desk import Desk, Told, desk
from tests.chaos.report import Report

CALLERS = 32
# So that a lock which one of them held is wanted when it dies.
CLERKS = 2
# Small, so that some are refused.
WALLETS = dict.fromkeys(range(1, 41), 10000)

# After an answer that was no answer; and when no more of them are waited for.
wait_s, known_within_s = 0.02, 120.0
# How often a caller believes "nothing moved" and leaves it, and repeats what was answered.
leaves_share, repeats_share = 0.5, 0.1
dearest_minor = 5_000

_KEYS = """
SELECT idempotency.key, outcome, receipt, entry.account_id, entry.minor
FROM idempotency
LEFT JOIN journal ON journal.id = idempotency.journal_id
LEFT JOIN entry ON entry.journal_id = journal.id AND entry.leg = 1
"""
_BALANCES = "SELECT id, credits - debits FROM account WHERE id <> :bank"


@dataclass(slots=True)
class Callers:
    """`run` has each pay without a pause until told to stop. What they know stands here, in no
    process that is killed."""

    desk: Desk
    wallets: Mapping[int, int]
    seed: int
    callers: int
    told: dict[str, tuple[Order, Told]] = field(default_factory=dict)
    left: dict[str, Order] = field(default_factory=dict)  # told that nothing moved, and left
    heard: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def paying(self) -> Iterator[None]:
        """At the end each gets the answer to what it has asked."""
        with ThreadPoolExecutor(self.callers) as pool:
            all_of_them = [pool.submit(self._pay_on, number) for number in range(self.callers)]
            try:
                yield
            finally:
                self._stopping.set()
            for caller in all_of_them:
                caller.result()

    def _pay_on(self, number: int) -> None:
        random = Random(f"{self.seed} caller {number}")
        wallets = list(self.wallets)
        paid = 0
        while not self._stopping.is_set():
            paid += 1
            source, target = random.sample(wallets, 2)
            minor = random.randint(1, dearest_minor)
            self._pay(Order("pay", f"k-{number}-{paid}", source, target, minor), random)

    def _pay(self, order: Order, random: Random) -> None:
        unsure = False
        until = time.monotonic() + known_within_s
        while True:
            told = self.desk.any(random).ask(order)
            self.heard["died before it answered" if told is None else told.outcome] += 1
            if told is None or told.in_doubt:
                unsure = True
            elif not told.nothing_moved:
                break
            elif not unsure and random.random() < leaves_share:
                self.left[order.key] = order
                return
            if time.monotonic() > until:
                self.broken.append(f"not told in {known_within_s:g} s: {order}")
                return
            time.sleep(wait_s)
        self.told[order.key] = order, told
        if random.random() < repeats_share:
            again = self.desk.any(random).ask(order)
            known = again is not None and not again.in_doubt and not again.nothing_moved
            if known and again != told:
                self.broken.append(f"told {told}, and then {again}: {order}")

    def check(self, engine: Engine) -> dict[str, str]:
        """Once they have stopped; adds to `broken`."""
        kept: dict[str, list[tuple[str, str | None, int, int]]] = {}
        for key, outcome, *rest in rows(engine, _KEYS):
            kept.setdefault(key, []).append((outcome, *rest))
        paid = 0
        for key, (order, told) in self.told.items():
            found = kept.pop(key, [])
            if len(found) != 1:
                self.broken.append(f"acknowledged, {len(found)} times in the books: {order}")
            elif told.outcome == "ok" and found[0][1:] != (
                told.receipt,
                order.source,
                order.minor,
            ):
                self.broken.append(f"told {told}, kept {found[0]}: {order}")
            elif told.outcome != "ok" and found[0][1] is not None:
                self.broken.append(f"told {told}, and it was charged: {order}")
            paid += told.outcome == "ok"
        self.broken += [
            f"told that nothing moved, and it is in the books: {key}"
            for key in kept.keys() & self.left.keys()
        ]
        asked = self.left.keys() | {f"opening-{number}" for number in self.wallets}
        self.broken += [f"nobody asked for {key}" for key in kept.keys() - asked]
        self._check_money(engine)
        return {
            "acknowledged": f"{len(self.told):,}, {paid:,} paid; all in the books, once",
            "left at 'nothing moved'": f"{len(self.left):,}; none in the books",
            "answers": ", ".join(f"{what} {n:,}" for what, n in self.heard.most_common()),
        }

    def _check_money(self, engine: Engine) -> None:
        expected = Counter(self.wallets)
        for order, told in self.told.values():
            if told.outcome == "ok":
                expected[order.source] -= order.minor
                expected[order.target] += order.minor
        for number, minor in rows(engine, _BALANCES, bank=BANK):
            if minor != expected[number]:
                self.broken.append(
                    f"wallet {number} has {minor}, and {expected[number]} by all answers"
                )


def while_paying(
    report: Report,
    folder: Path,
    url: str,
    trouble: Callable[[Desk, Engine], None],
    *,
    reached_by: str = "",
) -> Mapping[str, int]:
    """`trouble` is what goes wrong, from its beginning to its end. `reached_by`: the URL by
    which writers reach the database, where that is not `url`. Gives how often callers heard
    which answer."""
    engine = open_books(url, WALLETS)
    with desk(reached_by or url, folder, clerks=CLERKS) as it:
        load = Callers(it, WALLETS, report.seed, CALLERS)
        began = time.monotonic()
        with load.paying():
            trouble(it, engine)
        took_s = time.monotonic() - began
    report.add(load.check(engine) | verified(engine, report, folder))
    report.add({"took": f"{took_s:.0f} s, {CALLERS} callers, {CLERKS} writers' processes"})
    report.broken += load.broken
    engine.dispose()
    return load.heard
