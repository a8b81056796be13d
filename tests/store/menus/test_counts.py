"""Counts of screens, added up over processes and days, on both databases."""

from datetime import date

from sqlalchemy import Engine

from ussd_gateway.store.menus.counts import SqlCounts

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
HOME, PIN = ("customer", "a1", "home"), ("customer", "a1", "send_pin")


def test_what_processes_have_counted_is_added_up(engine: Engine) -> None:
    counts = SqlCounts(engine)
    counts.add(MONDAY, {HOME: (10, 8, 1, 40_000), PIN: (4, 3, 1, 9_000)})
    counts.add(MONDAY, {HOME: (5, 5, 0, 10_000)})
    counts.add(TUESDAY, {HOME: (1, 1, 0, 2_000)})
    assert counts.since("customer", "a1", MONDAY) == {
        "home": (16, 14, 1, 52_000),
        "send_pin": (4, 3, 1, 9_000),
    }
    assert counts.since("customer", "a1", TUESDAY) == {"home": (1, 1, 0, 2_000)}


def test_versions_and_packs_are_counted_apart(engine: Engine) -> None:
    counts = SqlCounts(engine)
    counts.add(MONDAY, {HOME: (1, 1, 0, 1), ("customer", "b2", "home"): (2, 2, 0, 2)})
    counts.add(MONDAY, {("agent", "a1", "home"): (3, 3, 0, 3)})
    assert counts.since("customer", "a1", MONDAY) == {"home": (1, 1, 0, 1)}
    assert counts.since("agent", "b2", MONDAY) == {}


def test_nothing_is_written_of_nothing(engine: Engine) -> None:
    SqlCounts(engine).add(MONDAY, {})
