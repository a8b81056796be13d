"""Seals what was committed, second by second, and keeps the head of the chain once a market
day."""

from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine

from ussd_gateway.domain.market import Market
from ussd_gateway.ports import Clock
from ussd_gateway.store.seals.heads import export, is_exported
from ussd_gateway.store.seals.sealer import SEALED_MAX, head, seal_waiting

log = structlog.get_logger()

# Before a head that found no room on the disk is tried again.
AGAIN = timedelta(minutes=1)


class Sealing:
    """`folder` is where heads are kept."""

    def __init__(self, engine: Engine, clock: Clock, market: Market, folder: Path) -> None:
        self._engine = engine
        self._clock = clock
        self._market = market
        self._folder = folder
        self._not_before: datetime | None = None

    def step(self) -> int:
        """Gives how many commits it sealed where more may wait, else 0. Raises DBAPIError."""
        sealed = seal_waiting(self._engine)
        now = self._clock.now()
        if self._not_before is None or now >= self._not_before:
            self._keep_head(now)
        return sealed if sealed == SEALED_MAX else 0

    def _keep_head(self, now: datetime) -> None:
        today = self._market.business_date(int(now.timestamp() * 1000))
        if is_exported(self._folder, today):
            return
        newest = head(self._engine)
        if newest is None:
            return
        try:
            path = export(newest, self._folder, at=now, market_date=today)
        except OSError as error:
            self._not_before = now + AGAIN
            log.warning("head.not_kept", error=type(error).__name__)
            return
        log.info("head.kept", file=str(path), **newest.values)
