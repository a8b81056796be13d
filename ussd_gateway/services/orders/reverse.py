"""Takes a payment back: one of the staff asks for it, and another one decides.

    ask      what is still there of the payee's money is held: the payee is told
    approve  refund    payee -> payer, for all that is held or a part; the fee stays paid
             reversal  our own fault: every leg is negated, fee, tax and commission too
    refuse   it is free again; and so it is by itself after `ASKED_FOR_MS`

A refund's journal moves what its hold posts, out of the payee's account and into the payer's. A
reversal's moves that out of the payee's too; the payer gets the fee besides. Commission that an
agent has not got any more is claimed: 1140 takes the place of 2210 for it. A fee that was swept
out of the trust since comes back into it in the same journal: 1010 takes the place of 2440 for
it, and 1310 that of 1320. So e-money is covered at every commit, and 2440 is never below zero.

Where cash changed hands there is no refund: a wallet would get what somebody has in a pocket. A
whole reversal is for a journal that should never have been. What was bought of a carrier is not
taken back at all: it is on the phone, or its own settlement gives the money back. Nor is money
under a code: somebody may stand at an agent's with it now, or it goes back by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ussd_gateway.domain.accounts import (
    CLAWBACK,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, Message, Outcome, Spent
from ussd_gateway.domain.journal import REVERSAL, Hold, HoldState, Leg, Posted, Posting, reverse
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import OnHold, Recorded, Scalar
from ussd_gateway.services.fees import moving
from ussd_gateway.services.orders.desk import By, Desk, Objected, Objection, objected, tell
from ussd_gateway.services.orders.hold_money import barred, place, post, void

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset(
    {
        "reversal_asked",
        "refunded",
        "refunded_with_fee",
        "taken_back",
        "reversal_refused",
        "hold_released",
    }
)
REFUND = "refund"
KINDS = (REFUND, REVERSAL)

# What can be taken back: of the payee alone, or, where cash changed hands, whole and not else.
_PAID = frozenset({"send_money", "pay_bill", "buy_goods"})
_CASH = frozenset({"deposit", "withdraw"})
_VOUCHER = frozenset({"voucher", "voucher_cashed", "voucher_returned"})
# What limits have counted of the payer's, so that it is not counted any more.
_SPENT = _PAID | {"withdraw"}

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


@dataclass(frozen=True, slots=True)
class Approve:
    """`amount`: less than is held; None: all of it. `recorded` is what is taken back."""

    held: OnHold
    recorded: Recorded
    amount: Money | None
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
        "paid": Money(_paid(recorded, posted), currency),
        "name": recorded.payee.name,
        "whole": command.whole,
        **by.told,
    }
    return Decision("ok", values, messages=told, changes=(placed,))


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

    posting = _reversal(recorded, posted, hold, book) if whole else _refund(posted, hold, minor)
    payer = book.accounts[hold.target_id]
    if not payer.takes(_of(posting.legs, payer.id), freed=hold.minor):
        return objected(Objection.TARGET_FULL)
    moved = _moved(posting, hold, currency)
    return Decision(
        "ok",
        {
            "hold": hold.id,
            "original": recorded.receipt,
            **moved,
            "from_bank": Money(
                -_of(posting.legs, house_id(OPERATING_BANK, currency)), currency
            ),
            "by": by.name,
            "asked_by": held.by,
            "why": held.why,
        },
        posting,
        _told(held, moved, book),
        changes=(decided,),
        spent=_unspent(recorded, posted, minor),
    )


def refuse(held: OnHold, by: By, book: Book) -> Decision | Objected:
    """Pure."""
    decided = void(held.hold.id, book)
    if isinstance(decided, Objected):
        return decided
    values = {"hold": held.hold.id, "original": held.original, **by.told}
    return Decision("ok", values, messages=let_go(held), changes=(decided,))


def let_go(held: OnHold) -> tuple[Message, ...]:
    """Who is told that nothing is taken back: of one that was refused, or not decided in
    time."""
    amount = Money(held.hold.minor, held.source.currency)
    refused = tell(held.target, "reversal_refused", original=held.original, amount=amount)
    return (*_free_again(held, amount), *refused)


def _free_again(held: OnHold, amount: Money) -> tuple[Message, ...]:
    return tell(held.source, "hold_released", original=held.original, amount=amount)


def _not_to_be_taken_back(recorded: Recorded, *, whole: bool) -> Objected | None:
    if recorded.kind in _VOUCHER:
        return objected(Objection.VOUCHER)
    if recorded.kind not in _PAID | _CASH:
        return objected(Objection.NOT_REVERSIBLE, kind=recorded.kind)
    return objected(Objection.CASH) if recorded.kind in _CASH and not whole else None


def _there(command: Ask, posted: Posted, book: Book) -> int | Objected:
    """How much is to be held: what is left of what the payee got, and still there."""
    payee = command.recorded.payee
    left = -posted.left(payee.account_id)
    if posted.reversed or left <= 0 or (command.whole and posted.taken_back):
        return objected(Objection.TAKEN_BACK)
    account = book.accounts[payee.account_id]
    there = max(0, account.spendable_minor - (account.floor or 0))
    if command.whole:
        return left
    return min(left, _wanted(command, posted), there) or objected(Objection.SPENT)


def _wanted(command: Ask, posted: Posted) -> int:
    left = -posted.left(command.recorded.payee.account_id)
    return left if command.amount is None else command.amount.minor


def _paid(recorded: Recorded, posted: Posted) -> int:
    """What the payee got by it, whatever went back since."""
    return -_of(posted.legs, recorded.payee.account_id)


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


def _refund(posted: Posted, hold: Hold, minor: int) -> Posting:
    legs = (Leg(hold.source_id, minor), Leg(hold.target_id, -minor))
    return Posting(REFUND, legs, reverses_id=posted.id, hold_id=hold.id)


def _reversal(recorded: Recorded, posted: Posted, hold: Hold, book: Book) -> Posting:
    swept = _swept(posted, hold, book)
    legs: list[Leg] = []
    for leg in reverse(posted).legs:
        if leg.account_id in recorded.commission_ids:
            legs += _clawed_back(leg, book)
        elif leg.account_id in swept:
            bank_id, minor = swept[leg.account_id]
            legs += moving(Leg(leg.account_id, leg.minor - minor), Leg(bank_id, minor))
        else:
            legs.append(leg)
    return Posting(REVERSAL, tuple(legs), reverses_id=posted.id, hold_id=hold.id)


def _swept(posted: Posted, hold: Hold, book: Book) -> Mapping[int, tuple[int, int]]:
    """What of the fee was swept out of the trust since: by the two accounts that it is due on,
    the bank that stands in for each, and how much."""
    currency = book.accounts[hold.source_id].currency
    owed = house_id(DUE_TO_OPERATING, currency)
    fee = -posted.left(owed)
    missing = fee - max(0, min(fee, book.accounts[owed].balance_minor))
    due = house_id(DUE_FROM_TRUST, currency)
    return {
        owed: (house_id(TRUST_BANK, currency), missing),
        due: (house_id(OPERATING_BANK, currency), -missing),
    }


def _clawed_back(leg: Leg, book: Book) -> tuple[Leg, ...]:
    """What is not there of it any more is claimed from the agent."""
    account = book.accounts[leg.account_id]
    there = account.spendable_minor - (account.floor or 0) if account.status.pays_out else 0
    taken = min(leg.minor, max(0, there))
    clawback = house_id(CLAWBACK, account.currency)
    return moving(Leg(account.id, taken), Leg(clawback, leg.minor - taken))


def _moved(posting: Posting, hold: Hold, currency: str) -> dict[str, Money]:
    """What the payee gives, and what the payer gets."""
    return {
        "amount": Money(_of(posting.legs, hold.source_id), currency),
        "back": Money(-_of(posting.legs, hold.target_id), currency),
    }


def _of(legs: Iterable[Leg], account_id: int) -> int:
    return sum(leg.minor for leg in legs if leg.account_id == account_id)


def _told(held: OnHold, moved: Mapping[str, Money], book: Book) -> tuple[Message, ...]:
    source, target = (
        book.accounts[held.source.account_id],
        book.accounts[held.target.account_id],
    )
    amount, back = moved["amount"], moved["back"]
    fee, rest = back - amount, Money(held.hold.minor, amount.currency) - amount
    came: dict[str, Scalar] = {
        "original": held.original,
        "amount": amount,
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
        *(_free_again(held, rest) if rest.minor else ()),
    )


def _unspent(recorded: Recorded, posted: Posted, minor: int) -> Spent | None:
    """Two of the staff have decided it: nobody gets round a limit so."""
    if recorded.kind not in _SPENT:
        return None
    return Spent(recorded.payer.account_id, minor, back_of=posted.business_date)


class ReverseService:
    """What staff call `ledger reverse`, `approve-reversal` and `refuse-reversal`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def ask(self, receipt: str, amount: Money | None, by: By, *, whole: bool) -> Outcome:
        """Raises BooksLost, as the others do."""
        recorded = self._desk.records.journal(receipt)
        if recorded is None:
            return objected(Objection.NO_JOURNAL).outcome
        command = Ask(recorded, self._desk.numbers.next(), amount, whole, by)
        return self._desk.commit(
            by,
            ("reverse", receipt, amount, whole),
            subject=f"journal:{recorded.id}",
            accounts=(recorded.payer.account_id, recorded.payee.account_id),
            journals=(recorded.id,),
            decide=lambda book: ask(command, book),
        )

    def approve(self, hold_id: int, amount: Money | None, by: By) -> Outcome:
        held = self._asked_for(hold_id)
        if held is None:
            return objected(Objection.NO_HOLD).outcome
        recorded = self._desk.records.journal(held.original)
        assert recorded is not None, "a journal is never removed"
        stand_in = (CLAWBACK, TRUST_BANK, OPERATING_BANK, DUE_TO_OPERATING)
        house = (house_id(code, held.source.currency) for code in stand_in)
        command = Approve(held, recorded, amount, by)
        return self._desk.commit(
            by,
            ("approve", hold_id, amount),
            subject=f"journal:{recorded.id}",
            accounts=(*recorded.account_ids, *house),
            holds=(hold_id,),
            journals=(recorded.id,),
            decide=lambda book: approve(command, book),
        )

    def refuse(self, hold_id: int, by: By) -> Outcome:
        held = self._asked_for(hold_id)
        if held is None:
            return objected(Objection.NO_HOLD).outcome
        return self._desk.commit(
            by,
            ("refuse", hold_id),
            subject=f"journal:{held.hold.journal_id}",
            accounts=(held.hold.source_id, held.hold.target_id),
            holds=(hold_id,),
            decide=lambda book: refuse(held, by, book),
        )

    def _asked_for(self, hold_id: int) -> OnHold | None:
        held = self._desk.records.held(hold_id)
        return held if held and held.hold.kind in KINDS else None
