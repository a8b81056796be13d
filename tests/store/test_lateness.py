"""What waits and how late SMS were, read from the rows on both databases, within bounds."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Select, insert, text

from tests.store.conftest import SetClock, pay, started, told
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.inquiry import (
    COUNTED_MAX,
    FOR_GOOD,
    Backlog,
    Lag,
    counted,
    ended_badly,
    of_receipt,
    oldest,
    recent,
    unmatched_reports,
    unwritten,
    waiting,
)
from ussd_gateway.store.inquiry.messages import LOOKS
from ussd_gateway.store.outbox import UNWRITTEN, Outbox
from ussd_gateway.store.schema import outbox, sms_report

# Which way each look goes: one of what is due for each priority.
INDEXES = (*["ix_outbox_due"] * 3, "ix_outbox_in_flight", "ix_outbox_waiting")
BEGAN_MS = 1_795_240_800_000
HOUR_MS = 3_600_000


@pytest.fixture
def rows(engine: Engine) -> "Rows":
    return Rows(engine)


class Rows:
    """An outbox that is filled by hand; each row an event of one second later."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.count = 0

    def add(self, state: str, times: int = 1, **values: Any) -> list[int]:
        """Gives their ids."""
        rows = [self._row(state, **values) for _ in range(times)]
        with writing(self.engine) as connection:
            connection.execute(insert(outbox), rows)
        return [row["id"] for row in rows]

    def add_many_due(self, count: int) -> None:
        """Receipts, in one statement."""
        many = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "
            "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, "
            "attempt, next_at_ms) SELECT 'n' || CAST(i AS TEXT), '+254711000001', 'sent', "
            "'en', '{}', 1000 + i, 'due', 0, 0 FROM n"
        )
        with writing(self.engine) as connection:
            connection.execute(text(many), {"count": count})

    def _row(
        self,
        state: str,
        *,
        sent_after_s: float | None = None,
        here_after_s: float | None = None,
        **values: Any,
    ) -> dict[str, Any]:
        self.count += 1
        event_at_ms = int(values.pop("event_at_ms", BEGAN_MS + self.count * 1_000))
        return {
            "id": self.count,
            "key": f"k{self.count}",
            "msisdn": "+254711000001",
            "template": "sent",
            "language": "en",
            "params": "{}",
            "event_at_ms": event_at_ms,
            "state": state,
            "attempt": 0,
            "next_at_ms": event_at_ms,
            "provider": "africastalking",
            "priority": 0,
            "unknowns": 0,
            "sent_at_ms": _after(event_at_ms, sent_after_s),
            "delivered_at_ms": _after(event_at_ms, here_after_s),
            **values,
        }


def _after(event_at_ms: int, seconds: float | None) -> int | None:
    return None if seconds is None else event_at_ms + round(seconds * 1_000)


def test_what_waits_is_told_by_state_and_priority_with_its_oldest(rows: Rows) -> None:
    rows.add("delivered", 3)
    rows.add("due", 2)
    rows.add("due", priority=2)
    rows.add("claimed")
    rows.add("unknown")
    rows.add("unknown", next_at_ms=0)

    assert waiting(rows.engine) == [
        Backlog("due", 0, 2, BEGAN_MS + 4_000),
        Backlog("claimed", 0, 1, BEGAN_MS + 7_000),
        Backlog("unknown", 0, 1, BEGAN_MS + 8_000),
        Backlog("due", 2, 1, BEGAN_MS + 6_000),
    ]
    assert list(oldest(waiting(rows.engine))) == [(0, BEGAN_MS + 4_000), (2, BEGAN_MS + 6_000)]


def test_what_could_not_be_written_is_told_by_template_for_as_long_as_it_is_open(
    rows: Rows,
) -> None:
    lost: dict[str, Any] = {"detail": UNWRITTEN, "template": "gone"}
    rows.add("due", 2, **lost)
    rows.add("due", next_at_ms=0, **lost)
    rows.add("claimed", **lost)
    rows.add("due", detail="HTTP 503")
    rows.add("expired", **lost)
    rows.add("sent")
    found = waiting(rows.engine)

    assert unwritten(found) == {"gone": 4}
    assert [(each.state, each.count) for each in found] == [("due", 4), ("claimed", 1)]


