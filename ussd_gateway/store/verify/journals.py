"""Journals beside their legs: invariants 1 and 10 at every commit, phone bills, receipts."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from ussd_gateway.store.schema import account, entry, journal
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.receipts import fault_of
from ussd_gateway.store.verify.ring import CARRIER_MONEY, RING

_JOURNALS = select(journal.c.id, journal.c.receipt, journal.c.business_date).order_by(
    journal.c.id
)
_LEGS = (
    select(entry.c.journal_id, entry.c.minor, account.c.currency, account.c.code)
    .select_from(entry.outerjoin(account, account.c.id == entry.c.account_id))
    .order_by(entry.c.journal_id, entry.c.leg)
)
_TWICE = (
    select(journal.c.receipt, func.count().label("times"))
    .group_by(journal.c.receipt)
    .having(func.count() > 1)
    .order_by(journal.c.receipt)
)


def check_journals(
    books: Connection, *, balanced: Tally, ringed: Tally, apart: Tally, received: Tally
) -> None:
    for number, row, legs in beside(rows(books, _JOURNALS), rows(books, _LEGS)):
        balanced.checked += 1
        ringed.checked += 1
        apart.checked += 1
        if row is None:
            balanced.wrong(f"journal {number} does not exist, and has entries")
        _check_legs(number, legs, balanced, ringed, apart)
        if row is not None:
            received.checked += 1
            _, receipt, business_date = row
            if fault := fault_of(receipt, business_date):
                received.wrong(f"journal {number}: receipt {receipt} {fault}")
    for receipt, times in rows(books, _TWICE):
        received.wrong(f"receipt {receipt} was given {times} times")


def _check_legs(
    number: int, legs: Iterator[Row], balanced: Tally, ringed: Tally, apart: Tally
) -> None:
    sums: Counter[str | None] = Counter()
    ring: Counter[str | None] = Counter()
    codes: set[int] = set()
    count = 0
    for _, minor, currency, code in legs:
        count += 1
        codes.add(code)
        sums[currency] += minor
        if code in RING:
            ring[currency] += minor

    if count < 2:
        balanced.wrong(f"journal {number} has {('no', 'one')[count]} leg")
    for currency, minor in sums.items():
        if minor:
            balanced.wrong(f"journal {number} sums to {minor} in {currency or 'no currency'}")
    for currency, minor in ring.items():
        if minor:
            ringed.wrong(f"journal {number} moves {minor} {currency} into or out of the ring")
    if codes & RING and codes & CARRIER_MONEY:
        apart.wrong(f"journal {number} has legs of a phone bill and of e-money")
