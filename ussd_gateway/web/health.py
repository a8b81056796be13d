"""Whether the gateway can serve, and figures for those who watch it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.app import Gateway
from ussd_gateway.domain.book import Priority
from ussd_gateway.ports import Clock
from ussd_gateway.store import inquiry
from ussd_gateway.store.resting import RedisRests
from ussd_gateway.store.waiting.purchases import SqlPurchases

# Where few pay, the last thousands of SMS are of days, and what is over would be told for days.
LAGS_OF_MS = 3_600_000


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
    """Read from the database and Redis when asked: the same whichever process answers."""

    def __init__(
        self,
        engine: Engine,
        purchases: SqlPurchases,
        clock: Clock,
        providers: Sequence[str],
        rests: RedisRests,
    ) -> None:
        """`providers` of SMS, by name."""
        self._engine = engine
        self._purchases = purchases
        self._clock = clock
        self._providers = providers
        self._rests = rests

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now_ms = int(self._clock.now().timestamp() * 1000)
        still = inquiry.waiting(self._engine)
        gone = inquiry.recent(self._engine, since_ms=now_ms - LAGS_OF_MS)
        yield _gauge(
            "gateway_outbox_messages",
            "SMS that are not sent yet, or of which nobody knows yet",
            ("state", "priority"),
            {(each.state, _name(each.priority)): each.count for each in still},
        )
        yield _gauge(
            "gateway_outbox_oldest_seconds",
            "Since the event that the oldest open SMS tells of",
            ("priority",),
            {
                (_name(priority),): max(now_ms - at_ms, 0) / 1000
                for priority, at_ms in inquiry.oldest(still)
            },
        )
        yield _gauge(
            "gateway_sms_unwritten_messages",
            "Of the open SMS: those that no text of menus/sms.yaml fits",
            ("template",),
            {(template,): count for template, count in inquiry.unwritten(still).items()},
        )
        yield _gauge(
            "gateway_sms_recent_messages",
            f"The last {inquiry.RECENT_MAX:,} SMS that sending has come to",
            ("provider", "state"),
            gone.states,
        )
        yield _gauge(
            "gateway_sms_lag_seconds",
            "Of them, in the last hour: from the event to the provider or the handset, at this "
            "quantile",
            ("to", "provider", "template", "quantile"),
            {
                (lag.to, lag.provider, lag.template, str(share)): seconds
                for lag in gone.lags
                for share, seconds in zip(inquiry.QUANTILES, lag.seconds, strict=True)
            },
        )
        yield _gauge(
            "gateway_sms_lag_messages",
            "How many those figures are of",
            ("to", "provider", "template"),
            {(lag.to, lag.provider, lag.template): lag.count for lag in gone.lags},
        )
        yield _gauge(
            "gateway_sms_reports_unmatched",
            "Delivery reports of the last day whose SMS nobody knows",
            (),
            {(): inquiry.unmatched_reports(self._engine)},
        )
        yield _gauge(
            "gateway_sms_provider_resting_workers",
            "How many workers let a provider rest after failures; nothing while Redis is away",
            ("provider",),
            self._resting(),
        )
        holds = inquiry.pending(self._engine)
        yield _gauge(
            "gateway_holds_pending",
            "Holds that nobody has decided",
            ("kind",),
            {(each.kind,): each.count for each in holds},
        )
        yield _gauge(
            "gateway_holds_seconds_left",
            "Until the first of them is let go undecided",
            ("kind",),
            {(each.kind,): (each.first_ends_at_ms - now_ms) / 1000 for each in holds},
        )
        purchases = self._purchases.backlog()
        yield _gauge(
            "gateway_purchases",
            "Purchases of carriers, by state",
            ("state",),
            {(state,): count for state, count in purchases.items()},
        )

    def _resting(self) -> Mapping[tuple[str], float]:
        try:
            workers = self._rests.workers()
        except redis.RedisError:
            return {}
        return {(name,): workers[name] for name in self._providers}


def _name(priority: int) -> str:
    return Priority(priority).name.lower()


def _gauge(
    name: str,
    what: str,
    labels: tuple[str, ...],
    rows: Mapping[Any, float],
) -> GaugeMetricFamily:
    """`rows` by the values of the labels."""
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, figure in sorted(rows.items()):
        family.add_metric(values, figure)
    return family
