"""Purchases beside their keys and beside the money on order: what is open is covered, and what
is settled was settled by a command."""

from collections import Counter

from sqlalchemy import Connection, func, literal, select

from ussd_gateway.store.schema import account, idempotency, purchase
from ussd_gateway.store.snapshot import rows
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.ring import AIRTIME_ON_ORDER

OPEN = frozenset({"due", "asked"})

_ORDERED = idempotency.alias("ordered")
_SETTLED = idempotency.alias("settled")
_PURCHASES = select(
    purchase.c.key,
    purchase.c.kind,
    purchase.c.state,
    purchase.c.currency,
    purchase.c.minor,
    _ORDERED.c.key,
    _SETTLED.c.key,
).select_from(
    purchase.outerjoin(_ORDERED, _ORDERED.c.key == purchase.c.key).outerjoin(
        _SETTLED, _SETTLED.c.key == purchase.c.key + literal(":settled")
    )
)
_ON_ORDER = (
    select(account.c.currency, func.sum(account.c.credits - account.c.debits))
    .where(account.c.code == AIRTIME_ON_ORDER)
    .group_by(account.c.currency)
)


def check_purchases(books: Connection, covered: Tally) -> None:
    owed: Counter[str] = Counter()
    for key, kind, state, currency, minor, ordered, settled in rows(books, _PURCHASES):
        covered.checked += 1
        if ordered is None:
            covered.wrong(f"purchase {key}: nobody ordered it")
        if (settled is None) != (state in OPEN):
            told = "no command settled it" if settled is None else "a command settled it"
            covered.wrong(f"purchase {key} is {state}, and {told}")
        if kind == "airtime" and state in OPEN:
            owed[currency] += minor
    for currency, minor in rows(books, _ON_ORDER):
        if minor != owed[currency]:
            covered.wrong(
                f"airtime on order is {minor} {currency}; open purchases are {owed[currency]}"
            )
