"""SMS from the outbox to a provider that takes half a second for each, by real programs.

Held against what is possible at all, so many calls at once by so long an answer; and against
the plain way, one job of the queue for one SMS, in the same run. The relay alone, from rows to
jobs of row ids, is held against queueing each SMS as a job.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Engine, delete, func, insert, select

from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground, free_port
from ussd_gateway import app
from ussd_gateway.embedded import Part
from ussd_gateway.embedded.processes import spawn, stop
from ussd_gateway.settings import Settings, load
from ussd_gateway.sms.plan import Plan, load_plan, own_s
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.schema import outbox
from ussd_gateway.worker import jobs
from ussd_gateway.worker.main import JOB_ROWS_MAX, JOBS_WAITING_MAX, relay

rounds = 3
latency_ms = 500
pool = 50
fleets = (2, 4)
# So long all calls are busy.
full_s = 6
of_possible_at_least = 0.8
relayed = JOBS_WAITING_MAX * JOB_ROWS_MAX
queued_singly = 1_000
rows_in_one_insert = 1_000
drained_within_s = 180.0
poll_s = 0.02

_MENUS = Path(__file__).parents[1] / "menus"


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    port = free_port()
    ground.server("provider", ("benchmarks.provider", str(port), str(latency_ms)), port, {})
    environ = ground.gateway_settings(
        "sms",
        DATABASE_URL=ground.postgres.create_database(),
        REDIS_URL=ground.valkey.url,
        AT_BASE_URL=f"http://127.0.0.1:{port}",
        LOG_LEVEL="error",
    )
    settings = load(environ)
    app.upgrade(settings)
    engine = app.database(settings)
    relays, singly = _relay(settings, engine, say)

    figures = [Figure("relay, rows", relays, "/s", Floor("a job for each SMS", singly))]
    for workers in fleets:
        sent, plain = [], []
        for turn in range(rounds):
            say(f"{workers} workers, round {turn + 1} of {rounds}")
            sent.append(_drained(ground, environ, engine, workers=workers, calls=pool))
            plain.append(_drained(ground, environ, engine, workers=workers, calls=1))
        possible = [workers * pool / latency_ms * 1000] * rounds
        figures += [
            Figure(
                f"{workers} workers of {pool} calls",
                sent,
                "SMS/s",
                Floor("calls/latency", possible),
                at_least=of_possible_at_least,
            ),
            Figure("  beside a job for each", sent, "SMS/s", Floor("one by one", plain)),
        ]
    engine.dispose()
    return [Subject(f"SMS to a provider that takes {latency_ms} ms, PostgreSQL", figures)]


def _relay(
    settings: Settings, engine: Engine, say: Callable[[str], None]
) -> tuple[list[float], list[float]]:
    """Rows a second by the relay; and by one job for each, as far as Valkey goes."""
    box = Outbox(engine, app.clock(settings))
    client = redis.from_url(settings.redis_url)
    queue = Queue(jobs.QUEUE, connection=client, serializer=JSONSerializer)
    rows, singles = [], []
    for turn in range(rounds):
        say(f"relay, round {turn + 1} of {rounds}")
        _owe(engine, relayed)
        began = time.perf_counter()
        while relay(box, queue, rows_max=JOB_ROWS_MAX, in_flight_max=relayed):
            pass
        rows.append(relayed / (time.perf_counter() - began))
        client.delete(queue.key)
        began = time.perf_counter()
        for number in range(queued_singly):
            queue.enqueue(jobs.send, [number], result_ttl=0, failure_ttl=0)
        singles.append(queued_singly / (time.perf_counter() - began))
        client.delete(queue.key)
    return rows, singles


def _drained(
    ground: Ground, environ: Mapping[str, str], engine: Engine, *, workers: int, calls: int
) -> float:
    """SMS a second, from the first that a worker took to the last that was kept."""
    count = workers * calls * full_s * 1000 // latency_ms
    menus = _menus(ground.folder / f"menus-{workers}-{calls}", workers=workers, calls=calls)
    given = {**environ, "MENUS_DIR": str(menus)}
    _owe(engine, count)
    with ExitStack() as ends:
        names = ["relay", *(f"worker-{number}" for number in range(workers))]
        for name in names:
            argv = (sys.executable, "-m", "ussd_gateway", name.partition("-")[0])
            log = ground.folder / f"sms-{name}.log"
            ends.callback(stop, [spawn(Part(name, argv, env=given), log)])
        began = _when(engine, ("sending", "sent"), 1)
        ended = _when(engine, ("sent",), count)
    return count / (ended - began)


def _menus(folder: Path, *, workers: int, calls: int) -> Path:
    """The operators' folder, with a provider by whose terms each worker has so many calls; its
    rate is twice what they come to, so that nothing but the calls holds them."""
    if not folder.exists():
        shutil.copytree(_MENUS, folder)
        file = folder / "providers.yaml"
        text = file.read_text("utf-8")
        rate = 2 * workers * calls * 1000 // latency_ms
        within_ms = latency_ms // 2 - int(own_s * 1000) - 1
        for line, its in (
            (r"^workers: .*$", f"workers: {workers}"),
            (r"rate_per_s: 100$", f"rate_per_s: {rate}"),
            (r"answers_within: 500ms$", f"answers_within: {within_ms}ms"),
        ):
            text, found = re.subn(line, its, text, count=1, flags=re.MULTILINE)
            assert found, f"providers.yaml has no {line}"
        file.write_text(text, "utf-8")
        plan = load_plan(text.encode(), file=file.name)
        assert isinstance(plan, Plan), plan
        assert plan.pool == calls, f"{plan.pool} calls, and not {calls}"
    return folder


def _owe(engine: Engine, count: int) -> None:
    """So many SMS, and no other."""
    now_ms = int(time.time() * 1000)
    with writing(engine) as connection:
        connection.execute(delete(outbox))
        for first in range(0, count, rows_in_one_insert):
            rows = range(first, min(first + rows_in_one_insert, count))
            connection.execute(insert(outbox), [_row(number, now_ms) for number in rows])


def _row(number: int, now_ms: int) -> dict[str, object]:
    return {
        "key": f"bench:{number}",
        "msisdn": f"+2547{number:08}",
        "template": "received",
        "language": "en",
        "params": '{"receipt":"UDP2KW5VQP","amount":{"minor":50000,"currency":"KES"},'
        '"name":"Juma Otieno","number":"0711***002",'
        '"balance":{"minor":449300,"currency":"KES"}}',
        "event_at_ms": now_ms,
        "state": "due",
        "attempt": 0,
        "next_at_ms": 0,
    }


def _when(engine: Engine, states: Sequence[str], count: int) -> float:
    """The moment at which so many are in these."""
    there = select(func.count()).select_from(outbox).where(outbox.c.state.in_(states))
    until = time.monotonic() + drained_within_s
    with reading(engine) as connection:
        while connection.execute(there).scalar_one() < count:
            assert time.monotonic() < until, "the SMS do not drain"
            time.sleep(poll_s)
    return time.perf_counter()
