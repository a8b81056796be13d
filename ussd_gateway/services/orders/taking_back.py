"""What can be taken back, and the journals that do it.

A refund's journal moves what its hold posts, out of the payee's account and into the payer's. A
reversal's moves that out of the payee's too; the payer gets the fee besides. Commission that an
agent has not got any more is claimed: 1140 takes the place of 2210 for it. A fee that was swept
out of the trust since comes back into it in the same journal: 1010 takes the place of 2440 for
it, and 1310 that of 1320. So e-money is covered at every commit, and 2440 is never below zero.
"""

from collections.abc import Iterable, Mapping

from ussd_gateway.domain.accounts import (
    CLAWBACK,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Book
from ussd_gateway.domain.journal import REVERSAL, Hold, Leg, Posted, Posting, reverse
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Recorded
from ussd_gateway.services.fees import moving

REFUND = "refund"
# Of holds that staff have asked for, and decide.
KINDS = (REFUND, REVERSAL)
# Of those that the payer has asked for on the phone; and that the payee has said no to.
ASKED, DISPUTED = "asked_back", "disputed"
BY_PHONE = (ASKED, DISPUTED)
# The kind of the journal by which the payee gives it back: nobody else has decided that.
GIVEN_BACK = "given_back"

# What can be taken back: of the payee alone, or, where cash changed hands, whole and not else.
PAID = frozenset({"send_money", "pay_bill", "buy_goods"})
CASH = frozenset({"deposit", "withdraw"})
VOUCHER = frozenset({"voucher", "voucher_cashed", "voucher_returned"})
# What limits have counted of the payer's, so that it is not counted any more.
SPENT = PAID | {"withdraw"}


def refund(posted: Posted, hold: Hold, minor: int, *, kind: str = REFUND) -> Posting:
    legs = (Leg(hold.source_id, minor), Leg(hold.target_id, -minor))
    return Posting(kind, legs, reverses_id=posted.id, hold_id=hold.id)


def reversal(recorded: Recorded, posted: Posted, hold: Hold, book: Book) -> Posting:
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


def paid_for(recorded: Recorded) -> Money:
    """What its payer saw as its amount. Its payee has got less, where they share the fee."""
    assert recorded.paid is not None, "whoever paid was shown an amount"
    return recorded.paid


def moved_on(legs: Iterable[Leg], account_id: int) -> int:
    return sum(leg.minor for leg in legs if leg.account_id == account_id)


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
    taken = min(leg.minor, account.there_minor) if account.status.pays_out else 0
    clawback = house_id(CLAWBACK, account.currency)
    return moving(Leg(account.id, taken), Leg(clawback, leg.minor - taken))
