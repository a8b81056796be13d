"""One wallet, drained by many callers at once down to its floor, and topped up now and then.

So they meet at the floor all the time, and not once in the end. However they meet: what is paid
out of it is what was there to pay with, to the last payment that it could afford.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from tests.chaos.books import BANK, balance, open_books, rows, verified
from tests.chaos.clerk import Order
from tests.chaos.desk import Desk, desk
from tests.chaos.report import Report

clients = 32
for_s = 20.0
clerks = 3

WALLET, SHOP = 1, 2
opening, price = 100_000, 100
# Not always of whole payments: what is left over stays.
top_up_step, top_up_steps_max, top_up_every_s = 50, 400, 0.25
look_every_s = 0.005

_LOWEST = "SELECT min(balance_after) FROM entry WHERE account_id = :id AND minor > 0"
_PAID = "SELECT count(*) FROM entry WHERE account_id = :id AND minor > 0"


def drain(
    report: Report, folder: Path, url: str, *, clients: int = clients, for_s: float = for_s
) -> Mapping[str, str]:
    engine = open_books(url, {WALLET: opening, SHOP: 0})
    answers: Counter[str] = Counter()
    with desk(url, folder, clerks=clerks) as it, _watched(engine) as seen:
        until = time.monotonic() + for_s
        with ThreadPoolExecutor(clients) as pool:
            drains = [pool.submit(_drain, it, n, until, report.seed) for n in range(clients)]
            topped_up = _top_up(it, until, Random(report.seed))
            for each in drains:
                answers += each.result()

    affordable = (opening + topped_up) // price
    ((lowest,),) = rows(engine, _LOWEST, id=WALLET)
    ((paid,),) = rows(engine, _PAID, id=WALLET)
    if not answers["ok"] == paid == affordable:
        report.broken.append(
            f"{affordable} could be afforded, {answers['ok']} were accepted, {paid} were paid"
        )
    if min(lowest, *seen) < 0:
        report.broken.append(f"below its floor: {lowest} kept, {min(seen)} seen")
    if unknown := answers.keys() - {"ok", "low"}:
        report.broken.append(f"neither yes nor no: {unknown}")
    figures = {
        "clients": f"{clients} for {for_s:g} s, {clerks} writers' processes",
        "accepted": f"{answers['ok']:,}, exactly what could be afforded",
        "refused": f"{answers['low']:,}",
        "lowest": f"{lowest} kept, {min(seen)} seen in {len(seen):,} looks",
    }
    figures |= verified(engine, report, folder)
    engine.dispose()
    return figures


def _drain(it: Desk, number: int, until: float, seed: int) -> Counter[str]:
    """Until there is no time left, and then until there is no money."""
    random = Random(f"{seed} client {number}")
    answers: Counter[str] = Counter()
    while True:
        key = f"drain-{number}-{answers.total()}"
        told = it.any(random).ask(Order("pay", key, WALLET, SHOP, price))
        answers[told.outcome if told else "no answer"] += 1
        if time.monotonic() > until and (told is None or told.outcome != "ok"):
            return answers


def _top_up(it: Desk, until: float, random: Random) -> int:
    """How much came to it, in all."""
    total = number = 0
    while time.monotonic() < until - top_up_every_s:
        minor = top_up_step * random.randint(1, top_up_steps_max)
        told = it.any(random).ask(Order("pay", f"top-up-{number}", BANK, WALLET, minor))
        assert told is not None, "a clerk died"
        total += minor if told.outcome == "ok" else 0
        number += 1
        time.sleep(top_up_every_s)
    return total


@contextmanager
def _watched(engine: Engine) -> Iterator[list[int]]:
    """Whatever anybody could see of the wallet meanwhile."""
    seen: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(look_every_s):
            seen.append(balance(engine, WALLET))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
