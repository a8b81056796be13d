"""Asks for a payment to be taken back: what is still there of the payee's money is held."""

from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision
from ussd_gateway.domain.journal import REVERSAL, Hold, HoldState, Posted
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Recorded
from ussd_gateway.services.orders.desk import By, Objected, Objection, objected, tell
from ussd_gateway.services.orders.hold_money import barred, place
from ussd_gateway.services.orders.taking_back import CASH, PAID, REFUND, VOUCHER, paid_for

# So long it may take to be decided.
ASKED_FOR_MS = 48 * 3_600_000


@dataclass(frozen=True, slots=True)
class Ask:
    """To take back `amount` at most; None: all that is left of it. `whole`: every leg."""

    recorded: Recorded
    hold_id: int
    amount: Money | None
    whole: bool
    by: By


def ask(command: Ask, book: Book) -> Decision | Objected:
    """Pure."""
    recorded, by = command.recorded, command.by
    currency = recorded.payee.currency
    posted = book.journals[recorded.id]
    if posted.in_hand is not None:
        return objected(Objection.IN_HAND, hold=posted.in_hand)
    if command.amount is not None and command.amount.currency != currency:
        return objected(Objection.OTHER_CURRENCY, currency=currency)
    objection = _not_to_be_taken_back(recorded, whole=command.whole) or barred(
        recorded.payee.account_id, recorded.payer.account_id, book
    )
    if objection is not None:
        return objection
    minor = _there(command, posted, book)
    if isinstance(minor, Objected):
        return minor
    placed = place(_hold(command, minor, book.now_ms), book)
    if isinstance(placed, Objected):
        return placed

    amount = Money(minor, currency)
    told = tell(
        recorded.payee,
        "reversal_asked",
        original=recorded.receipt,
        amount=amount,
        name=recorded.payer.name,
    )
    values = {
        "hold": command.hold_id,
        "original": recorded.receipt,
        "amount": amount,
        "wanted": Money(_wanted(command, posted), currency),
        "paid": paid_for(recorded),
        "name": recorded.payee.name,
        "whole": command.whole,
        **by.told,
    }
    return Decision("ok", values, messages=told, changes=(placed,))


def _not_to_be_taken_back(recorded: Recorded, *, whole: bool) -> Objected | None:
    if recorded.kind in VOUCHER:
        return objected(Objection.VOUCHER)
    if recorded.kind not in PAID | CASH:
        return objected(Objection.NOT_REVERSIBLE, kind=recorded.kind)
    return objected(Objection.CASH) if recorded.kind in CASH and not whole else None


def _there(command: Ask, posted: Posted, book: Book) -> int | Objected:
    """How much is to be held: what is left of what the payee got, and still there."""
    payee = command.recorded.payee
    left = -posted.left(payee.account_id)
    if posted.reversed or left <= 0 or (command.whole and posted.taken_back):
        return objected(Objection.TAKEN_BACK)
    there = book.accounts[payee.account_id].there_minor
    if command.whole:
        return left
    return min(left, _wanted(command, posted), there) or objected(Objection.SPENT)


def _wanted(command: Ask, posted: Posted) -> int:
    left = -posted.left(command.recorded.payee.account_id)
    return left if command.amount is None else command.amount.minor


def _hold(command: Ask, minor: int, now_ms: int) -> Hold:
    recorded = command.recorded
    return Hold(
        id=command.hold_id,
        kind=REVERSAL if command.whole else REFUND,
        source_id=recorded.payee.account_id,
        target_id=recorded.payer.account_id,
        minor=minor,
        posted=0,
        state=HoldState.PENDING,
        expires_at_ms=now_ms + ASKED_FOR_MS,
        journal_id=recorded.id,
    )
