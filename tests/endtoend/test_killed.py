"""What was promised is kept, whatever is killed in the middle of it."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis

from tests.endtoend import promises
from tests.endtoend.phones import AMINA, GRACE, JUMA, Payer, Payment
from tests.endtoend.running import Gateway, eventually, gateway, kill

at_once = 8
# How long after the PINs were sent one process is killed: while they are read, while they are
# committed, while they are answered. It differs from machine to machine which of them that is.
shots_s = (0.0, 0.01, 0.02)
soon_s = 20.0
# A message that was in the air when its worker died waits 30 s for it, and 10 s for its report,
# before it is sent again.
settled_within_s = 120.0


def test_whatever_is_killed_no_transfer_is_lost_or_doubled_and_every_sms_is_sent(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path / "var") as it:
        money = promises.money_minor(it)
        payments = [
            # First what takes longest to heal.
            *_killed_while_sending(it),
            *_killed_while_paying(it),
            *_sessions_are_lost(it),
            *_valkey_is_away(it),
        ]
        it.wait_ready()
        assert promises.settle(it, settled_within_s), promises.owed(it)
        found = promises.check(it, payments, (AMINA, JUMA, GRACE), money_before=money)
        assert found.broken == ()


def _killed_while_sending(it: Gateway) -> list[Payment]:
    """The worker, while the provider has its messages and has not answered."""
    provider = it.family("simulator")
    for pid in provider:
        os.kill(pid, signal.SIGSTOP)
    payment = Payer(it.callback_url, AMINA).pay(JUMA, 100)
    assert payment.acknowledged
    assert eventually(lambda: promises.owed(it) == {"sending": 2}, within_s=soon_s)
    assert it.kill("worker")
    for pid in provider:
        os.kill(pid, signal.SIGCONT)
    return [payment]


def _killed_while_paying(it: Gateway) -> list[Payment]:
    """One of the processes that answer callbacks, with PINs on their way through it."""
    payers = [Payer(it.callback_url, GRACE) for _ in range(at_once)]
    payments: list[Payment] = []
    for shot_s in shots_s:
        assert eventually(lambda: len(it.servers()) > 1, within_s=soon_s)
        for number, payer in enumerate(payers):
            payer.ask(JUMA, 10 + number)
        with ThreadPoolExecutor(at_once) as pool:
            entered = [pool.submit(payer.enter_pin) for payer in payers]
            time.sleep(shot_s)
            kill(it.servers()[0])
            payments += [one.result() for one in entered]
    assert all(one.acknowledged for one in payments)
    return payments


def _sessions_are_lost(it: Gateway) -> list[Payment]:
    """Valkey forgets everything, jobs too, after a payment and in the middle of another."""
    with redis.from_url(it.settings.redis_url) as valkey:
        paid, asked = Payer(it.callback_url, AMINA), Payer(it.callback_url, AMINA)
        before = paid.pay(JUMA, 20)
        asked.ask(JUMA, 30)
        valkey.flushall()
        after = asked.enter_pin()
    assert before.acknowledged
    # The truth comes from the books now, word for word.
    assert paid.repeat() == before.screen
    # Nobody knows there whether the PIN was dialled, or the session lost while it was typed.
    assert after.cut_off
    return [before, after]


def _valkey_is_away(it: Gateway) -> list[Payment]:
    """Killed between a payment and its SMS, and in the middle of two others."""
    hasty, patient = Payer(it.callback_url, AMINA), Payer(it.callback_url, GRACE)
    for payer in (hasty, patient):
        payer.ask(JUMA, 40)
    before = Payer(it.callback_url, GRACE).pay(AMINA, 50)
    assert it.kill("valkey")
    meanwhile = hasty.enter_pin()
    it.wait_ready()
    later = patient.enter_pin()
    assert before.acknowledged
    assert meanwhile.refused or meanwhile.acknowledged
    # It has its files: a session that nobody touched goes on.
    assert later.acknowledged
    return [before, meanwhile, later]
