"""Recordings of phones, on both databases: begun by staff, kept for a while, then forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select

from tests.store.conftest import SetClock
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.menus.recordings import (
    SqlRecordings,
    for_max,
    inputs_max,
    kept_max,
    look_every_ms,
)
from ussd_gateway.store.schema import menu_recorded, menu_recording, staff

NUMBER, OTHER = "+254722333444", "+254722333445"
TEN_MINUTES = timedelta(minutes=10)
LOOKED = timedelta(milliseconds=look_every_ms)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def recordings(engine: Engine, clock: SetClock) -> SqlRecordings:
    njeri = {
        "name": "njeri",
        "role": "maker",
        "password_hash": "-",
        "totp_seed": "-",
        "added_by": "installation",
        "added_at_ms": 0,
        "disabled": False,
        "wrong_tries": 0,
        "tried_at_ms": 0,
        "last_code": 0,
    }
    with writing(engine) as connection:
        connection.execute(insert(staff).values(njeri))
    return SqlRecordings(engine, clock)


def keep(recordings: SqlRecordings, text: str) -> None:
    recordings.keep(NUMBER, who="Amina", language="en", state="", dials=True, text=text)


def test_what_a_number_does_is_kept_once_it_is_wanted(recordings: SqlRecordings) -> None:
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)

    assert recordings.wants(NUMBER)
    assert not recordings.wants(OTHER)
    keep(recordings, "*384#")
    recorded = recordings.recorded(NUMBER)
    assert recorded is not None
    assert [(each.who, each.dials, each.text) for each in recorded] == [
        ("Amina", True, "*384#")
    ]
    assert recordings.recorded(OTHER) is None


def test_it_ends_by_itself(recordings: SqlRecordings, clock: SetClock) -> None:
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)
    assert recordings.wants(NUMBER)
    clock.wait(TEN_MINUTES.total_seconds())

    assert not recordings.wants(NUMBER)


def test_every_process_hears_of_it_within_seconds(
    engine: Engine, recordings: SqlRecordings, clock: SetClock
) -> None:
    other = SqlRecordings(engine, clock)
    assert not other.wants(NUMBER)
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)
    assert not other.wants(NUMBER)
    clock.wait(LOOKED.total_seconds())

    assert other.wants(NUMBER)


def test_the_newest_is_shown(recordings: SqlRecordings, clock: SetClock) -> None:
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)
    assert recordings.wants(NUMBER)
    keep(recordings, "*384*1#")
    clock.wait(LOOKED.total_seconds())
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)
    assert recordings.wants(NUMBER)
    clock.wait(LOOKED.total_seconds())
    assert recordings.wants(NUMBER)
    keep(recordings, "*384*2#")

    recorded = recordings.recorded(NUMBER)
    assert recorded is not None
    assert [each.text for each in recorded] == ["*384*2#"]


def test_there_is_a_most_of_inputs(recordings: SqlRecordings) -> None:
    recordings.begin(NUMBER, by="njeri", lasts=for_max)
    assert recordings.wants(NUMBER)
    for _ in range(inputs_max + 2):
        keep(recordings, "1")

    recorded = recordings.recorded(NUMBER)
    assert recorded is not None
    assert len(recorded) == inputs_max


def test_what_is_old_is_forgotten(
    engine: Engine, recordings: SqlRecordings, clock: SetClock
) -> None:
    recordings.begin(NUMBER, by="njeri", lasts=TEN_MINUTES)
    assert recordings.wants(NUMBER)
    keep(recordings, "*384#")
    clock.wait((TEN_MINUTES + kept_max + timedelta(seconds=1)).total_seconds())
    recordings.begin(OTHER, by="njeri", lasts=TEN_MINUTES)

    assert recordings.recorded(NUMBER) is None
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(menu_recorded)).scalar() == 0
        assert connection.execute(select(menu_recording.c.msisdn)).scalars().all() == [OTHER]


def test_a_database_that_is_away_costs_no_phone_its_screen(clock: SetClock) -> None:
    away = SqlRecordings(connect("postgresql://nobody@127.0.0.1:1/none"), clock)

    assert not away.wants(NUMBER)
    keep(away, "1")
