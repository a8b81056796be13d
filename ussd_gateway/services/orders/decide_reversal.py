"""Decides what was asked for: it is taken back, or let go."""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.accounts import OPERATING_BANK, house_id
from ussd_gateway.domain.book import Book, Decision, Message, Spent
from ussd_gateway.domain.journal import REVERSAL, Hold, Posted, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import OnHold, Recorded, Scalar
from ussd_gateway.services.orders.desk import By, Objected, Objection, objected, tell
from ussd_gateway.services.orders.hold_money import post, void
from ussd_gateway.services.orders.taking_back import SPENT, moved_on, paid_for, refund, reversal


@dataclass(frozen=True, slots=True)
class Approve:
    """`amount`: less than is held; None: all of it. `recorded` is what is taken back."""

    held: OnHold
    recorded: Recorded
    amount: Money | None
    by: By


def approve(command: Approve, book: Book) -> Decision | Objected:
    """Pure."""
    held, recorded, by = command.held, command.recorded, command.by
    currency = held.source.currency
    if command.amount is not None and command.amount.currency != currency:
        return objected(Objection.OTHER_CURRENCY, currency=currency)
    if held.by == by.name:
        return objected(Objection.OWN_ORDER)
    hold = book.holds[held.hold.id]
    whole = hold.kind == REVERSAL
    if whole and command.amount is not None:
        return objected(Objection.ALL_OR_NOTHING)
    minor = hold.minor if command.amount is None else command.amount.minor
    decided = post(hold.id, minor, book)
    if isinstance(decided, Objected):
        return decided
    posted = book.journals[recorded.id]
    if posted.reversed or (whole and posted.taken_back):
        return objected(Objection.TAKEN_BACK)
    if -posted.left(hold.source_id) < minor:
        return objected(Objection.TAKEN_BACK)

    posting = reversal(recorded, posted, hold, book) if whole else refund(posted, hold, minor)
    payer = book.accounts[hold.target_id]
    if not payer.takes(moved_on(posting.legs, payer.id), freed=hold.minor):
        return objected(Objection.TARGET_FULL)
    moved = _moved(posting, hold, currency)
    seen = paid_for(recorded) if whole else moved["back"]
    return Decision(
        "ok",
        {
            "hold": hold.id,
            "original": recorded.receipt,
            **moved,
            "from_bank": Money(
                -moved_on(posting.legs, house_id(OPERATING_BANK, currency)), currency
            ),
            "by": by.name,
            "asked_by": held.by,
            "why": held.why,
        },
        posting,
        _told(held, moved, seen, book),
        changes=(decided,),
        spent=_unspent(recorded, posted, seen),
    )


def refuse(held: OnHold, by: By, book: Book) -> Decision | Objected:
    """Pure."""
    decided = void(held.hold.id, book)
    if isinstance(decided, Objected):
        return decided
    values = {"hold": held.hold.id, "original": held.original, **by.told}
    return Decision("ok", values, messages=let_go(held, book), changes=(decided,))


def let_go(held: OnHold, book: Book) -> tuple[Message, ...]:
    """Who is told that nothing is taken back: of one that was refused, or not decided in
    time."""
    amount = Money(held.hold.minor, held.source.currency)
    refused = tell(held.target, "reversal_refused", original=held.original, amount=amount)
    return (*_free_again(held, amount, book), *refused)


def _free_again(held: OnHold, amount: Money, book: Book) -> tuple[Message, ...]:
    """Who is barred cannot use it, and is not told so."""
    if not book.accounts[held.source.account_id].status.pays_out:
        return ()
    return tell(held.source, "hold_released", original=held.original, amount=amount)


def _moved(posting: Posting, hold: Hold, currency: str) -> dict[str, Money]:
    """What the payee gives, and what the payer gets."""
    return {
        "amount": Money(moved_on(posting.legs, hold.source_id), currency),
        "back": Money(-moved_on(posting.legs, hold.target_id), currency),
    }


def _told(
    held: OnHold, moved: Mapping[str, Money], seen: Money, book: Book
) -> tuple[Message, ...]:
    """`seen`: what of it the payer saw as the amount; the rest of what is back is the fee."""
    source, target = (
        book.accounts[held.source.account_id],
        book.accounts[held.target.account_id],
    )
    amount, back = moved["amount"], moved["back"]
    fee, rest = back - seen, Money(held.hold.minor, amount.currency) - amount
    came: dict[str, Scalar] = {
        "original": held.original,
        "amount": seen,
        "name": held.source.name,
        "balance": target.balance + back,
    }
    return (
        *(
            tell(held.target, "refunded_with_fee", **came, fee=fee)
            if fee.minor
            else tell(held.target, "refunded", **came)
        ),
        *tell(
            held.source,
            "taken_back",
            original=held.original,
            amount=amount,
            name=held.target.name,
            balance=source.balance - amount,
        ),
        *(_free_again(held, rest, book) if rest.minor else ()),
    )


def _unspent(recorded: Recorded, posted: Posted, seen: Money) -> Spent | None:
    """Two of the staff have decided it: nobody gets round a limit so."""
    if recorded.kind not in SPENT:
        return None
    return Spent(recorded.payer.account_id, seen.minor, back_of=posted.business_date)
