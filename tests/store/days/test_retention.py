"""What is forgotten, and what is not."""

from datetime import date, timedelta

from sqlalchemy import Engine, insert, select, update

from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.days.retention import COUNTS_KEPT, ROWS_MAX, SMS_WORDS_KEPT, forget
from ussd_gateway.store.schema import menu_count, outbox

TODAY = date(2026, 11, 21)
NOW_MS = 1_795_000_000_000
OLD_MS = NOW_MS - SMS_WORDS_KEPT // timedelta(milliseconds=1)


def test_the_words_of_old_messages_are_forgotten_and_the_messages_are_not(
    engine: Engine,
) -> None:
    send(engine, OLD_MS - 2, OLD_MS - 1, OLD_MS, NOW_MS)

    assert forget(engine, now_ms=NOW_MS, today=TODAY) == 2
    assert words(engine) == [None, None, "words", "words"]
    assert forget(engine, now_ms=NOW_MS, today=TODAY) == 0


def test_what_filled_old_messages_is_forgotten_but_for_the_receipt(engine: Engine) -> None:
    send(engine, OLD_MS - 3, OLD_MS - 2, OLD_MS - 1, NOW_MS)
    filled = '{"name":"Juma Otieno","receipt":"SBNABCDEFG"}'
    with writing(engine) as connection:
        connection.execute(update(outbox).values(params=filled))
        still_owed = update(outbox).where(outbox.c.key == "k2").values(state="due")
        connection.execute(still_owed)
        no_receipt = update(outbox).where(outbox.c.key == "k1").values(params='{"name":"J"}')
        connection.execute(no_receipt)
    forget(engine, now_ms=NOW_MS, today=TODAY)

    with reading(engine) as connection:
        left = list(connection.scalars(select(outbox.c.params).order_by(outbox.c.id)))
    assert left == ['{"receipt": "SBNABCDEFG"}', "{}", filled, filled]
    assert words(engine) == [None, None, "words", "words"]

    with writing(engine) as connection:
        connection.execute(update(outbox).values(state="delivered"))
    assert forget(engine, now_ms=NOW_MS, today=TODAY) == 1
    assert words(engine) == [None, None, None, "words"]


def test_messages_of_a_clock_that_ran_ahead_hold_up_no_others(engine: Engine) -> None:
    ahead_ms = NOW_MS + 400 * 24 * 3_600_000
    send(engine, OLD_MS - 1, ahead_ms, OLD_MS - 1, ahead_ms, NOW_MS, ahead_ms)

    assert forget(engine, now_ms=NOW_MS, today=TODAY) == 3
    assert words(engine) == [None, None, None, "words", "words", "words"]
    assert forget(engine, now_ms=NOW_MS, today=TODAY) == 0


def test_many_messages_of_a_clock_that_ran_ahead_are_passed_some_at_a_time(
    engine: Engine,
) -> None:
    ahead_ms = NOW_MS + 400 * 24 * 3_600_000
    send(engine, *[ahead_ms] * (ROWS_MAX + 5), OLD_MS - 1)

    gone = [forget(engine, now_ms=NOW_MS, today=TODAY) for _ in range(3)]
    assert gone == [ROWS_MAX, 6, 0]


def test_it_goes_on_where_it_stopped(engine: Engine) -> None:
    send(engine, *[OLD_MS - 1] * (ROWS_MAX + 5))

    gone = [forget(engine, now_ms=NOW_MS, today=TODAY) for _ in range(3)]
    assert gone == [ROWS_MAX, 5, 0]
    assert words(engine) == [None] * (ROWS_MAX + 5)

    send(engine, OLD_MS, first=ROWS_MAX + 5)
    assert forget(engine, now_ms=NOW_MS + 1, today=TODAY) == 1


def test_counts_of_screens_are_kept_for_a_year_and_a_little(engine: Engine) -> None:
    days = [TODAY, TODAY - COUNTS_KEPT, TODAY - COUNTS_KEPT - timedelta(days=1)]
    row = {"pack": "customer", "digest": "d", "state": "home"}
    counted = {"entered": 1, "answered": 1, "wrong": 0, "answered_ms": 5}
    with writing(engine) as connection:
        connection.execute(insert(menu_count), [{**row, **counted, "day": day} for day in days])
    forget(engine, now_ms=NOW_MS, today=TODAY)

    with reading(engine) as connection:
        kept = connection.scalars(select(menu_count.c.day).order_by(menu_count.c.day.desc()))
        assert list(kept) == days[:2]


def send(engine: Engine, *event_at_ms: int, first: int = 0) -> None:
    with writing(engine) as connection:
        connection.execute(
            insert(outbox),
            [
                {
                    "key": f"k{number}",
                    "msisdn": "+254711000001",
                    "template": "sent",
                    "language": "en",
                    "params": "{}",
                    "event_at_ms": at_ms,
                    "state": "delivered",
                    "attempt": 1,
                    "next_at_ms": 0,
                    "text": "words",
                }
                for number, at_ms in enumerate(event_at_ms, first)
            ],
        )


def words(engine: Engine) -> list[str | None]:
    with reading(engine) as connection:
        return list(connection.scalars(select(outbox.c.text).order_by(outbox.c.id)))
