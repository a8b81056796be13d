"""Accounts beside whoever holds them, and beside what the staff ordered for them: each has the
code, the side and the reference that fit, and the status and cap of the last order.

    people        2010, under their phone number
    businesses    what their trade has, under the number that people type; commission 2210
    the house     id = 10^12 + ISO number of the currency * 10,000 + code; KES-2440

An account opens active and with a floor of nothing; the house's have neither floor nor cap. The
cap that a wallet opens with is its tier's, of which the books know nothing: a cap is looked at
where one was ordered.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from ussd_gateway.store.schema import account, business, idempotency, subscriber
from ussd_gateway.store.snapshot import Row, rows
from ussd_gateway.store.verify.finding import Tally

_HOUSE = 10**12
_CURRENCIES = {404: "KES", 800: "UGX", 834: "TZS", 646: "RWF", 952: "XOF"}
_WALLET = 2010
_COMMISSION = 2210
_TRADES = {
    "merchant": (2030,),
    "biller": (2040,),
    "store": (2020, 2021),
    "content": (2120,),
}
# Assets and expenses grow by debits.
_DEBIT = (1, 5)
# Whose accounts have a floor: what somebody is owed.
_LIABILITY = 2

_ACCOUNTS = select(
    account.c.id,
    account.c.public_ref,
    account.c.code,
    account.c.currency,
    account.c.side,
    account.c.floor,
    account.c.cap,
    account.c.status,
).order_by(account.c.id)
_WALLETS = (
    select(subscriber.c.msisdn, account.c.id, account.c.public_ref, account.c.code)
    .select_from(subscriber.outerjoin(account, account.c.id == subscriber.c.wallet_id))
    .order_by(subscriber.c.id)
)
_BUSINESSES = (
    select(business.c.number, business.c.trade, account.c.public_ref, account.c.code)
    .select_from(business.outerjoin(account, account.c.id == business.c.account_id))
    .order_by(business.c.number)
)
_COMMISSIONS = (
    select(business.c.number, account.c.id, account.c.code)
    .select_from(business.join(account, account.c.id == business.c.commission_id))
    .order_by(business.c.number)
)
_ORDERS = (
    select(idempotency.c.session_id, idempotency.c.batch_id, idempotency.c.outcome)
    .where(idempotency.c.route == "desk", idempotency.c.session_id.like("account:%"))
    # A commit draws its number once its accounts are locked: a later order has a higher one.
    .order_by(idempotency.c.batch_id)
)


def check_holders(books: Connection, named: Tally) -> None:
    ordered = _last_orders(books)
    for row in rows(books, _ACCOUNTS):
        named.checked += 1
        number, ref, code, currency, side, *_ = row
        if side != (1 if code // 1_000 in _DEBIT else -1):
            named.wrong(f"account {number} ({ref}): {code} does not grow on side {side}")
        if number >= _HOUSE:
            _check_house(number, ref, code, currency, named)
        _check_terms(row, ordered, named)
    for msisdn, number, ref, code in rows(books, _WALLETS):
        if ref != msisdn or code != _WALLET:
            named.wrong(f"the wallet of {msisdn} is account {number} ({ref}), {code}")
    for number, trade, ref, code in rows(books, _BUSINESSES):
        if ref != number or code not in _TRADES.get(trade, ()):
            named.wrong(f"business {number}, {trade}: its account is {ref}, {code}")
    for number, account_id, code in rows(books, _COMMISSIONS):
        if code != _COMMISSION:
            named.wrong(f"business {number}: its commission account {account_id} is {code}")


def _check_house(number: int, ref: str, code: int, currency: str, named: Tally) -> None:
    iso, its_code = divmod(number - _HOUSE, 10_000)
    if (_CURRENCIES.get(iso), its_code) != (currency, code):
        named.wrong(f"account {number} ({ref}) is of {currency} {code}: its id says otherwise")
    elif ref != f"{currency}-{code}":
        named.wrong(f"account {number} is {ref}, and should be {currency}-{code}")


def _check_terms(row: Row, ordered: dict[tuple[int, str], Any], named: Tally) -> None:
    number, ref, code, _, _, floor, cap, status = row
    name = f"account {number} ({ref})"
    if number >= _HOUSE and (floor, cap) != (None, None):
        named.wrong(f"{name}: it is the house's, and has floor {floor}, cap {cap}")
    if number < _HOUSE and code // 1_000 == _LIABILITY and floor != 0:
        named.wrong(f"{name}: its floor is {floor}, and not 0")
    wanted = ordered.get((number, "status"), "active")
    if status != wanted:
        named.wrong(f"{name} is {status}; by the orders for it, it is {wanted}")
    wanted = ordered.get((number, "cap"), cap)
    if cap != wanted:
        named.wrong(f"{name}: its cap is {cap}; by the orders for it, it is {wanted}")


def _last_orders(books: Connection) -> dict[tuple[int, str], Any]:
    """What was ordered last, by account and what of it: of few, beside all that there are."""
    found: dict[tuple[int, str], Any] = {}
    for subject, _, outcome in rows(books, _ORDERS):
        number = subject.partition(":")[2]
        for what, value in _ordered(outcome):
            if number.isdecimal():
                found[int(number), what] = value
    return found


def _ordered(outcome: str) -> Iterator[tuple[str, Any]]:
    try:
        read = json.loads(outcome)
    except ValueError:
        return  # which is told of the key
    match read:
        case ["ok", {"status": str(status)}]:
            yield "status", status
        case ["ok", {"cap": {"minor": int(minor)}}]:
            yield "cap", minor
        case ["ok", {"cap": "none"}]:
            yield "cap", None
