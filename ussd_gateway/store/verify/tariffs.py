"""Journals beside the price book that each names: invariant 12.

The book is read as it is stored, and what it says is computed here a second time: the tariff
that was in force on the business date, the fee, its tax, the commission, and the head office's
part of it, out of the amount that the key's stored outcome tells. All of that must be the legs,
and all of the legs must be that:

    payer    amount + fee            in e-money                     (a wallet, a float)
    payee    amount - what is kept   in e-money, or airtime on order
    2440     fee + kept              out of the ring, and 1320 against it
    4xxx     fee + kept - tax
    2310     tax, of each fee by itself
    5010     commission, and 2210 against it: the store's, and its head office's
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from ussd_gateway.store.schema import (
    account,
    business,
    entry,
    idempotency,
    journal,
    price_book,
)
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.ring import E_MONEY


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a journal of a kind is priced by: names of services."""

    fee: str | None = None  # None: it is free
    income: int | None = None  # where the fee goes; None: there must be none
    kept: str | None = None  # out of what the payee gets
    commission: str | None = None


_KINDS = {
    "send_money": _Kind("send", 4010),
    "pay_bill": _Kind("pay_bill", 4030, kept="pay_bill.business"),
    "buy_goods": _Kind("buy_goods", 4030),
    "withdraw": _Kind("withdraw", 4020, commission="withdraw.commission"),
    "deposit": _Kind("deposit", commission="deposit.commission"),
    "airtime": _Kind("airtime"),
    "voucher": _Kind("voucher", 4010),
    "voucher_cashed": _Kind(commission="withdraw.commission"),
}
# What the first journals named: what stands under these names, by its digest.
_FIRST = {
    "KE-2023-07": "ef6d7dbfee59b073ad7f5aa54024be562afac6e36c87889afe3bf7bb93936407",
    "KE-2023-07+KE-AGENT-2022": "e6aef5f967af6943e31860a3d83d34ee17188c2d6312cd01da229648835d5f66",  # noqa: E501
    "KE-PAYBILL-2024": "c1b9d27983efb46a3f304f8cccb6f182d0ba1b7d77b2ac2a019acf6fd10a62ae",
}

_BOOKS = select(price_book.c.id, price_book.c.content)
_JOURNALS = (
    select(
        journal.c.id,
        journal.c.kind,
        journal.c.tariff,
        journal.c.business_date,
        idempotency.c.outcome,
    )
    .select_from(journal.outerjoin(idempotency, idempotency.c.journal_id == journal.c.id))
    .order_by(journal.c.id)
)
_LEGS = (
    select(
        entry.c.journal_id,
        entry.c.account_id,
        entry.c.minor,
        account.c.code,
        business.c.commission_id,
        business.c.head_office_commission_id,
    )
    .select_from(
        entry.outerjoin(account, account.c.id == entry.c.account_id).outerjoin(
            business, business.c.account_id == entry.c.account_id
        )
    )
    .order_by(entry.c.journal_id, entry.c.leg)
)

# What a leg does: `payer`, `payee`, a code of the chart, or a commission with its account.
_Role = str | int | tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class _Amount:
    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.minor} {self.currency}"


@dataclass(frozen=True, slots=True)
class _Tariff:
    since: date
    currency: str
    tax_percent: int
    head_office_percent: int
    bands: list[list[int]]

    def fee(self, amount: _Amount) -> int | None:
        if amount.currency != self.currency:
            return None
        found = (fee for low, high, fee in self.bands if low <= amount.minor <= high)
        return next(found, None)

    def tax(self, fee: int) -> int:
        """Its part of the fee that it is in, halves up."""
        whole, rest = divmod(fee * self.tax_percent, 100 + self.tax_percent)
        return whole + (2 * rest >= 100 + self.tax_percent)

    def share(self, earned: int) -> int:
        """The head office's; of two parts that claim the last unit alike, the store's gets
        it."""
        whole, rest = divmod(earned * self.head_office_percent, 100)
        return whole + (2 * rest > 100)


class _Books:
    """The stored price books, by id, each read when it is first asked for."""

    def __init__(self, books: Connection, priced: Tally) -> None:
        self._stored: dict[str, str] = dict(rows(books, _BOOKS))
        self._read: dict[str, dict[str, list[_Tariff]]] = {}
        for number, content in self._stored.items():
            if not _is_named_by(content, number):
                priced.wrong(f"price book {number} does not say what it said once")

    def has(self, number: str) -> bool:
        return number in self._stored

    def tariff(self, number: str, service: str, on: date) -> _Tariff | None:
        if number not in self._read:
            self._read[number] = _read_book(self._stored[number])
        begun = [each for each in self._read[number].get(service, ()) if each.since <= on]
        return max(begun, key=lambda each: each.since, default=None)


