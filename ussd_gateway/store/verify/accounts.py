"""Accounts beside their entries: invariants 2, 3, 4, 5, and 10 as the accounts stand now."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, String, cast, select

from ussd_gateway.store.schema import account, entry
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.ring import HELD_MONEY, RING, TRUST_MONEY

STATUSES = frozenset({"active", "frozen_in", "frozen_both", "dormant", "closed"})

_ACCOUNTS = select(
    account.c.id,
    account.c.public_ref,
    account.c.code,
    account.c.currency,
    account.c.side,
    account.c.debits,
    account.c.credits,
    account.c.debits_pending,
    account.c.credits_pending,
    account.c.floor,
    account.c.cap,
    account.c.seq,
    account.c.status,
    cast(account.c.used_on, String),
    account.c.used_day,
    account.c.used_month,
).order_by(account.c.id)
_ENTRIES = select(
    entry.c.account_id,
    entry.c.account_seq,
    entry.c.minor,
    entry.c.balance_after,
    entry.c.journal_id,
    entry.c.leg,
).order_by(entry.c.account_id, entry.c.account_seq)


@dataclass(frozen=True, slots=True)
class _Account:
    """A row of the table, column by column."""

    id: int
    ref: str
    code: int
    currency: str
    side: int  # 1 where debits make it grow, -1 where credits do
    debits: int
    credits: int
    debits_pending: int
    credits_pending: int
    floor: int | None
    cap: int | None
    seq: int
    status: str
    used_on: str | None  # a date
    used_day: int
    used_month: int

    def __str__(self) -> str:
        return f"account {self.id} ({self.ref})"

    @property
    def least(self) -> int:
        """Its balance, should every hold against it be taken and none of the others."""
        pending = self.credits_pending if self.side == 1 else self.debits_pending
        return (self.debits - self.credits) * self.side - pending

    @property
    def most(self) -> int:
        pending = self.debits_pending if self.side == 1 else self.credits_pending
        return (self.debits - self.credits) * self.side + pending


def check_accounts(
    books: Connection,
    *,
    matched: Tally,
    summed: Tally,
    chained: Tally,
    bounded: Tally,
    ringed: Tally,
) -> None:
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for number, row, entries in beside(rows(books, _ACCOUNTS), rows(books, _ENTRIES)):
        if row is None:
            count = sum(1 for _ in entries)
            summed.checked += count
            summed.wrong(f"account {number} does not exist; entries of it: {count}")
            continue
        one = _Account(*row)
        _check_bounds(one, bounded)
        _check_entries(one, entries, summed, chained)
        _add(one, totals[one.currency])
        matched.checked += 1
    for currency, total in sorted(totals.items()):
        _check_totals(currency, total, matched)
        _check_ring(currency, total, ringed)


def _check_entries(
    one: _Account, entries: Iterator[Row], summed: Tally, chained: Tally
) -> None:
    """Walks the chain. After a break it goes on from what is written, so that each break is
    told once."""
    side = one.side
    debited = credited = count = 0
    seq = balance = 0
    for _, account_seq, minor, balance_after, journal_id, leg in entries:
        count += 1
        seq += 1
        balance += minor * side
        if minor > 0:
            debited += minor
        else:
            credited -= minor
        if account_seq != seq:
            chained.wrong(f"{one}: where entry {seq} should be, there is {account_seq}")
        elif balance_after != balance:
            chained.wrong(
                f"{one}: entry {seq} (journal {journal_id}, leg {leg}) leaves {balance_after}, "
                f"and should leave {balance}"
            )
        seq, balance = account_seq, balance_after
    summed.checked += count
    chained.checked += count

    if (one.debits, one.credits) != (debited, credited):
        summed.wrong(
            f"{one}: says debits {one.debits}, credits {one.credits}; "
            f"its entries say {debited} and {credited}"
        )
    if one.seq != seq:
        chained.wrong(f"{one}: says that its last entry is {one.seq}; it is {seq}")


def _check_bounds(one: _Account, bounded: Tally) -> None:
    bounded.checked += 1
    if one.debits_pending < 0 or one.credits_pending < 0:
        bounded.wrong(f"{one}: less than nothing is pending")
    if one.floor is not None and one.least < one.floor:
        bounded.wrong(f"{one}: {one.least} is under its floor, {one.floor}")
    if one.cap is not None and one.most > one.cap:
        bounded.wrong(f"{one}: {one.most} is over its cap, {one.cap}")
    if one.code in HELD_MONEY and (one.floor is None or one.floor < 0):
        bounded.wrong(f"{one}: e-money, and its floor ({one.floor}) is not zero or more")
    if one.status not in STATUSES:
        bounded.wrong(f"{one} is {one.status}, which is nothing that an account can be")
    if one.status == "closed" and (one.least or one.most):
        bounded.wrong(f"{one} is closed, and is not empty")
    used = (one.used_day, one.used_month)
    if not 0 <= one.used_day <= one.used_month or (one.used_on is None and any(used)):
        bounded.wrong(
            f"{one}: limits count {one.used_day} of {one.used_on} and {one.used_month} of its "
            "month, which cannot be"
        )


def _add(one: _Account, total: Counter[str]) -> None:
    total["debits"] += one.debits
    total["credits"] += one.credits
    total["debits pending"] += one.debits_pending
    total["credits pending"] += one.credits_pending
    if one.code in TRUST_MONEY:
        total["trust"] += one.debits - one.credits
    elif one.code in RING:
        total["owed"] += one.credits - one.debits


def _check_totals(currency: str, total: Counter[str], matched: Tally) -> None:
    for sort in ("", " pending"):
        debited, credited = total[f"debits{sort}"], total[f"credits{sort}"]
        if debited != credited:
            matched.wrong(f"{currency}: debits{sort} {debited}, credits{sort} {credited}")


def _check_ring(currency: str, total: Counter[str], ringed: Tally) -> None:
    if total["trust"] != total["owed"]:
        ringed.wrong(
            f"{currency}: 1010 + 1020 hold {total['trust']}; "
            f"e-money and 2440 come to {total['owed']}"
        )
