"""Redis may be lost, whole or in part, at any moment: the phone is told the truth, and nothing
is paid twice."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.world import Line, rows
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.embedded import Valkey
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import subscriber
from ussd_gateway.store.verify import verify

COMMIT = ("1", "0711000002", "500")
PIN = "4826"
SENT = " Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00."


@pytest.fixture
def line(world: GatewayWorld) -> Line:
    return Line(world, "lost")


def paid(world: GatewayWorld) -> int:
    """How many payments the books hold; they are right, whatever the number."""
    assert all(finding.ok for finding in verify(world.gateway.engine))
    [(count,)] = rows(world, "SELECT count(*) FROM journal WHERE kind = 'send_money'")
    return int(count)


def test_before_the_pin_a_lost_session_is_walked_again_unseen(
    world: GatewayWorld, line: Line
) -> None:
    for count in range(len(COMMIT) + 1):
        whole = Line(world, "whole").walks(*COMMIT[:count])
        world.client.flushdb()

        assert line.sends(*COMMIT[:count]) == whole
    assert paid(world) == 0


def test_a_session_that_is_lost_before_its_pin_ends_and_nothing_is_charged(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT)
    world.client.flushdb()
    answer = line.sends(*COMMIT, PIN)

    assert answer == (
        "END Dial again, unless an SMS says that it was done. "
        "Never put your PIN in the code you dial."
    )
    assert line.sends(*COMMIT, PIN) == answer
    assert paid(world) == 0
    assert world.sms() == []


def test_a_session_that_is_lost_after_its_payment_still_answers_with_it(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT)
    answer = line.sends(*COMMIT, PIN)
    for _ in range(3):
        world.client.flushdb()
        assert line.sends(*COMMIT, PIN) == answer

    assert answer.endswith(SENT)
    assert paid(world) == 1
    assert len(world.sms()) == 2


def test_what_was_answered_last_is_told_in_the_language_of_the_phone(
    world: GatewayWorld,
) -> None:
    juma = Line(world, "juma", "+254711000002")
    answer = juma.walks("5", "1", "7391")
    world.client.flushdb()

    assert answer.startswith("END Salio KES 250.00")
    assert juma.sends("5", "1", "7391") == answer


def test_a_session_that_is_lost_after_a_wrong_pin_tells_it_and_counts_it_once(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT, "4827")
    world.client.flushdb()

    assert line.sends(*COMMIT, "4827", PIN) == (
        "END Wrong PIN. Tries left: 2\nPlease dial again. Nothing was charged."
    )
    assert rows(world, "SELECT max(wrong_tries) FROM subscriber") == [(1,)]
    assert paid(world) == 0


def test_a_session_that_is_lost_while_its_money_commits_answers_with_the_truth(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT)
    with ThreadPoolExecutor(1) as pool:
        with held_up(world):
            answer = pool.submit(line.sends, *COMMIT, PIN)
            wait_until(lambda: bool(world.client.hget("ussd:africastalking:lost", "holder")))
            world.client.flushdb()

        assert answer.result().endswith(SENT)
    # Its row was not saved: the books know it.
    assert line.sends(*COMMIT, PIN) == answer.result()
    assert paid(world) == 1


def test_a_twin_that_came_while_a_lost_session_paid_is_then_told_the_truth(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT)
    with ThreadPoolExecutor(1) as pool:
        with held_up(world):
            answer = pool.submit(line.sends, *COMMIT, PIN)
            wait_until(lambda: bool(world.client.hget("ussd:africastalking:lost", "holder")))
            world.client.flushdb()
            line.sends(*COMMIT, PIN)

        assert answer.result().endswith(SENT)
    assert paid(world) == 1
    assert line.sends(*COMMIT, PIN) == answer.result()


def test_a_redis_that_forgets_the_last_second_pays_nothing_again(
    world: GatewayWorld, line: Line
) -> None:
    """As after a power cut: what is in the append-only file is a second old."""
    line.walks(*COMMIT)
    key = "ussd:africastalking:lost"
    before = world.client.dump(key)
    assert before is not None
    answer = line.sends(*COMMIT, PIN)
    world.client.restore(key, 0, before, replace=True)

    assert line.sends(*COMMIT, PIN) == answer
    assert answer.endswith(SENT)
    assert paid(world) == 1
    assert len(world.sms()) == 2


def test_another_pin_on_the_hop_that_was_answered_changes_nothing(
    world: GatewayWorld, line: Line
) -> None:
    line.walks(*COMMIT)
    answer = line.sends(*COMMIT, PIN)
    world.client.flushdb()

    assert line.sends(*COMMIT, "0000") == answer
    assert rows(world, "SELECT max(wrong_tries) FROM subscriber") == [(0,)]


def test_while_redis_is_away_sessions_end_politely_and_then_go_on(
    database_url: str, tmp_path: Path
) -> None:
    valkey = Valkey(tmp_path)
    with valkey:
        settings = Settings(data_dir=tmp_path, database_url=database_url, redis_url=valkey.url)
        with opened(settings) as world:
            line, paying = Line(world, "away"), Line(world, "paid")
            line.walks(*COMMIT)
            answer = paying.walks(*COMMIT, PIN)
            valkey.stop()

            sorry = "END Please dial again. Nothing was charged."
            assert line.sends(*COMMIT, PIN) == sorry
            assert Line(world, "new").sends() == sorry
            assert paying.sends(*COMMIT, PIN) == answer

            valkey.start()
            assert line.sends(*COMMIT, PIN).endswith(" Balance KES 3,986.00.")
            assert paying.sends(*COMMIT, PIN) == answer
            assert paid(world) == 2


@contextmanager
def held_up(world: GatewayWorld) -> Iterator[None]:
    """No payment of anybody commits meanwhile."""
    with writing(world.gateway.engine) as connection:
        connection.execute(select(subscriber.c.id).with_for_update())
        yield


def wait_until(claim: Callable[[], bool]) -> None:
    """Fails after 2 s, before anything held up gives up."""
    for _ in range(200):
        if claim():
            return
        time.sleep(0.01)
    assert claim()
