"""Whether the gateway can serve, and figures for those who watch it."""

from collections.abc import Iterator, Mapping

import redis
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.app import Gateway
from ussd_gateway.store.waiting.outbox import Outbox
from ussd_gateway.store.waiting.purchases import SqlPurchases


def unready(gateway: Gateway, client: redis.Redis) -> list[str]:
    """What is missing, in words; empty when calls can be answered."""
    missing = []
    if not gateway.writer.alive:
        missing.append("the ledger's writer has stopped: restart this process")
    try:
        until = gateway.days.shut_until()
        if until is not None:
            missing.append(f"by this clock today is closed: no payments until {until}")
    except SQLAlchemyError as error:
        missing.append(f"the database does not answer: {type(error).__name__}")
    try:
        client.ping()
    except redis.RedisError:
        missing.append("Redis does not answer: sessions cannot be kept")
    return missing


class BacklogMetrics(Collector):
    """Read from the database when asked: the same whichever process answers."""

    def __init__(self, outbox: Outbox, purchases: SqlPurchases) -> None:
        self._outbox = outbox
        self._purchases = purchases

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _by_state(
            "gateway_outbox_messages", "SMS in the outbox, by state", self._outbox.backlog()
        )
        yield _by_state(
            "gateway_purchases", "Purchases of carriers, by state", self._purchases.backlog()
        )


def _by_state(name: str, what: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    rows = GaugeMetricFamily(name, what, labels=["state"])
    for state, count in sorted(counts.items()):
        rows.add_metric([state], count)
    return rows