def test_more_receipts_than_are_counted_hide_no_notice(rows: Rows) -> None:
    rows.add("due", priority=2, next_at_ms=0, id=1_000_000)
    rows.add_many_due(COUNTED_MAX + 1)

    assert waiting(rows.engine) == [
        Backlog("due", 0, COUNTED_MAX, 1_001),
        Backlog("due", 2, 1, BEGAN_MS + 1_000),
    ]


@pytest.mark.parametrize(
    ("look", "index"),
    list(zip(LOOKS, INDEXES, strict=True)),
)
def test_what_waits_is_read_off_an_index_and_not_sorted(
    rows: Rows, look: Select[Any], index: str
) -> None:
    """However many wait, and however many have ended."""
    rows.add_many_due(5_000)
    dialect = rows.engine.dialect
    told = str(look.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    with reading(rows.engine) as connection:
        connection.execute(text("ANALYZE outbox"))
        if dialect.name == "sqlite":
            found = connection.execute(text(f"EXPLAIN QUERY PLAN {told}"))
            plan = "\n".join(row.detail for row in found)
        else:
            for other in ("seqscan", "bitmapscan"):
                connection.execute(text(f"SET enable_{other} = off"))
            plan = "\n".join(connection.execute(text(f"EXPLAIN {told}")).scalars())
    assert f"{index} " in f"{plan} "
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_an_empty_outbox_has_no_figures(rows: Rows) -> None:
    assert waiting(rows.engine) == []
    assert unwritten([]) == {}
    assert recent(rows.engine).lags == ()
    assert dict(recent(rows.engine).states) == {}
    assert unmatched_reports(rows.engine) == 0


def test_quantiles_are_of_provider_template_and_way(rows: Rows) -> None:
    for number in range(1, 101):
        rows.add("delivered", sent_after_s=number / 10, here_after_s=number)
    rows.add("sent", sent_after_s=3, provider="smpp", template="received")

    assert recent(rows.engine).lags == (
        Lag("handset", "africastalking", "sent", 100, (50.0, 95.0, 99.0)),
        Lag("provider", "africastalking", "sent", 100, (5.0, 9.5, 9.9)),
        Lag("provider", "smpp", "received", 1, (3.0, 3.0, 3.0)),
    )


def test_while_a_backlog_drains_the_figures_are_of_what_is_sent_now(rows: Rows) -> None:
    rows.add("delivered", 20, sent_after_s=1)
    rows.add("sent", 5, sent_after_s=600)
    rows.add("sending", 2, sent_after_s=600)
    rows.add("due", 50, next_at_ms=0)

    found = recent(rows.engine, rows_max=10)
    assert [(lag.count, lag.seconds) for lag in found.lags] == [(8, (600.0, 600.0, 600.0))]
    assert dict(found.states) == {
        ("africastalking", "sending"): 2,
        ("africastalking", "sent"): 5,
        ("africastalking", "delivered"): 3,
    }


def test_lags_of_before_are_left_out_where_they_are_not_asked_for(rows: Rows) -> None:
    rows.add("delivered", 3, sent_after_s=600, here_after_s=700)
    since_ms = BEGAN_MS + 650_000
    rows.add("sent", event_at_ms=since_ms, sent_after_s=2)

    found = recent(rows.engine, since_ms=since_ms)
    assert [(lag.to, lag.count, lag.seconds[0]) for lag in found.lags] == [
        ("handset", 3, 700.0),
        ("provider", 1, 2.0),
    ]
    assert sum(found.states.values()) == 4


def test_an_old_one_that_is_tried_again_hides_no_figures_of_later_ones(rows: Rows) -> None:
    rows.add("delivered", 5, sent_after_s=1)
    rows.add("sending")
    rows.add("sent", 5, sent_after_s=3)

    found = recent(rows.engine, rows_max=5)
    assert [(lag.count, lag.seconds) for lag in found.lags] == [(5, (3.0, 3.0, 3.0))]


def test_what_nobody_will_ever_know_is_told_apart(rows: Rows) -> None:
    rows.add("unknown")
    rows.add("unknown", 2, next_at_ms=0)
    rows.add("expired", provider=None)

    assert dict(recent(rows.engine).states) == {
        ("africastalking", "unknown"): 1,
        ("africastalking", FOR_GOOD): 2,
        ("", "expired"): 1,
    }


def test_what_is_open_is_counted_and_what_ended_of_late(rows: Rows) -> None:
    rows.add("due", event_at_ms=BEGAN_MS - 60 * HOUR_MS)
    rows.add("delivered", 1_500, event_at_ms=BEGAN_MS - 50 * HOUR_MS)
    rows.add("delivered", 3)
    rows.add("failed", 2)
    rows.add("unknown")
    rows.add("unknown", next_at_ms=0)
    found = counted(rows.engine, since_ms=BEGAN_MS - 48 * HOUR_MS)

    assert {state: count for state, count in found.items() if count} == {
        "due": 1,
        "delivered": 3,
        "failed": 2,
        "unknown": 2,
    }


def test_a_lag_is_never_less_than_nothing(rows: Rows) -> None:
    """The clocks of two machines differ by a little."""
    rows.add("sent", sent_after_s=-0.2)

    assert recent(rows.engine).lags[0].seconds == (0.0, 0.0, 0.0)


def test_reports_of_nobody_are_counted(rows: Rows) -> None:
    with writing(rows.engine) as connection:
        connection.execute(
            insert(sms_report),
            [
                {
                    "provider": "smpp",
                    "provider_id": f"x{number}",
                    "msisdn": None,
                    "status": "DELIVRD",
                    "final": True,
                    "delivered": True,
                    "reason": "",
                    "at_ms": BEGAN_MS,
                }
                for number in range(3)
            ],
        )
    assert unmatched_reports(rows.engine) == 3


def test_what_ended_badly_is_found_by_state_age_and_template(rows: Rows) -> None:
    rows.add("failed", event_at_ms=BEGAN_MS - 49 * HOUR_MS)
    rows.add("delivered", 30)
    failed = rows.add("failed", 2)
    received = rows.add("failed", template="received")
    rows.add("unknown")
    unknown = rows.add("unknown", next_at_ms=0)
    since_ms = BEGAN_MS - 48 * HOUR_MS

    def found(*states: str, template: str | None = None) -> list[int]:
        return [
            each.id
            for each in ended_badly(rows.engine, states, since_ms=since_ms, template=template)
        ]

    assert found("failed") == failed + received
    assert found("failed", template="received") == received
    assert found("failed", "unknown") == failed + received + unknown


def test_messages_of_a_time_are_found_without_reading_those_before(rows: Rows) -> None:
    rows.add("failed", 500)
    for at in (1, 250, 499, 500):
        since_ms = BEGAN_MS + at * 1_000
        found = ended_badly(rows.engine, ["failed"], since_ms=since_ms)
        assert [each.id for each in found] == list(range(at, 501))
    assert ended_badly(rows.engine, ["failed"], since_ms=BEGAN_MS + 501_000) == []


def test_a_receipt_leads_to_all_that_was_told_of_it(wallets: Engine, clock: SetClock) -> None:
    with started(wallets, clock) as writer:
        writer.run(pay("k1", messages=(told(),)), within_s=5)
        writer.run(pay("k2", messages=(told(),)), within_s=5)
    with reading(wallets) as connection:
        receipts = connection.execute(text("SELECT receipt FROM journal ORDER BY id")).scalars()
        first, *_ = receipts
    [found] = of_receipt(wallets, first)

    assert (found.id, found.state) == (1, "due")
    assert found.msisdn == Msisdn("+254711000001")
    assert of_receipt(wallets, "QQQQQQQQQQ") == []


def test_what_failed_is_due_again_and_what_arrived_is_left_alone(
    rows: Rows, clock: SetClock
) -> None:
    clock.at += timedelta(seconds=600)
    failed, arrived = rows.add("failed"), rows.add("delivered")

    assert Outbox(rows.engine, clock).resend(failed + arrived) == failed
    assert [each.count for each in waiting(rows.engine)] == [1]
