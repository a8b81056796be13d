"""Each key is asked for several times at the same moment, of two writers' processes."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.chaos.books import open_books, rows, verified
from tests.chaos.clerk import Order
from tests.chaos.desk import Desk, Told, desk
from tests.chaos.report import Report

keys = 20_000
times = 5
clerks = 2

# Of a block all is asked for at once, in any order.
block_keys = 12
blocks_at_once = 4
WALLETS = dict.fromkeys(range(1, 101), 20000)
dearest_minor = 9_000

_KEPT = """
SELECT key, count(*), count(journal_id), min(receipt)
FROM idempotency LEFT JOIN journal ON journal.id = journal_id
WHERE key LIKE 'k%' GROUP BY key
"""


def ask(report: Report, folder: Path, url: str, *, keys: int = keys) -> Mapping[str, str]:
    engine = open_books(url, WALLETS)
    with desk(url, folder, clerks=clerks) as it, ThreadPoolExecutor(blocks_at_once) as pool:
        starts = range(0, keys, block_keys)
        blocks = [
            pool.submit(_block, it, range(start, min(start + block_keys, keys)), report.seed)
            for start in starts
        ]
        told = {key: answers for block in blocks for key, answers in block.result().items()}

    kept = {key: rest for key, *rest in rows(engine, _KEPT)}
    outcomes: Counter[str] = Counter()
    for key, answers in told.items():
        if len(set(answers)) != 1 or len(answers) != times or None in answers:
            report.broken.append(f"{key}: not one answer to all: {answers}")
            continue
        (answer,) = {each for each in answers if each is not None}
        outcomes[answer.outcome] += 1
        wanted = [1, int(answer.outcome == "ok"), answer.receipt]
        if kept.get(key) != wanted:
            report.broken.append(f"{key}: told {answer}, kept {kept.get(key)}")
    if unknown := outcomes.keys() - {"ok", "low"}:
        report.broken.append(f"neither yes nor no: {unknown}")
    if kept.keys() != told.keys():
        report.broken.append(f"keys kept {len(kept)}, asked for {len(told)}")
    asked = sum(map(len, told.values()))
    figures = {
        "asked for": f"{len(told):,} keys, {times} times each: {asked:,}",
        "writers": f"{clerks} processes",
        "answers": f"{outcomes['ok']:,} paid, one journal each; {outcomes['low']:,} refused",
    }
    figures |= verified(engine, report, folder)
    engine.dispose()
    return figures


def _block(it: Desk, numbers: range, seed: int) -> dict[str, list[Told | None]]:
    random = Random(f"{seed} {numbers.start}")
    orders = []
    for number in numbers:
        source, target = random.sample(list(WALLETS), 2)
        orders.append(
            Order("pay", f"k{number}", source, target, random.randint(1, dearest_minor))
        )
    copies = orders * times
    random.shuffle(copies)
    answers = [(order.key, it.any(random).send(order)) for order in copies]
    told: dict[str, list[Told | None]] = {order.key: [] for order in orders}
    for key, answer in answers:
        told[key].append(answer.result())
    return told
