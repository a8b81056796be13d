"""Vouchers that wait for somebody, as staff see them: who sent what to whom, and until when."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, literal_column, or_, select

from ussd_gateway.domain.book import Status
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.voucher import VoucherState
from ussd_gateway.store.schema import account, idempotency, journal, subscriber, voucher
from ussd_gateway.store.snapshot import rows, snapshot

# Written out, and no parameter: or the index of those that are open would not be used.
_OPEN = voucher.c.state == literal_column(f"'{VoucherState.OPEN.value}'")
_VOUCHERS = (
    select(
        journal.c.receipt,
        voucher.c.minor,
        voucher.c.currency,
        account.c.public_ref,
        subscriber.c.name,
        account.c.status,
        voucher.c.msisdn,
        voucher.c.sent_at_ms,
        voucher.c.expires_at_ms,
        voucher.c.wrong_tries,
    )
    .select_from(
        voucher.join(subscriber, subscriber.c.id == voucher.c.subscriber_id)
        .join(account, account.c.id == voucher.c.wallet_id)
        .join(idempotency, idempotency.c.key == voucher.c.key)
        .join(journal, journal.c.id == idempotency.c.journal_id)
    )
    .where(_OPEN)
    .order_by(voucher.c.expires_at_ms, voucher.c.id)
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """`ref`, `name` and `status` are the sender's; `to` is the number that the money is for."""

    receipt: str
    amount: Money
    ref: str
    name: str
    status: Status
    to: str
    sent_at_ms: int
    expires_at_ms: int
    wrong_tries: int


def vouchers(engine: Engine, *, of: Collection[str]) -> Iterator[Waiting]:
    """All that are open, what ends first before the rest; only those that one of these numbers
    has sent or is sent, where any are given."""
    found = _VOUCHERS
    if of:
        found = found.where(or_(account.c.public_ref.in_(of), voucher.c.msisdn.in_(of)))
    with snapshot(engine) as books:
        for receipt, minor, currency, ref, name, status, *others in rows(books, found):
            yield Waiting(receipt, Money(minor, currency), ref, name, Status(status), *others)
