"""Vouchers beside the keys that sent and ended them, and beside the money that is unclaimed:
what waits under a code is covered, and what was cashed or given back moved once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, FromClause, ScalarSelect, func, or_, select

from ussd_gateway.store.schema import account, entry, idempotency, journal, outbox, voucher
from ussd_gateway.store.snapshot import rows
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.ring import UNCLAIMED

# The kind of the journal by which a voucher came into each state.
_KINDS = {"open": "voucher", "cashed": "voucher_cashed", "returned": "voucher_returned"}
_WRONG_TRIES_MAX = 3

_SENDING = idempotency.alias("sending")
_SENT = journal.alias("sent")
_ENDING = idempotency.alias("ending")
_ENDED = journal.alias("ended")
_WALLET = account.alias("wallet")


def _unclaimed_by(moved: FromClause) -> ScalarSelect[int]:
    """What a journal debits to the unclaimed money of the voucher's currency."""
    legs = entry.join(account, account.c.id == entry.c.account_id)
    return (
        select(func.coalesce(func.sum(entry.c.minor), 0))
        .select_from(legs)
        .where(
            entry.c.journal_id == moved.c.id,
            account.c.code == UNCLAIMED,
            account.c.currency == voucher.c.currency,
        )
        .scalar_subquery()
    )


def _into_wallet() -> ScalarSelect[int]:
    """What the voucher's end credits to the wallet that it came from."""
    return (
        select(func.coalesce(-func.sum(entry.c.minor), 0))
        .where(entry.c.journal_id == _ENDED.c.id, entry.c.account_id == voucher.c.wallet_id)
        .scalar_subquery()
    )


_VOUCHERS = (
    select(
        voucher.c.id,
        voucher.c.currency,
        voucher.c.minor,
        voucher.c.state,
        voucher.c.wrong_tries,
        voucher.c.expires_at_ms,
        voucher.c.ended_by,
        _SENT.c.kind,
        _unclaimed_by(_SENT),
        _ENDED.c.kind,
        _unclaimed_by(_ENDED),
        _ENDED.c.created_at_ms,
        _into_wallet(),
        _WALLET.c.status,
    )
    .select_from(
        voucher.outerjoin(_SENDING, _SENDING.c.key == voucher.c.key)
        .outerjoin(_SENT, _SENT.c.id == _SENDING.c.journal_id)
        .outerjoin(_ENDING, _ENDING.c.key == voucher.c.ended_by)
        .outerjoin(_ENDED, _ENDED.c.id == _ENDING.c.journal_id)
        .outerjoin(_WALLET, _WALLET.c.id == voucher.c.wallet_id)
    )
    .order_by(voucher.c.id)
)
_OF_NO_VOUCHER = (
    select(journal.c.id, journal.c.kind)
    .select_from(
        journal.join(idempotency, idempotency.c.journal_id == journal.c.id).outerjoin(
            voucher,
            or_(voucher.c.key == idempotency.c.key, voucher.c.ended_by == idempotency.c.key),
        )
    )
    .where(journal.c.kind.in_(_KINDS.values()), voucher.c.id.is_(None))
)
# The SMS that go to the number that a voucher is for, its code in one of them.
_TOLD_ELSEWHERE = tuple(
    select(voucher.c.id, outbox.c.id, outbox.c.template)
    .join(outbox, outbox.c.key == key)
    .where(outbox.c.template == template, outbox.c.msisdn != voucher.c.msisdn)
    for key, template in (
        (voucher.c.key, "voucher_code"),
        (voucher.c.ended_by, "voucher_cashed"),
    )
)
_UNCLAIMED = (
    select(account.c.currency, func.sum(account.c.credits - account.c.debits))
    .where(account.c.code == UNCLAIMED)
    .group_by(account.c.currency)
)


@dataclass(frozen=True, slots=True)
class _Voucher:
    """`sent` and `ended` are the kinds of its journals; None: there is no such journal."""

    id: int
    currency: str
    minor: int
    state: str
    wrong_tries: int
    expires_at_ms: int
    ended_by: str | None
    sent: str | None
    put_aside: int  # by the one, a credit negative
    ended: str | None
    taken_out: int  # by the other
    ended_at_ms: int | None
    given_back: int
    wallet: str | None  # its status


def check_vouchers(books: Connection, claimed: Tally) -> None:
    waiting: Counter[str] = Counter()
    for row in rows(books, _VOUCHERS):
        one = _Voucher(*row)
        claimed.checked += 1
        for fault in _faults_of(one):
            claimed.wrong(f"voucher {one.id}: {fault}")
        if one.state == "open":
            waiting[one.currency] += one.minor
    for number, kind in rows(books, _OF_NO_VOUCHER):
        claimed.wrong(f"journal {number}, {kind}: it is of no voucher")
    for number, sms_id, template in chain.from_iterable(
        rows(books, each) for each in _TOLD_ELSEWHERE
    ):
        claimed.wrong(f"voucher {number}: SMS {sms_id} ({template}) goes to another number")
    for currency, minor in rows(books, _UNCLAIMED):
        if minor != waiting[currency]:
            claimed.wrong(
                f"unclaimed is {minor} {currency}; open vouchers are {waiting[currency]}"
            )


def _faults_of(one: _Voucher) -> Iterator[str]:
    if one.sent != _KINDS["open"] or one.put_aside != -one.minor:
        yield f"no journal put its {one.minor} {one.currency} aside"
    if not 0 <= one.wrong_tries <= _WRONG_TRIES_MAX:
        yield f"{one.wrong_tries} wrong codes were counted"
    if one.state not in _KINDS:
        yield f"it is {one.state}, which is nothing that a voucher can be"
    elif one.state == "open":
        if one.ended_by is not None:
            yield f"it is open, and {one.ended_by} ended it"
        if one.wallet == "closed":
            yield "it is open, and the wallet that it would go back to is closed"
    elif one.ended != _KINDS[one.state] or one.taken_out != one.minor:
        yield f"it is {one.state}, and no journal moved its {one.minor} {one.currency}"
    else:
        late = one.ended_at_ms is not None and one.ended_at_ms >= one.expires_at_ms
        if late != (one.state == "returned"):
            yield f"it was {one.state} {'after' if late else 'before'} its time was over"
        if one.state == "returned" and one.given_back != one.minor:
            yield "it went back to another wallet than the one that it came from"
