"""People pay; something goes wrong, again and again; it ends; and then every promise is held
against the books and the inboxes."""

import time
from collections.abc import Callable
from random import Random

from tests.chaos.books import rows
from tests.chaos.load import PEOPLE, Load
from tests.chaos.report import Report
from tests.endtoend import promises
from tests.endtoend.running import Gateway, eventually
from ussd_gateway.store.database import connect

phones_default = 8
# Between two payments of a phone, so that what is measured is the trouble and no full machine.
rest_s_max = 0.8
# A message that two workers died with is tried a last time after two minutes.
settled_within_s = 240.0
# The scheduler seals each second.
sealed_within_s = 30.0

_SEALS = "SELECT (SELECT count(*) FROM seal), (SELECT count(*) FROM unsealed)"


def weather(
    it: Gateway,
    report: Report,
    trouble: Callable[[Load, Random], None],
    *,
    phones: int = phones_default,
    rest_s_max: float = rest_s_max,
) -> Load:
    """`trouble` is what goes wrong, from its beginning to its end. The report gets the figures
    and what was broken."""
    money = promises.money_minor(it)
    load = Load(it.callback_url, phones=phones, rest_s_max=rest_s_max, seed=report.seed)
    began = time.monotonic()
    with load.running():
        trouble(load, Random(report.seed))
    ended = time.monotonic()
    it.wait_ready()
    if not promises.settle(it, settled_within_s):
        report.broken.append(
            f"SMS still owed after {settled_within_s:g} s: {promises.owed(it)}"
        )
    settled_s = time.monotonic() - ended
    again = _sent_again(it, report)
    sealed = all_sealed(it, report)
    found = promises.check(it, load.payments, PEOPLE, money_before=money)
    report.broken += found.broken
    report.add(found.figures | again | sealed)
    report.add({"took": f"{ended - began:.0f} s, and {settled_s:.1f} s until no SMS was owed"})
    return load


def _sent_again(it: Gateway, report: Report) -> dict[str, str]:
    """What met a second silence is sent again by nobody but an operator, who is one here."""
    silent = promises.owed(it).get("silent", 0)
    if silent:
        said = it.command("sms", "resend", "--unknown")
        if said.returncode != 0 or not promises.settle(it, settled_within_s):
            report.broken.append(f"SMS not sent again: {said.stdout}{said.stderr}")
    return {"sent again by an operator": f"{silent:,}, of which nobody knew anything"}


def all_sealed(it: Gateway, report: Report) -> dict[str, str]:
    """Every commit in its chain, which `ledger verify` then goes through."""
    engine = connect(it.settings.database_url)
    try:
        if not eventually(lambda: rows(engine, _SEALS)[0][1] == 0, within_s=sealed_within_s):
            report.broken.append(f"commits not sealed after {sealed_within_s:g} s")
        ((seals, unsealed),) = rows(engine, _SEALS)
    finally:
        engine.dispose()
    return {"seals": f"{seals:,}, and {unsealed} commits that wait for one"}
