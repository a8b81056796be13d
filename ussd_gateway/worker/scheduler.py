"""What is done by the clock, each thing in its own time.

    soon      SMS whose wait is over, purchases, holds and vouchers that are overdue, seals
    at night  days that are over, tables for the months to come, what need not be kept

Each lane is a thread, so that a day that takes long to close keeps no purchase waiting. A duty
that fails is tried again when its time comes round, and stops no other. Should a lane end all
the same, the program ends with 1, and whoever started it starts it anew.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway import app
from ussd_gateway.domain.market import Market
from ussd_gateway.ports import BooksLost, Clock, PurchasesLost
from ussd_gateway.settings import Settings
from ussd_gateway.store.days.clocks import SlowerClock
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.days.entry_months import keep_ahead
from ussd_gateway.store.days.retention import forget
from ussd_gateway.store.seals.heads import FOLDER
from ussd_gateway.worker.sealing import Sealing

log = structlog.get_logger()

SOON_S = 1.0
EXPIRE_S = 20.0
DAY_LOOK_S = 20.0
MONTH_LOOK_S = 3_600.0
FORGET_S = 60.0
# How often a lane looks whether something is due, or whether it is to stop.
LOOK_S = 0.5
STOP_S = 5.0


@dataclass(slots=True)
class Duty:
    """`do` gives how much it found to do; what it found is logged under `name`, and it is done
    again at once."""

    name: str
    every_s: float
    do: Callable[[], int]
    due_at_s: float = field(default=0.0, init=False)

    def step(self, now_s: float) -> None:
        """Does it, if it is time."""
        if now_s < self.due_at_s:
            return
        self.due_at_s = now_s + self.every_s
        try:
            found = self.do()
        except (SQLAlchemyError, BooksLost, PurchasesLost) as error:
            log.warning("duty.failed", duty=self.name, error=type(error).__name__)
            return
        # A fault of ours in one duty must not end the lane that the others need.
        except Exception:
            log.exception("duty.broke", duty=self.name)
            return
        if found:
            log.info(self.name, count=found)
            self.due_at_s = now_s


def run(settings: Settings, stopping: threading.Event) -> bool:
    """Until it is told to stop: True; False where a lane ended by itself. Settles purchases,
    lets holds go and gives vouchers back too: it has a ledger writer of its own."""
    clock, market, engine = app.clock(settings), app.market(settings), app.database(settings)
    outbox = app.outbox(settings, clock)
    sealing = Sealing(engine, clock, market, settings.data_dir / FOLDER)
    with app.overdue(settings) as overdue:
        soon = [
            Duty("sms.released", SOON_S, outbox.release_leases),
            Duty("sms.reports_matched", SOON_S, outbox.match_reports),
            Duty("sms.expired", EXPIRE_S, outbox.expire),
            Duty("purchases.followed", SOON_S, overdue.purchases.follow_up),
            Duty("holds.expired", SOON_S, overdue.holds.expire),
            Duty("vouchers.returned", SOON_S, overdue.vouchers.give_back),
            Duty("commits.sealed", SOON_S, sealing.step),
        ]
        night = nightly(engine, SlowerClock(engine, clock), market)
        told = follow({"soon": soon, "night": night}, stopping)
    engine.dispose()
    return told


def follow(lanes: Mapping[str, list[Duty]], stopping: threading.Event) -> bool:
    """Until it is told to stop: True; False where a lane ended by itself."""
    threads = [
        threading.Thread(target=_lane, args=(duties, stopping), name=name, daemon=True)
        for name, duties in lanes.items()
    ]
    for thread in threads:
        thread.start()
    while not stopping.wait(LOOK_S) and all(thread.is_alive() for thread in threads):
        pass
    told = stopping.is_set()
    if not told:
        log.error("lane.ended", lanes=[one.name for one in threads if not one.is_alive()])
        stopping.set()
    for thread in threads:
        thread.join(STOP_S)
    return told


def nightly(engine: Engine, clock: Clock, market: Market) -> list[Duty]:
    days = EndOfDay(engine, clock, market)

    def now_ms() -> int:
        return int(clock.now().timestamp() * 1000)

    return [
        Duty("day.closed", DAY_LOOK_S, lambda: int(days.close_next() is not None)),
        Duty(
            "months.made",
            MONTH_LOOK_S,
            lambda: keep_ahead(engine, market.business_date(now_ms())),
        ),
        Duty(
            "words.forgotten",
            FORGET_S,
            lambda: forget(engine, now_ms=now_ms(), today=market.business_date(now_ms())),
        ),
    ]


def _lane(duties: list[Duty], stopping: threading.Event) -> None:
    while not stopping.is_set():
        for duty in duties:
            duty.step(time.monotonic())
        stopping.wait(LOOK_S)
