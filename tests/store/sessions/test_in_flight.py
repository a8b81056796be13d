"""Rows of sessions that a person counts: all of them, and nothing but them."""

import pytest
import redis

from ussd_gateway.ports import Knock, Saved, SessionId, SessionsLost
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.store.sessions.in_flight import rows


@pytest.fixture
def url(valkey_url: str) -> str:
    own = f"{valkey_url}?db=9"
    redis.from_url(own).flushdb()
    return own


def opens(sessions: RedisSessions, session_id: str, row: bytes) -> None:
    knock = Knock(0, (), 0, names_hops=False, begins=False)
    phone = f"customer:{session_id}"
    sessions.load("test", SessionId(session_id), knock=knock, phone=phone, holder="me")
    saved = sessions.save(
        "test",
        SessionId(session_id),
        row=row,
        hop=1,
        knock=knock,
        mark="",
        phone=phone,
        ended=False,
        takes=None,
        holder="me",
        kept_s=60,
    )
    assert saved is Saved.KEPT


def test_every_row_is_given_once_and_nothing_else(url: str) -> None:
    sessions = RedisSessions(url)
    kept = {f"row {number}".encode() for number in range(1_200)}
    for number, row in enumerate(sorted(kept)):
        opens(sessions, f"s{number}", row)
    redis.from_url(url).set("rq:something", "else")

    found = list(rows(url))
    assert sorted(found) == sorted(kept)


def test_a_session_that_is_only_held_yet_has_no_row(url: str) -> None:
    knock = Knock(0, (), 0, names_hops=False, begins=False)
    RedisSessions(url).load("test", SessionId("s"), knock=knock, phone="p", holder="me")

    assert list(rows(url)) == []


def test_a_redis_that_is_away_is_told() -> None:
    with pytest.raises(SessionsLost):
        list(rows("redis://127.0.0.1:1"))