def check_tariffs(books: Connection, priced: Tally) -> None:
    stored = _Books(books, priced)
    last = None
    for number, row, legs in beside(rows(books, _JOURNALS), rows(books, _LEGS)):
        # What has two keys comes twice, and what has no journal not at all: others tell of it.
        if row is None or number == last:
            continue
        last = number
        _, kind, tariff, *_ = row
        if kind not in _KINDS and tariff is None:
            continue
        priced.checked += 1
        if fault := _fault_of(row, legs, stored):
            priced.wrong(f"journal {number}, {kind}: {fault}")


def _fault_of(row: Row, legs: Iterator[Row], stored: _Books) -> str | None:
    _, name, tariff, on, outcome = row
    kind = _KINDS.get(name)
    if kind is None:
        return f"it names price book {tariff}, and nothing of its kind has a price"
    if tariff is None:
        return "it names no price book"
    if not stored.has(tariff):
        return f"price book {tariff} is not stored"
    values = _values(outcome)
    if values is None:
        return None  # nothing can be read of it, which is told beside the keys
    amount = _amount(values.get("amount"))
    if amount is None:
        return "its outcome tells no amount"
    found = _Legs(legs)
    owed = _owed(kind, amount, found, lambda service: stored.tariff(tariff, service, on))
    if isinstance(owed, str):
        return f"price book {tariff} {owed}"
    roles, fee = owed
    shown = _amount(values["fee"]) if "fee" in values else _Amount(fee, amount.currency)
    if shown != _Amount(fee, amount.currency):
        return f"its outcome says fee {shown}; by price book {tariff} it is {fee}"
    return _difference(roles, found.moved, amount, tariff)


class _Legs:
    """The legs of one journal by what they do, and whose commission it is."""

    def __init__(self, legs: Iterator[Row]) -> None:
        self.moved: Counter[_Role] = Counter()
        self.store_id: int | None = None
        self.head_office_id: int | None = None
        for _, account_id, minor, code, commission_id, head_office_id in legs:
            self.moved[_role(code, account_id, minor)] += minor
            if commission_id is not None:
                self.store_id, self.head_office_id = commission_id, head_office_id


def _role(code: int | None, account_id: int, minor: int) -> _Role:
    if code in E_MONEY:
        return "payer" if minor > 0 else "payee"
    if code == 2210:
        return "2210 of account", account_id
    return code or 0


def _owed(
    kind: _Kind, amount: _Amount, found: _Legs, in_force: Callable[[str], _Tariff | None]
) -> tuple[dict[_Role, int], int] | str:
    """What each role should move, and the payer's fee; or what is wrong with the book."""
    fee = tax = kept = 0
    if kind.fee:
        paid = in_force(kind.fee)
        priced = paid.fee(amount) if paid else None
        if paid is None or priced is None:
            return f"has no price for {kind.fee} of {amount}"
        fee, tax = priced, paid.tax(priced)
    if kind.kept and (by_payee := in_force(kind.kept)):
        kept = by_payee.fee(amount) or 0
        tax += by_payee.tax(kept)
    roles: dict[_Role, int] = {
        "payer": amount.minor + fee,
        "payee": kept - amount.minor,
        2440: -(fee + kept),
        1320: fee + kept,
        2310: -tax,
        kind.income or 0: tax - fee - kept,
    }
    if kind.commission and (by_commission := in_force(kind.commission)):
        earned = by_commission.fee(amount) or 0
        shared = found.head_office_id is not None
        share = by_commission.share(earned) if shared else 0
        roles[5010] = earned
        roles["2210 of account", found.store_id] = share - earned
        roles["2210 of account", found.head_office_id] = -share
    return {role: minor for role, minor in roles.items() if minor}, fee


def _difference(
    owed: Mapping[_Role, int], moved: Counter[_Role], amount: _Amount, tariff: str
) -> str | None:
    """The first role that does not move what it should."""
    for role in sorted(owed.keys() | moved.keys(), key=str):
        if moved[role] != owed.get(role, 0):
            named = " ".join(map(str, role)) if isinstance(role, tuple) else str(role)
            return (
                f"of {amount}, {named} moves {moved[role]}; by price book {tariff} it should "
                f"move {owed.get(role, 0)}"
            )
    return None


def _is_named_by(content: str, number: str) -> bool:
    digest = sha256(content.encode()).hexdigest()
    return number == f"T{digest[:12]}" or _FIRST.get(number) == digest


def _read_book(content: str) -> dict[str, list[_Tariff]]:
    """Nothing of one that cannot be read, which its name tells already."""
    found: dict[str, list[_Tariff]] = {}
    try:
        for one in json.loads(content)["tariffs"]:
            tariff = _Tariff(
                date.fromisoformat(one["from"]),
                one["currency"],
                one["tax_percent"],
                one["head_office_percent"],
                one["bands"],
            )
            found.setdefault(one["service"], []).append(tariff)
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def _values(outcome: str | None) -> dict[str, Any] | None:
    try:
        read = json.loads(outcome or "")
    except ValueError:
        return None
    match read:
        case [str(), dict(values)]:
            return values
        case _:
            return None


def _amount(value: Any) -> _Amount | None:
    match value:
        case {"minor": int(minor), "currency": str(currency)}:
            return _Amount(minor, currency)
        case _:
            return None
