"""Whether a payment costs the same in books that have grown: 10 thousand journals to 2 million.

Three books on one PostgreSQL, filled before anything is measured (`benchmarks.filling`), and
then asked in turn, for short whiles, so that the small ones stay small. And what a payment
takes on the disk, indexes included, in the greatest of them.

The server's buffers hold what payments touch, which is little of the books, and far apart in
them. No checkpoint falls into a round: behind one, PostgreSQL logs each page whole when it is
first written, and small books have few pages. What checkpoints cost depends on how many wallets
move between two of them, and on max_wal_size; it is no matter of how many journals there are.
"""

import time
from collections.abc import Callable
from itertools import permutations

import psycopg

from benchmarks import people
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.filling import fill
from benchmarks.ground import Ground
from benchmarks.writer import CALLBACKS, Counter, Run, callers, counter

sizes = (10_000, 200_000, 2_000_000)
rounds = 2
# A floor for the eye: the books are held against one another.
of_pgbench = 3
first_s = 0.1  # for one payment at least, to fill in others like it
run_s = 1.5
# By then everybody has paid and was paid.
warm_up_s = 2.0
flat_at_least = 0.9

TABLES = ("journal", "entry", "idempotency", "outbox", "batch", "unsealed")
# The tables that a partitioned one consists of, and itself.
_OCTETS = """
SELECT sum(pg_total_relation_size(relid)) FROM
(SELECT relid FROM pg_partition_tree(%s::text::regclass) UNION SELECT %s::text::regclass) AS t
"""


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    counters: dict[int, Counter] = {}
    notes = []
    for size in sizes:
        say(f"filling books with {size:,} journals")
        url = ground.postgres.create_database()
        books = counter(ground, f"growth-{size}", processes=1, DATABASE_URL=url)
        books.run(CALLBACKS, first_s)
        began = time.monotonic()
        fill(books.settings, size)
        books.paid[people.SPREAD] += size
        notes.append(f"{size:,} payments were filled in, in {time.monotonic() - began:.0f} s")
        counters[size] = books
    octets = _octets(counters[sizes[-1]])

    _without_checkpoints(ground)
    for books in counters.values():
        books.run(CALLBACKS, warm_up_s)
    found: dict[int, list[Run]] = {size: [] for size in sizes}
    # In every order, that none is always asked first, nor always behind the same other.
    orders = list(permutations(sizes)) * rounds
    for turn, order in enumerate(orders, 1):
        for size in order:
            say(f"{size:,} journals, turn {turn} of {len(orders)}")
            found[size].append(counters[size].run(CALLBACKS, run_s))
    for books in counters.values():
        books.close()
    notes += [
        f"{size:,}: {people.check_books(books.settings, books.paid)}"
        for size, books in counters.items()
    ]
    tps = []
    for turn in range(of_pgbench):
        say(f"pgbench {turn + 1} of {of_pgbench}")
        tps.append(ground.pgbench_tps())
    return [_subject(tps, found, notes), _room(octets)]


def _without_checkpoints(ground: Ground) -> None:
    with psycopg.connect(ground.postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET checkpoint_timeout = '1h'")
        connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        connection.execute("SELECT pg_reload_conf()")


def _subject(tps: list[float], found: dict[int, list[Run]], notes: list[str]) -> Subject:
    pgbench = Floor("pgbench", tps)
    smallest = Floor(f"{sizes[0]:,}", [run.per_s for run in found[sizes[0]]])
    figures = [Figure("pgbench tpcb-like", tps, "/s", pgbench)]
    for size, runs in found.items():
        per_s = [run.per_s for run in runs]
        figures.append(Figure(f"{size:,} journals", per_s, "/s", pgbench))
        if size != sizes[0]:
            figures.append(
                Figure("  beside the smallest", per_s, "/s", smallest, at_least=flat_at_least)
            )
        least = Floor("callers/payments", [run.least_ms for run in runs])
        figures.append(Figure("  p99", [run.p99_ms for run in runs], "ms", least))
    return Subject(f"Payments in books that grow, {callers} callbacks", figures, notes)


def _octets(books: Counter) -> dict[str, float]:
    """Of each table, for a payment."""
    with psycopg.connect(books.settings.database_url) as connection:
        asked = connection.execute("SELECT count(*) FROM journal").fetchone()
        assert asked is not None
        sizes = {}
        for table in TABLES:
            row = connection.execute(_OCTETS, (table, table)).fetchone()
            assert row is not None
            sizes[table] = int(row[0]) / asked[0]
    return sizes


def _room(octets: dict[str, float]) -> Subject:
    whole = sum(octets.values())
    floor = Floor("all of it", [whole])
    return Subject(
        "What a payment takes on the disk, indexes and its two SMS included",
        [
            Figure("a payment", [whole], "octets", floor),
            *(Figure(f"  {table}", [each], "octets", floor) for table, each in octets.items()),
        ],
    )
