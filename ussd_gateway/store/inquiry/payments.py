"""Payments of a while ago with what they cost, as their legs say: a stream that holds nobody
up."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from sqlalchemy import Engine, select

from ussd_gateway.domain.accounts import COMMISSION_PAID, DUE_FROM_TRUST, EXCISE
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.what_if import KINDS, Charge, Paid
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.days.journal_ids import first_id, id_behind
from ussd_gateway.store.schema import account, entry, idempotency, journal
from ussd_gateway.store.snapshot import beside, rows, snapshot

_CHARGED = (DUE_FROM_TRUST, EXCISE, COMMISSION_PAID)


def paid(engine: Engine, *, first: date, last: date) -> Iterator[Paid]:
    """All that tariffs priced on these business dates, and those between."""
    since, until = first_id(first), id_behind(last)
    journals = (
        select(journal.c.id, journal.c.kind, idempotency.c.outcome)
        .select_from(journal.join(idempotency, idempotency.c.journal_id == journal.c.id))
        .where(journal.c.id >= since, journal.c.id < until)
        .where(journal.c.kind.in_(KINDS), journal.c.tariff.is_not(None))
        .order_by(journal.c.id)
    )
    legs = (
        select(entry.c.journal_id, account.c.code, entry.c.minor)
        .select_from(entry.join(account, account.c.id == entry.c.account_id))
        .where(entry.c.journal_id >= since, entry.c.journal_id < until)
        .where(account.c.code.in_(code.number for code in _CHARGED))
        .order_by(entry.c.journal_id)
    )
    with snapshot(engine) as books:
        for _, row, found in beside(rows(books, journals), rows(books, legs)):
            if row is None:
                continue
            _, kind, outcome = row
            moved: Counter[int] = Counter()
            for _, code, minor in found:
                moved[code] += minor
            amount = decode_outcome(outcome).values["amount"]
            yield Paid(kind, amount, _charge(moved, amount.currency))


def _charge(moved: Counter[int], currency: str) -> Charge:
    return Charge(
        Money(moved[DUE_FROM_TRUST.number], currency),
        Money(-moved[EXCISE.number], currency),
        Money(moved[COMMISSION_PAID.number], currency),
    )
