"""What limits count, beside what was paid out of each wallet and came back into it since.

    counted     send_money, pay_bill, buy_goods, withdraw, airtime, voucher: the amount that the
                key's outcome tells, without the fee, on the business date
    given back  refund of a payment: what its hold posted. Its reversal: all that was counted of
                it. airtime_returned, voucher_returned: what came in. Of the date on which it
                had been counted. Not given_back: two customers would get round a limit so

The entries of a wallet are numbered in the order in which they came about, and each payment and
each return is one of them: so it can be counted again to the last cent, whatever the clocks
said. A date before one that was counted already counts on the later one.

What was paid before there were limits by day and month was counted once, by the upgrade, and
stands in the first batch: of its newest month only, and what came back, on the day on which it
did.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, String, and_, case, cast, func, or_, select

from ussd_gateway.store.schema import account, entry, hold, idempotency, journal, voucher
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

RULE = "limits count what was paid, and not what came back"

_WALLET = 2010
_PAID_OUT = ("send_money", "pay_bill", "buy_goods", "withdraw", "airtime", "voucher")
# Of what is taken back only these: a deposit was never counted.
_TAKEN_BACK = frozenset({"send_money", "pay_bill", "buy_goods", "withdraw"})
_CAME_BACK = ("refund", "reversal", "airtime_returned", "voucher_returned")
_SETTLED = ":settled"
_FIRST_BATCH = 1

_ACCOUNTS = select(
    account.c.id,
    account.c.public_ref,
    cast(account.c.used_on, String),
    account.c.used_day,
    account.c.used_month,
).order_by(account.c.id)

_ORIGIN = journal.alias("origin")
_ORDERED = idempotency.alias("ordered")
_REVERSED = idempotency.alias("reversed")
_ORDERED_BY = case(
    (
        journal.c.kind == "airtime_returned",
        func.replace(idempotency.c.key, _SETTLED, ""),
    ),
    (
        journal.c.kind == "voucher_returned",
        select(func.min(voucher.c.key))
        .where(voucher.c.ended_by == idempotency.c.key)
        .scalar_subquery(),
    ),
)
_EVENTS = (
    select(
        entry.c.account_id,
        idempotency.c.batch_id == _FIRST_BATCH,
        journal.c.id,
        cast(journal.c.business_date, String),
        entry.c.minor,
        idempotency.c.outcome,
        hold.c.posted,
        _REVERSED.c.outcome,
        journal.c.reverses_id,
        _ORIGIN.c.kind,
        cast(_ORIGIN.c.business_date, String),
    )
    .select_from(
        entry.join(account, account.c.id == entry.c.account_id)
        .join(journal, journal.c.id == entry.c.journal_id)
        .join(idempotency, idempotency.c.journal_id == journal.c.id)
        .outerjoin(hold, hold.c.id == journal.c.hold_id)
        .outerjoin(
            _REVERSED,
            and_(journal.c.kind == "reversal", _REVERSED.c.journal_id == journal.c.reverses_id),
        )
        .outerjoin(_ORDERED, _ORDERED.c.key == _ORDERED_BY)
        .outerjoin(
            _ORIGIN,
            _ORIGIN.c.id == func.coalesce(journal.c.reverses_id, _ORDERED.c.journal_id),
        )
    )
    .where(
        account.c.code == _WALLET,
        or_(
            and_(entry.c.minor > 0, journal.c.kind.in_(_PAID_OUT)),
            and_(entry.c.minor < 0, journal.c.kind.in_(_CAME_BACK)),
        ),
    )
    # Sorted, and not read by the index of that order: journals and keys are read as they stand,
    # which takes SQLite a third of the time.
    .order_by(entry.c.account_id + 0, entry.c.account_seq)
)
_LAST_OF_FIRST_BATCH = (
    select(cast(journal.c.business_date, String))
    .select_from(journal.join(idempotency, idempotency.c.journal_id == journal.c.id))
    .where(idempotency.c.batch_id == _FIRST_BATCH)
    .order_by(journal.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class _Event:
    """`minor` is signed: what came back is negative. Dates are written out, as 2026-11-21."""

    first_batch: bool
    journal_id: int
    day: str
    minor: int
    counted_on: str | None = None  # of what came back


@dataclass(slots=True)
class _Count:
    on: str | None = None
    day: int = 0
    month: int = 0

    def upgraded(self, event: _Event) -> None:
        """As the upgrade counted it, within one month."""
        if event.day != self.on:
            self.on, self.day = event.day, 0
        self.month = max(0, self.month + event.minor)
        self.day = min(max(0, self.day + event.minor), self.month)

    def paid(self, event: _Event) -> None:
        if self.on is None or event.day > self.on:
            if self.on is None or _month(self.on) != _month(event.day):
                self.month = 0
            self.on, self.day = event.day, 0
        self.day += event.minor
        self.month += event.minor

    def came_back(self, event: _Event) -> None:
        if self.on is None or _month(event.counted_on) != _month(self.on):
            return
        self.month = max(0, self.month + event.minor)
        if event.counted_on == self.on:
            self.day = max(0, self.day + event.minor)
        self.day = min(self.day, self.month)

    def __str__(self) -> str:
        return f"{self.day} of {self.on} and {self.month} of its month"


def check_usage(books: Connection, counted: Tally) -> None:
    newest = _month(books.execute(_LAST_OF_FIRST_BATCH).scalar_one_or_none())
    for _, row, found in beside(rows(books, _ACCOUNTS), rows(books, _EVENTS)):
        if row is None:
            continue  # whose entries are told beside the accounts
        number, ref, *used = row
        counted.checked += 1
        told, owed = _Count(*used), _count(map(_event, filter(_counts, found)), newest)
        if told != owed:
            counted.wrong(
                f"account {number} ({ref}): limits count {told}; its entries say {owed}"
            )


def _count(events: Iterator[_Event], newest: str | None) -> _Count:
    count = _Count()
    for first, some in groupby(events, key=attrgetter("first_batch")):
        if first:
            # The upgrade went by the numbers of journals.
            of_month = (each for each in some if _month(each.day) == newest)
            for event in sorted(of_month, key=attrgetter("journal_id")):
                count.upgraded(event)
            continue
        for event in some:
            count.paid(event) if event.minor > 0 else count.came_back(event)
    return count


def _counts(row: Row) -> bool:
    *_, reverses_id, kind, _ = row
    return reverses_id is None or kind in _TAKEN_BACK


def _event(row: Row) -> _Event:
    _, first_batch, number, day, leg, outcome, posted, whole, _, _, counted_on = row
    came = leg if posted is None else -posted
    if whole is not None:
        came = -_amount(whole, -came)
    minor = _amount(outcome, leg) if leg > 0 else came
    return _Event(bool(first_batch), number, day, minor, counted_on)


def _amount(outcome: str, leg: int) -> int:
    """Where it tells none, all that was paid."""
    try:
        read = json.loads(outcome)
    except ValueError:
        return leg  # which is told of the key
    match read:
        case [str(), {"amount": {"minor": int(minor)}}]:
            return minor
        case _:
            return leg


def _month(day: str | None) -> str | None:
    return day and day[:7]
