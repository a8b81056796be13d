"""Writes down, every few seconds, what a process has counted of its screens."""

import threading
from dataclasses import astuple
from typing import cast

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.market import Market
from ussd_gateway.ports import Clock
from ussd_gateway.store.menus.counts import Counted, SqlCounts
from ussd_gateway.ussd.turn.counting import Counting

write_every_s = 10.0

log = structlog.get_logger()


class CountsWriter:
    """A thread of its own: no phone waits for it, and what it fails to write is let go."""

    def __init__(
        self, counting: Counting, counts: SqlCounts, clock: Clock, market: Market
    ) -> None:
        self._counting = counting
        self._counts = counts
        self._clock = clock
        self._market = market
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Writes what is left."""
        self._stopping.set()
        self._thread.join()
        self.write()

    def write(self) -> None:
        taken = self._counting.take()
        counted = {screen: cast(Counted, astuple(count)) for screen, count in taken.items()}
        day = self._market.business_date(int(self._clock.now().timestamp() * 1000))
        try:
            self._counts.add(day, counted)
        except SQLAlchemyError as error:
            log.warning("counts.not_written", error=type(error).__name__, screens=len(counted))

    def _run(self) -> None:
        while not self._stopping.wait(write_every_s):
            self.write()
