"""Whether an account takes part, and how much it may hold: set by staff, and kept with why.

    active <--> frozen in, frozen both, dormant        closed: once it is empty, and for good

The house's own accounts have neither: a status of theirs would stop everybody's payments. Nor
have those of commission, which stand behind each cash deal of their stores. An account is
closed only where nobody works with it and nothing that was paid out of it may still come back.
"""

from ussd_gateway.domain.accounts import COMMISSION, HOUSE_ID_MIN
from ussd_gateway.domain.book import Account, Book, CapSet, Decision, Outcome, Status, StatusSet
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Holder, Needed
from ussd_gateway.services.orders.desk import By, Desk, Objected, Objection, objected


def set_status(
    holder: Holder,
    status: Status,
    by: By,
    book: Book,
    needed: Needed | None = None,
    *,
    loosens: bool = True,
) -> Decision | Objected:
    """Pure. `needed` is looked up before an account is closed. `loosens`: whether `by` may let
    through what is barred now."""
    account = book.accounts[holder.account_id]
    if (objection := _not_to_be_set(holder)) is not None:
        return objection
    if account.status is status:
        return objected(Objection.SAME, status=status.value)
    if account.status is Status.CLOSED:
        return objected(Objection.CLOSED)
    if not loosens and not status.bars_all_of(account.status):
        return objected(Objection.LOOSER, status=account.status.value)
    if status is Status.CLOSED and not _empty(account):
        return objected(Objection.NOT_EMPTY, balance=account.balance)
    if needed is not None and needed.serves:
        return objected(Objection.SERVES, serves=needed.serves)
    if needed is not None and (needed.may_come_back or needed.seq != account.seq):
        return objected(Objection.IN_USE)

    values = {
        "status": status.value,
        "before": account.status.value,
        "name": holder.name,
        **by.told,
    }
    return Decision("ok", values, changes=(StatusSet(account.id, status),))


def set_cap(holder: Holder, cap: Money | None, by: By, book: Book) -> Decision | Objected:
    """Pure. What is there, and what is on its way, stays under it."""
    account = book.accounts[holder.account_id]
    if (objection := _not_to_be_set(holder)) is not None:
        return objection
    minor = None if cap is None else cap.minor
    if account.cap == minor:
        return objected(Objection.SAME)
    if account.status is Status.CLOSED:
        return objected(Objection.CLOSED)
    most = account.balance_minor + _coming(account)
    if minor is not None and minor < most:
        return objected(Objection.UNDER_BALANCE, most=Money(most, account.currency))

    values = {"cap": "none" if cap is None else cap, "name": holder.name, **by.told}
    return Decision("ok", values, changes=(CapSet(account.id, minor),))


def _not_to_be_set(holder: Holder) -> Objected | None:
    if holder.account_id >= HOUSE_ID_MIN:
        return objected(Objection.HOUSE_ACCOUNT)
    if holder.code == COMMISSION.number:
        return objected(Objection.COMMISSION_ACCOUNT)
    return None


def _empty(account: Account) -> bool:
    return not (account.balance_minor or account.debits_pending or account.credits_pending)


def _coming(account: Account) -> int:
    return account.debits_pending if account.sign > 0 else account.credits_pending


class StatusService:
    """What staff call `ledger freeze`, `unfreeze`, `dormant`, `close` and `cap`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def set_status(
        self, refs: tuple[str, ...], status: Status, by: By, *, loosens: bool = True
    ) -> Outcome:
        """`refs` are what the account may be called, the likeliest first. `loosens`: whether
        `by` may let through what is barred now. Raises BooksLost, as the other does."""
        found = self._desk.records.holder(*refs)
        if found is None:
            return objected(Objection.NO_ACCOUNT).outcome
        closes = status is Status.CLOSED
        needed = self._desk.records.needed(found.account_id) if closes else None
        return self._desk.commit(
            by,
            ("status", found.ref, status.value),
            subject=_subject(found),
            accounts=(found.account_id,),
            decide=lambda book: set_status(found, status, by, book, needed, loosens=loosens),
        )

    def set_cap(self, refs: tuple[str, ...], cap: Money | None, by: By) -> Outcome:
        found = self._desk.records.holder(*refs)
        if found is None:
            return objected(Objection.NO_ACCOUNT).outcome
        if cap is not None and cap.currency != found.currency:
            return objected(Objection.OTHER_CURRENCY, currency=found.currency).outcome
        return self._desk.commit(
            by,
            ("cap", found.ref, cap),
            subject=_subject(found),
            accounts=(found.account_id,),
            decide=lambda book: set_cap(found, cap, by, book),
        )


def _subject(found: Holder) -> str:
    return f"account:{found.account_id}"
