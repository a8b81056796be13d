"""The three programs behind the screen. Each runs until SIGINT or SIGTERM, and may be killed at
any moment: what it had begun is taken up again when a lease is over."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import redis
import structlog
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway import app
from ussd_gateway.settings import Settings
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.worker import jobs, scheduler
from ussd_gateway.worker.sending import Sending

log = structlog.get_logger()

RELAY_WAIT_S = 0.1
AFTER_TROUBLE_S = 1.0
# More jobs than this wait in the database, where they cost nothing.
JOBS_WAITING_MAX = 100
JOB_ROWS_MAX = 50
# A last resort: whatever a job waits for has a bound of its own.
JOB_TIMEOUT_S = 300
MAINTENANCE_INTERVAL_S = 60
RECONNECT_WAIT_MAX_S = 2


class _Worker(SimpleWorker):
    """Where Redis goes away in the middle of a job it stops by itself, as if all were well."""

    told_to_stop = False

    def handle_warm_shutdown_request(self) -> None:
        self.told_to_stop = True


def run_worker(settings: Settings) -> None:
    """Takes jobs from its one queue until it is told to stop; or until Redis is lost in the
    middle of one, which is a failure, and whoever started us starts us again."""
    app.start_logging(settings)
    outbox, plan = app.outbox(settings, app.clock(settings)), app.sms_plan(settings)
    with app.sms_sender(settings, report=outbox.report) as sender:
        sending = Sending(
            outbox,
            sender,
            app.messages(settings),
            app.market(settings),
            plan=plan,
            width=plan.pool,
        )
        jobs.serve_with(sending)
        sending.wake_unwritten()
        connection = redis.from_url(settings.redis_url)
        worker = _Worker(
            [_queue(connection)],
            connection=connection,
            serializer=JSONSerializer,
            maintenance_interval=MAINTENANCE_INTERVAL_S,
        )
        worker.max_connection_wait_time = RECONNECT_WAIT_MAX_S
        worker.work(logging_level="WARNING")
        sending.close()
    if not worker.told_to_stop:
        sys.exit(1)


def run_relay(settings: Settings) -> None:
    app.start_logging(settings)
    outbox = app.outbox(settings, app.clock(settings))
    queue = _queue(redis.from_url(settings.redis_url))
    plan = app.sms_plan(settings)
    rows_max = job_rows_max(plan.pool)
    _until_stopped(
        lambda: relay(outbox, queue, rows_max=rows_max, in_flight_max=plan.in_flight_max),
        RELAY_WAIT_S,
    )


def run_scheduler(settings: Settings) -> None:
    """Until it is told to stop; or until one of its lanes ends by itself, which is a failure,
    and whoever started us starts us again."""
    app.start_logging(settings)
    if not scheduler.run(settings, _stopping()):
        sys.exit(1)


def relay(outbox: Outbox, queue: Queue, *, rows_max: int, in_flight_max: int) -> bool:
    """Moves the most urgent of the due rows to the queue, as one job; whether there was any."""
    if queue.count >= JOBS_WAITING_MAX:
        return False
    ids = outbox.take_due(rows_max=rows_max, in_flight_max=in_flight_max)
    if not ids:
        return False
    try:
        queue.enqueue(jobs.send, ids, result_ttl=0, failure_ttl=0, job_timeout=JOB_TIMEOUT_S)
    except redis.RedisError:
        outbox.put_back(ids)
        raise
    return True


def job_rows_max(pool: int) -> int:
    """Half a pool: all workers get their share, and none waits for the next job."""
    return min(JOB_ROWS_MAX, (pool + 1) // 2)


def _queue(connection: redis.Redis) -> Queue:
    return Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)


def _until_stopped(step: Callable[[], bool], wait_s: float) -> None:
    """Runs `step` until a signal; at once again where it found work, else after `wait_s`."""
    stopping = _stopping()
    while not stopping.is_set():
        try:
            if not step():
                stopping.wait(wait_s)
        except (redis.RedisError, SQLAlchemyError) as error:
            log.warning("worker.trouble", error=type(error).__name__)
            stopping.wait(AFTER_TROUBLE_S)


def _stopping() -> threading.Event:
    """Set by the signals that end a program."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping
