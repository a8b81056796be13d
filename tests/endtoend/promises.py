"""What the gateway promised, held against its books and against the phones' inboxes.

Written apart from the ledger and the outbox: plain SQL, and what phones were shown and sent.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import quantiles
from typing import Any, NamedTuple

from sqlalchemy import text

from tests.endtoend.phones import Payment, Person
from tests.endtoend.running import Gateway, eventually
from ussd_gateway import app

# A message in one of these is not sent yet.
OPEN = {"due", "claimed", "sending", "unknown"}
# After this long without one more report, none is waited for.
reported_within_s = 5.0
reports_within_s = 60.0

_PAID = """
SELECT journal.receipt, journal.id, idempotency.session_id, entry.minor, account.public_ref
FROM journal
LEFT JOIN idempotency ON idempotency.journal_id = journal.id
JOIN entry ON entry.journal_id = journal.id AND entry.leg <= 2
JOIN account ON account.id = entry.account_id
WHERE journal.kind = 'send_money'
ORDER BY journal.id, entry.leg
"""
_SILENCES = "SELECT params, msisdn, unknowns FROM outbox"
# Where nothing more is waited for: whether it arrived, the phones know.
_OWED = """
SELECT CASE WHEN state = 'unknown' AND next_at_ms = 0 THEN 'silent' ELSE state END, count(*)
FROM outbox GROUP BY 1
"""
# What customers have, and what left their wallets as fee and tax.
_MONEY = """
SELECT sum(credits - debits) FROM account WHERE code IN (2010, 2310, 4010)
"""


class Paid(NamedTuple):
    """A payment of the books."""

    receipt: str
    session_id: str | None
    payer: str
    payee: str
    minor: int


@dataclass(frozen=True, slots=True)
class Findings:
    """`broken` are promises, in words for a person; none is to be there."""

    broken: tuple[str, ...]
    figures: dict[str, str]


def settle(it: Gateway, within_s: float) -> bool:
    """Waits until no SMS is owed, and a little longer for what is said of the last ones."""
    if not eventually(lambda: not owed(it).keys() & OPEN, within_s=within_s):
        return False
    left, until = _unreported(it), time.monotonic() + reports_within_s
    while left and time.monotonic() < until:
        if not eventually(partial(_fewer, it, left), within_s=reported_within_s):
            break
        left = _unreported(it)
    return True


def owed(it: Gateway) -> dict[str, int]:
    """SMS by state."""
    return {str(state): int(count) for state, count in _rows(it, _OWED)}


def _unreported(it: Gateway) -> int:
    return owed(it).get("sent", 0)


def _fewer(it: Gateway, than: int) -> bool:
    return _unreported(it) < than


def money_minor(it: Gateway) -> int:
    """What customers have and what they paid in fees: no payment changes it."""
    ((total,),) = _rows(it, _MONEY)
    return int(total)


def check(
    it: Gateway, payments: Sequence[Payment], people: Iterable[Person], *, money_before: int
) -> Findings:
    """Once all is settled. `payments` are all that were ever begun here."""
    paid = books(it)
    told = [
        (_first_word(message["text"]), person.msisdn, message)
        for person in people
        for message in it.messages(person.msisdn)
    ]
    counted = Counter((receipt, msisdn) for receipt, msisdn, _ in told)
    broken = [*_kept(payments, paid), *_told(paid, counted), *_doubled(it, counted)]
    if (money := money_minor(it)) != money_before:
        broken.append(f"money made or lost: {money - money_before} minor units")
    states = owed(it)
    if states.keys() - {"sent", "delivered", "silent"}:
        broken.append(f"SMS not sent: {states}")
    verified = it.command("ledger", "verify")
    if verified.returncode != 0:
        broken.append(f"ledger verify: {verified.stdout}{verified.stderr}")

    arrived = {(r, n): datetime.fromisoformat(m["received_at"]) for r, n, m in reversed(told)}
    figures = _figures(payments, paid, len(told), arrived)
    figures["SMS reported delivered"] = (
        f"{states.get('delivered', 0):,} of {sum(states.values()):,}"
    )
    return Findings(tuple(broken), figures)


def books(it: Gateway) -> list[Paid]:
    """Every payment, in the order of its journal."""
    rows = _rows(it, _PAID)
    return [
        Paid(payer[0], payer[2], payer[4], payee[4], -payee[3])
        for payer, payee in zip(rows[::2], rows[1::2], strict=True)
    ]


def _kept(payments: Sequence[Payment], paid: Sequence[Paid]) -> list[str]:
    """What screens said, against the books."""
    broken = []
    by_receipt = Counter(one.receipt for one in paid)
    by_session = Counter(one.session_id for one in paid)
    found = {one.receipt: one for one in paid}
    for one in payments:
        for receipt in one.receipts:
            wanted = Paid(
                receipt,
                one.session_id,
                one.payer.msisdn,
                one.payee.msisdn,
                one.shillings * 100,
            )
            if by_receipt[receipt] != 1 or found[receipt] != wanted:
                broken.append(f"acknowledged, {by_receipt[receipt]} times in the books: {one}")
        if one.refused and by_session[one.session_id]:
            broken.append(f"said that nothing was charged, and charged: {one}")
        if by_session[one.session_id] > 1:
            broken.append(f"paid {by_session[one.session_id]} times: {one}")
    known = {one.session_id for one in payments}
    broken += [f"nobody asked for {one}" for one in paid if one.session_id not in known]
    return broken


def _told(paid: Sequence[Paid], told: Counter[tuple[str, str]]) -> list[str]:
    owing = {(one.receipt, msisdn) for one in paid for msisdn in (one.payer, one.payee)}
    return [
        *(f"never told {msisdn} of {receipt}" for receipt, msisdn in owing - told.keys()),
        *(f"told {msisdn} of {receipt}: no payment" for receipt, msisdn in told.keys() - owing),
    ]


def _doubled(it: Gateway, told: Counter[tuple[str, str]]) -> list[str]:
    """Only an SMS of which nobody knew whether it went out may go out again, and once."""
    silences = {
        (json.loads(params).get("receipt"), msisdn): unknowns
        for params, msisdn, unknowns in _rows(it, _SILENCES)
    }
    return [
        f"told {one} {count} times after {silences[one]} silences"
        for one, count in told.items()
        if one in silences and count > 1 + min(silences[one], 1)
    ]


def _figures(
    payments: Sequence[Payment],
    paid: Sequence[Paid],
    sms: int,
    arrived: dict[tuple[str, str], datetime],
) -> dict[str, str]:
    sessions = {one.session_id for one in paid}
    checking = [one for one in payments if one.checking]
    cut_off = [one for one in payments if one.cut_off]
    silent = [one for one in payments if one.unanswered]
    waits_s = [
        arrived[receipt, msisdn].timestamp() - one.at
        for one in payments
        for receipt in one.receipts
        for msisdn in (one.payer.msisdn, one.payee.msisdn)
        if (receipt, msisdn) in arrived
    ]
    same = sum(one.screen == one.again for one in payments)
    return {
        "sessions": f"{len(payments):,}",
        "acknowledged": f"{sum(one.acknowledged for one in payments):,}",
        "nothing charged": f"{sum(one.refused for one in payments):,}",
        "still checking": f"{len(checking)}, {_share(checking, sessions)} paid",
        "told to dial again": f"{len(cut_off)}, {_share(cut_off, sessions)} paid",
        "no answer at all": f"{len(silent)}, {_share(silent, sessions)} paid",
        "callbacks repeated": f"{sum(one.repeats for one in payments):,}",
        "last one repeated": f"{same:,} of {len(payments):,} word for word the same",
        "payments in the books": f"{len(paid):,}",
        "SMS doubled": f"{sms - len(arrived):,} of {sms:,}",
        "END to SMS, p50 / p99 / longest": _spread(waits_s),
    }


def _share(some: Sequence[Payment], paid_sessions: set[str | None]) -> int:
    return sum(one.session_id in paid_sessions for one in some)


def _spread(waits_s: Sequence[float]) -> str:
    if len(waits_s) < 2:
        return "-"
    cuts = quantiles(waits_s, n=100)
    return f"{cuts[49]:.2f} s / {cuts[98]:.1f} s / {max(waits_s):.1f} s"


def _first_word(words: str) -> str:
    """Of an SMS: its receipt."""
    return words.partition(" ")[0]


def _rows(it: Gateway, sql: str) -> list[tuple[Any, ...]]:
    engine = app.database(it.settings)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()
