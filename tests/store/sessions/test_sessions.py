"""Rows of sessions, on a real Valkey: locks, leases, repeats, and connections that break."""

import socket
import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest
import redis

from ussd_gateway.ports import Held, Knock, Left, Loaded, Saved, SessionId, SessionsLost
from ussd_gateway.store.sessions import client as sessions
from ussd_gateway.store.sessions.client import RedisSessions

_ids = count(1)


@pytest.fixture
def store(valkey_url: str) -> RedisSessions:
    return RedisSessions(valkey_url)


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url, protocol=2) as client:
        yield client


@pytest.fixture
def session() -> SessionId:
    return SessionId(f"store-{next(_ids)}")


PHONE = "customer:+254711000001"


def knock(length: int) -> Knock:
    """Of a route that sends all input so far."""
    return Knock(length, (), 0, names_hops=False, begins=False)


def load(store: RedisSessions, session: SessionId, length: int, holder: str = "a") -> Loaded:
    return store.load("at", session, knock=knock(length), phone=PHONE, holder=holder)


def save(
    store: RedisSessions,
    session: SessionId,
    hop: int,
    length: int,
    holder: str = "a",
    *,
    row: bytes = b"row",
    ended: bool = False,
    takes: Left | None = None,
) -> bool:
    saved = store.save(
        "at",
        session,
        row=row,
        hop=hop,
        knock=knock(length),
        mark="",
        phone=PHONE,
        ended=ended,
        takes=takes,
        holder=holder,
        kept_s=240,
    )
    return saved is Saved.KEPT


def test_a_session_begins_goes_on_and_repeats(store: RedisSessions, session: SessionId) -> None:
    assert load(store, session, 0) == Loaded(Held.FRESH, b"", 0)
    assert save(store, session, 1, 0, row=b"\x00first\xff")
    assert load(store, session, 0, "b") == Loaded(Held.ANSWERED, b"\x00first\xff", 1)
    assert load(store, session, 1, "b") == Loaded(Held.LOCKED, b"\x00first\xff", 1)
    assert save(store, session, 2, 1, "b", row=b"second")
    assert load(store, session, 1, "c") == Loaded(Held.ANSWERED, b"second", 2)
    assert load(store, session, 0, "c") == Loaded(Held.ANSWERED, b"second", 2)


def test_sessions_of_two_routes_are_strangers(store: RedisSessions, session: SessionId) -> None:
    load(store, session, 0)
    other = store.load("other", session, knock=knock(0), phone="else", holder="b")
    assert other.held is Held.FRESH


@pytest.mark.parametrize("hop", [0, 1])
def test_a_held_session_is_busy_for_others_and_not_for_its_holder(
    store: RedisSessions, session: SessionId, hop: int
) -> None:
    if hop:
        load(store, session, 0)
        save(store, session, 1, 0)
    mine = load(store, session, 1)
    assert load(store, session, 1, "twin") == Loaded(Held.BUSY, b"", 0)
    assert load(store, session, 1) == mine


def test_a_repeat_of_the_last_hop_needs_no_lock_and_one_from_before_waits_for_it(
    store: RedisSessions, session: SessionId
) -> None:
    load(store, session, 0)
    save(store, session, 1, 1)
    load(store, session, 2)
    assert load(store, session, 1, "late").held is Held.ANSWERED
    assert load(store, session, 0, "later").held is Held.BUSY


def test_only_the_holder_saves_and_only_the_next_hop(
    store: RedisSessions, session: SessionId
) -> None:
    load(store, session, 0)
    assert not save(store, session, 1, 0, "stranger")
    assert not save(store, session, 2, 0)
    assert save(store, session, 1, 0)
    assert not save(store, session, 2, 1)


def test_a_save_that_was_sent_twice_was_saved(store: RedisSessions, session: SessionId) -> None:
    load(store, session, 0)
    assert save(store, session, 1, 0)
    assert save(store, session, 1, 0)
    assert not save(store, session, 1, 0, row=b"another")


def test_a_lapsed_lock_goes_to_the_twin_and_its_first_holder_cannot_save(
    store: RedisSessions, server: redis.Redis, session: SessionId
) -> None:
    load(store, session, 0)
    save(store, session, 1, 0)
    load(store, session, 1)
    server.hset(f"ussd:at:{session}", "until", 1)
    taken = load(store, session, 1, "twin")
    assert taken == Loaded(Held.LOCKED, b"row", 1, taken_over=True)
    assert not save(store, session, 2, 1, row=b"mine")
    assert save(store, session, 2, 1, "twin", row=b"the twin's")


def test_the_row_of_a_first_hop_that_died_lapses_with_its_lock(
    store: RedisSessions, server: redis.Redis, session: SessionId
) -> None:
    load(store, session, 0)
    assert 0 < server.pttl(f"ussd:at:{session}") <= sessions.lease_ms


def test_a_row_lives_for_as_long_as_it_is_told_to_and_holds_no_lock(
    store: RedisSessions, server: redis.Redis, session: SessionId
) -> None:
    load(store, session, 0)
    save(store, session, 1, 0)
    key = f"ussd:at:{session}"
    assert 180 < server.ttl(key) <= 240
    assert server.hgetall(key) == {b"hop": b"1", b"heard": b"0", b"row": b"row"}


def test_one_of_many_at_once_holds_the_session(
    store: RedisSessions, session: SessionId
) -> None:
    held: list[Held] = []

    def knock(holder: str) -> None:
        held.append(load(store, session, 0, holder).held)

    threads = [threading.Thread(target=knock, args=(str(each),)) for each in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.value for each in held) == ["busy"] * 19 + ["fresh"]


def test_a_server_that_forgot_the_scripts_is_told_them_again(
    store: RedisSessions, server: redis.Redis, session: SessionId
) -> None:
    load(store, session, 0)
    server.script_flush()
    assert load(store, session, 0).held is Held.FRESH
    server.script_flush()
    assert save(store, session, 1, 0)


def test_a_connection_that_broke_is_made_again(
    store: RedisSessions, server: redis.Redis, session: SessionId
) -> None:
    load(store, session, 0)
    server.client_kill_filter(skipme=True, _type="normal")
    assert load(store, session, 0).held is Held.FRESH
    server.client_kill_filter(skipme=True, _type="normal")
    assert save(store, session, 1, 0)


def test_threads_that_come_and_go_are_all_served(store: RedisSessions) -> None:
    """A web server ends idle threads, and each new one has a connection of its own."""
    held: list[Held] = []
    for each in range(130):
        name = SessionId(f"thread-{each}")
        thread = threading.Thread(
            target=lambda name=name: held.append(load(store, name, 0).held)
        )
        thread.start()
        thread.join()

    assert held == [Held.FRESH] * 130


def test_no_server_is_told_as_lost_sessions(session: SessionId) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        store = RedisSessions(f"redis://127.0.0.1:{port}")
        with pytest.raises(SessionsLost):
            load(store, session, 0)
        with pytest.raises(SessionsLost):
            save(store, session, 1, 0)


def test_a_server_that_does_not_answer_is_waited_for_once(session: SessionId) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisSessions(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(SessionsLost):
            load(store, session, 0)
        assert time.monotonic() - began < sessions.answer_timeout_s * 1.9
