"""Holds that are posted, voided and expired at the same moment: one of the three wins.

Some may be posted for a fraction of a second only, so that "it is too late" and "it is not yet"
change places in the middle of the race.
"""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.chaos.books import open_books, rows, verified
from tests.chaos.clerk import Order
from tests.chaos.desk import Desk, Told, desk
from tests.chaos.report import Report

holds = 5_000
clerks = 2

# Of a block all are placed, and then all are raced for.
block_holds = 10
blocks_at_once = 4
open_ms_max = 30
long_ms = 3_600_000
WALLETS = dict.fromkeys(range(1, 41), 5000000)
dearest_minor = 1_000

# What became of each hold, and of how many journals it is the hold.
_KEPT = """
SELECT hold.id, hold.state, hold.posted, count(journal.id), coalesce(sum(entry.minor), 0)
FROM hold
LEFT JOIN journal ON journal.hold_id = hold.id
LEFT JOIN entry ON entry.journal_id = journal.id AND entry.leg = 1
GROUP BY hold.id, hold.state, hold.posted
"""
_PENDING = "SELECT sum(debits_pending), sum(credits_pending) FROM account"
_WON = {"posted": "post", "part_posted": "post", "voided": "void", "expired": "expire"}

_TOO_LATE_OR_EARLY = ("decided", "overdue", "not_overdue")

# Of a hold: the orders that were told yes, and what the post would move.
Race = tuple[list[str], int]


def race(report: Report, folder: Path, url: str, *, holds: int = holds) -> Mapping[str, str]:
    engine = open_books(url, WALLETS)
    with desk(url, folder, clerks=clerks) as it, ThreadPoolExecutor(blocks_at_once) as pool:
        starts = range(1, holds + 1, block_holds)
        blocks = [
            pool.submit(_block, it, range(start, min(start + block_holds, holds + 1)), report)
            for start in starts
        ]
        won = {hold: race for block in blocks for hold, race in block.result().items()}

    winners: Counter[str] = Counter()
    for hold, state, posted, journals, moved in rows(engine, _KEPT):
        told, minor = won.pop(hold)
        winners[state] += 1
        by_post = minor if state in ("posted", "part_posted") else 0
        if told != [_WON.get(state)]:
            report.broken.append(f"hold {hold} is {state}; told yes: {told}")
        if (posted, moved, journals) != (by_post, by_post, int(by_post > 0)):
            report.broken.append(
                f"hold {hold}, {state}: {posted} posted, {moved} moved by {journals} journals"
            )
    if won:
        report.broken.append(f"holds not in the books: {sorted(won)}")
    ((held, coming),) = rows(engine, _PENDING)
    if held or coming:
        report.broken.append(f"pending in the end: {held} debits, {coming} credits")
    figures = {
        "holds": f"{winners.total():,}, one winner each; {clerks} writers' processes",
        "winners": ", ".join(f"{state} {n:,}" for state, n in winners.most_common()),
        "pending in the end": f"{held} and {coming}",
    }
    figures |= verified(engine, report, folder)
    engine.dispose()
    return figures


def _block(it: Desk, numbers: range, report: Report) -> dict[int, Race]:
    random = Random(f"{report.seed} {numbers.start}")
    placed, raced = [], []
    for hold in numbers:
        source, target = random.sample(list(WALLETS), 2)
        minor = random.randint(2, dearest_minor)
        soon_ms = random.randint(1, open_ms_max)
        open_ms = random.choice((soon_ms, soon_ms, long_ms))
        until_ms = time.time_ns() // 1_000_000 + open_ms
        of_it = (source, target)
        placed.append(Order("place", f"place-{hold}", *of_it, minor, hold, until_ms))
        part = random.choice((minor, random.randint(1, minor - 1)))
        raced += [
            Order(kind, f"{kind}-{hold}", *of_it, part, hold)
            for kind in ("post", "void", "expire")
        ]
    for told in _all_at_once(it, placed, random):
        if told[1] is None or told[1].outcome != "ok":
            report.broken.append(f"not placed: {told}")
    random.shuffle(raced)
    won: dict[int, Race] = {order.hold: ([], order.minor) for order in raced}
    for order, answer in _all_at_once(it, raced, random):
        if answer is None or answer.outcome not in ("ok", *_TOO_LATE_OR_EARLY):
            report.broken.append(f"neither yes nor no: {answer} to {order}")
        elif answer.outcome == "ok":
            won[order.hold][0].append(order.kind)
    return won


def _all_at_once(
    it: Desk, orders: list[Order], random: Random
) -> list[tuple[Order, Told | None]]:
    asked = [(order, it.any(random).send(order)) for order in orders]
    return [(order, answer.result()) for order, answer in asked]
