"""Asks for a payment to be taken back: what is still there of the payee's money is held.

What the payer has asked for on the phone is held already. Of that, one of the staff takes on
what is held, under a number of its own, for no longer than it would have been; another one
decides it.
"""

from dataclasses import dataclass, replace

from ussd_gateway.domain.book import Book, Decision, HoldDecided, HoldPlaced, Message
from ussd_gateway.domain.journal import REVERSAL, Hold, HoldState, Posted
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Recorded, Scalar
from ussd_gateway.services.orders.desk import By, Objected, Objection, objected, tell
from ussd_gateway.services.orders.hold_money import barred, place
from ussd_gateway.services.orders.taking_back import (
    ASKED,
    BY_PHONE,
    CASH,
    PAID,
    REFUND,
    VOUCHER,
    paid_for,
)

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
    recorded = command.recorded
    in_hand = book.journals[recorded.id].in_hand
    if in_hand is not None:
        return _take_on(command, in_hand, book)
    kind = REVERSAL if command.whole else REFUND
    placed = hold_back(recorded, command.hold_id, command.amount, kind, book)
    if isinstance(placed, Objected):
        return placed

    posted = book.journals[recorded.id]
    amount = Money(placed.hold.minor, recorded.payee.currency)
    wanted = Money(_wanted(recorded, command.amount, posted), amount.currency)
    values = _values(command, placed.hold, amount, wanted)
    return Decision("ok", values, messages=_told(recorded, amount), changes=(placed,))


def hold_back(
    recorded: Recorded, hold_id: int, amount: Money | None, kind: str, book: Book
) -> HoldPlaced | Objected:
    """Holds of the payee's what is still there of it, for 48 hours at most."""
    posted, currency = book.journals[recorded.id], recorded.payee.currency
    if posted.in_hand is not None:
        return objected(Objection.IN_HAND, hold=posted.in_hand)
    if amount is not None and amount.currency != currency:
        return objected(Objection.OTHER_CURRENCY, currency=currency)
    whole = kind == REVERSAL
    objection = _not_to_be_taken_back(recorded, whole=whole) or barred(
        recorded.payee.account_id, recorded.payer.account_id, book
    )
    if objection is not None:
        return objection
    minor = _there(recorded, amount, book, whole=whole)
    if isinstance(minor, Objected):
        return minor
    hold = Hold(
        id=hold_id,
        kind=kind,
        source_id=recorded.payee.account_id,
        target_id=recorded.payer.account_id,
        minor=minor,
        posted=0,
        state=HoldState.PENDING,
        expires_at_ms=book.now_ms + ASKED_FOR_MS,
        journal_id=recorded.id,
    )
    return place(hold, book)


def _take_on(command: Ask, in_hand: int, book: Book) -> Decision | Objected:
    hold = book.holds.get(in_hand)
    if hold is None or hold.kind not in BY_PHONE:
        return objected(Objection.IN_HAND, hold=in_hand)
    if command.amount is not None or command.whole:
        return objected(Objection.AS_ASKED)
    changes = pass_on(hold, command.hold_id, REFUND, book)
    if isinstance(changes, Objected):
        return changes
    amount = Money(hold.minor, command.recorded.payee.currency)
    values = _values(command, changes[1].hold, amount, amount)
    # Who has said no knows that staff decide. Who has not answered was told to do it.
    told = _told(command.recorded, amount) if hold.kind == ASKED else ()
    return Decision("ok", {**values, "takes_on": hold.id}, messages=told, changes=changes)


def _told(recorded: Recorded, amount: Money) -> tuple[Message, ...]:
    original, name = recorded.receipt, recorded.payer.name
    return tell(recorded.payee, "reversal_asked", original=original, amount=amount, name=name)


def pass_on(
    hold: Hold, hold_id: int, kind: str, book: Book
) -> tuple[HoldDecided, HoldPlaced] | Objected:
    """The same money, held for somebody else to decide, for no longer than before."""
    if not hold.open(book.now_ms):
        return objected(Objection.OVERDUE)
    return HoldDecided(hold.id, HoldState.VOIDED), HoldPlaced(
        replace(hold, id=hold_id, kind=kind)
    )


def _values(command: Ask, hold: Hold, amount: Money, wanted: Money) -> dict[str, Scalar]:
    recorded = command.recorded
    return {
        "hold": hold.id,
        "original": recorded.receipt,
        "amount": amount,
        "wanted": wanted,
        "paid": paid_for(recorded),
        "name": recorded.payee.name,
        "whole": command.whole,
        **command.by.told,
    }


def _not_to_be_taken_back(recorded: Recorded, *, whole: bool) -> Objected | None:
    if recorded.kind in VOUCHER:
        return objected(Objection.VOUCHER)
    if recorded.kind not in PAID | CASH:
        return objected(Objection.NOT_REVERSIBLE, kind=recorded.kind)
    return objected(Objection.CASH) if recorded.kind in CASH and not whole else None


def _there(
    recorded: Recorded, amount: Money | None, book: Book, *, whole: bool
) -> int | Objected:
    """How much is to be held: what is left of what the payee got, and still there."""
    posted, payee = book.journals[recorded.id], recorded.payee
    left = -posted.left(payee.account_id)
    if posted.reversed or left <= 0 or (whole and posted.taken_back):
        return objected(Objection.TAKEN_BACK)
    if whole:
        return left
    there = book.accounts[payee.account_id].there_minor
    wanted = _wanted(recorded, amount, posted)
    return min(left, wanted, there) or objected(Objection.SPENT)


def _wanted(recorded: Recorded, amount: Money | None, posted: Posted) -> int:
    return -posted.left(recorded.payee.account_id) if amount is None else amount.minor
