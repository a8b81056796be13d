"""Moves what the trust owes us to the operating bank: fees earned since the last time.

sweep 500                           debit +   credit -
  2440 due to operating (ring)       +500.00
  1010 trust bank (ring)                        -500.00
  1310 operating bank                +500.00
  1320 due from trust                           -500.00

The two pairs are one journal, so the ring is exact before and after. The banks' own transfer is
ordered elsewhere; this is its entry. A fee that is given back after it was swept comes back by
the reversal itself (`taking_back`): what is due is never below zero.
"""

from ussd_gateway.domain.accounts import (
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, Outcome
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.desk import By, Desk, Objected, Objection, objected

KIND = "sweep"


def sweep(amount: Money | None, currency: str, by: By, book: Book) -> Decision | Objected:
    """Pure. Without an amount: all that is due."""
    trust, owed, bank, due = _accounts(currency)
    due_minor = book.accounts[owed].balance_minor
    minor = due_minor if amount is None else amount.minor
    if minor <= 0 or minor > due_minor:
        return objected(Objection.NOT_DUE, due=Money(due_minor, currency))
    if minor > book.accounts[trust].balance_minor:
        return objected(Objection.SPENT, there=book.accounts[trust].balance)

    legs = (Leg(owed, minor), Leg(trust, -minor), Leg(bank, minor), Leg(due, -minor))
    left = Money(due_minor - minor, currency)
    values = {"amount": Money(minor, currency), "due": left, **by.told}
    return Decision("ok", values, Posting(KIND, legs))


def _accounts(currency: str) -> tuple[int, int, int, int]:
    codes = (TRUST_BANK, DUE_TO_OPERATING, OPERATING_BANK, DUE_FROM_TRUST)
    trust, owed, bank, due = (house_id(code, currency) for code in codes)
    return trust, owed, bank, due


class SweepService:
    """What staff call `ledger sweep`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def sweep(self, amount: Money | None, by: By) -> Outcome:
        currency = self._desk.market.currency
        return self._desk.commit(
            by,
            ("sweep", currency, amount),
            subject=f"sweep:{currency}",
            accounts=_accounts(currency),
            decide=lambda book: sweep(amount, currency, by, book),
        )
