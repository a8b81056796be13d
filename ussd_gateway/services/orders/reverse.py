"""Takes a payment back: one of the staff asks for it, and another one decides.

    ask      what is still there of the payee's money is held: the payee is told
    approve  refund    payee -> payer, for all that is held or a part; the fee stays paid
             reversal  our own fault: every leg is negated, fee, tax and commission too
    refuse   it is free again; and so it is by itself after `ASKED_FOR_MS`

Where cash changed hands there is no refund: a wallet would get what somebody has in a pocket. A
whole reversal is for a journal that should never have been. What was bought of a carrier is not
taken back at all: it is on the phone, or its own settlement gives the money back. Nor is money
under a code: somebody may stand at an agent's with it now, or it goes back by itself.
"""

from ussd_gateway.domain.accounts import (
    CLAWBACK,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Outcome
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import OnHold
from ussd_gateway.services.orders.ask_reversal import Ask, ask
from ussd_gateway.services.orders.decide_reversal import Approve, approve, refuse
from ussd_gateway.services.orders.desk import By, Desk, Objected, Objection, objected
from ussd_gateway.services.orders.taking_back import BY_PHONE, KINDS

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
        before = self._desk.records.holds_of(recorded.id)
        return self._desk.commit(
            by,
            ("reverse", receipt, amount, whole),
            subject=f"journal:{recorded.id}",
            accounts=(recorded.payer.account_id, recorded.payee.account_id),
            holds=(held.hold.id for held in before),
            journals=(recorded.id,),
            decide=lambda book: ask(command, book),
        )

    def approve(self, hold_id: int, amount: Money | None, by: By) -> Outcome:
        held = self._asked_for(hold_id)
        if isinstance(held, Objected):
            return held.outcome
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
        if isinstance(held, Objected):
            return held.outcome
        return self._desk.commit(
            by,
            ("refuse", hold_id),
            subject=f"journal:{held.hold.journal_id}",
            accounts=(held.hold.source_id, held.hold.target_id),
            holds=(hold_id,),
            decide=lambda book: refuse(held, by, book),
        )

    def _asked_for(self, hold_id: int) -> OnHold | Objected:
        held = self._desk.records.held(hold_id)
        if held is not None and held.hold.kind in KINDS:
            return held
        if held is not None and held.hold.kind in BY_PHONE:
            return objected(Objection.BY_PHONE, original=held.original)
        return objected(Objection.NO_HOLD)
