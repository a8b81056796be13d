"""The payee answers who asks for money back: gives back what is held, or keeps it.

    wanted  what is asked of somebody, the oldest first -> amount, whose, and its hold
    still   hold -> the same of this one, as long as nobody has decided it
    give    hold and PIN -> all that is held goes back, under a receipt of its own
    keep    hold and PIN -> it stays held, and two of the staff decide

What the payee gives back counts for the payer's limits all the same: no pair of customers gets
round them by paying and giving back.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision, Subscriber
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import (
    Action,
    Answer,
    Call,
    Effect,
    Numbers,
    OnHold,
    Payments,
    Scalar,
    VarType,
)
from ussd_gateway.services.money_back.ask_back import NOTHING
from ussd_gateway.services.orders.ask_reversal import pass_on
from ussd_gateway.services.orders.desk import Objected, Objection
from ussd_gateway.services.orders.desk import tell as tell_holder
from ussd_gateway.services.orders.hold_money import post
from ussd_gateway.services.orders.taking_back import ASKED, DISPUTED, GIVEN_BACK, refund
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.teller import (
    AT,
    COUNT,
    ID,
    MONEY,
    NAME,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    no,
    outcomes,
    pin_outcomes,
    text,
)

# The SMS it sends (menus/sms.yaml), beside those of a refund.
TEMPLATES = frozenset({"refunded", "taken_back", "not_given_back"})

# What keeps it from being given back, or passed on, as its payee is told.
_REASONS = {
    Objection.DECIDED: Reason.ALREADY_DECIDED,
    Objection.OVERDUE: Reason.ALREADY_DECIDED,
    Objection.TARGET_BARRED: Reason.PAYEE_FULL,  # nor is anybody told why it takes nothing in
}


@dataclass(frozen=True, slots=True)
class GiveBack:
    held: OnHold
    proof: Proof


@dataclass(frozen=True, slots=True)
class Keep:
    """`hold_id` is new: of the money that staff are to decide about."""

    held: OnHold
    hold_id: int
    proof: Proof


def give(command: GiveBack, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda _payee: _given(command.held, book),
        pays_from=command.held.source.account_id,
    )


def _given(held: OnHold, book: Book) -> Accepted | Refused:
    hold = book.holds[held.hold.id]
    decided_now = post(hold.id, hold.minor, book)
    if isinstance(decided_now, Objected):
        return Refused(_REASONS[decided_now.objection])
    assert hold.journal_id is not None, "it is to take one back"
    posted = book.journals[hold.journal_id]
    amount = Money(hold.minor, held.source.currency)
    payee, payer = book.accounts[hold.source_id], book.accounts[hold.target_id]
    told: dict[str, Scalar] = {"original": held.original, "amount": amount}
    balance = payee.balance - amount
    return Accepted(
        {**told, "back": amount, "name": held.target.name, "balance": balance},
        refund(posted, hold, hold.minor, kind=GIVEN_BACK),
        (
            *tell_holder(
                held.target,
                "refunded",
                **told,
                name=held.source.name,
                balance=payer.balance + amount,
            ),
            *tell_holder(
                held.source, "taken_back", **told, name=held.target.name, balance=balance
            ),
        ),
        changes=(decided_now,),
    )


def keep(command: Keep, market: Market, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(command.proof, book, lambda _payee: _kept(command, market, book))


def _kept(command: Keep, market: Market, book: Book) -> Accepted | Refused:
    held, hold = command.held, book.holds[command.held.hold.id]
    changes = pass_on(hold, command.hold_id, DISPUTED, book)
    if isinstance(changes, Objected):
        return Refused(_REASONS[changes.objection])
    seen: dict[str, Scalar] = {
        "original": held.original,
        "amount": Money(hold.minor, held.source.currency),
        "until": market.written(hold.expires_at_ms),
    }
    told = tell_holder(held.target, "not_given_back", **seen, name=held.source.name)
    return Accepted(
        {**seen, "name": held.target.name, "paid": held.paid or seen["amount"]},
        messages=told,
        changes=changes,
    )


class AnswerAskService:
    """What menus call `back.wanted`, `back.still`, `back.give` and `back.keep`."""

    def __init__(self, teller: Teller, payments: Payments, numbers: Numbers) -> None:
        self._teller = teller
        self._payments = payments
        self._numbers = numbers

    def wanted(self, call: Call) -> Answer:
        payee = self._teller.caller(call)
        if payee is None:
            return no(Reason.NOT_REGISTERED)
        now_ms = self._teller.now_ms()
        held = self._payments.held_of(payee.wallet_id, ASKED, now_ms=now_ms)
        if held is None:
            return Answer(NOTHING, {})
        return self._seen(held)

    def still(self, call: Call) -> Answer:
        asked = self._asked_of(call)
        if isinstance(asked, Refused):
            return no(asked.reason)
        _, held = asked
        still = held.hold.open(self._teller.now_ms())
        return self._seen(held) if still else no(Reason.ALREADY_DECIDED)

    def give(self, call: Call) -> Answer:
        asked = self._asked_of(call)
        if isinstance(asked, Refused):
            return no(asked.reason)
        payee, held = asked
        command = GiveBack(held, self._teller.prove(payee, call))
        return self._commit(call, "back.give", asked, lambda book: give(command, book))

    def keep(self, call: Call) -> Answer:
        asked = self._asked_of(call)
        if isinstance(asked, Refused):
            return no(asked.reason)
        payee, held = asked
        command = Keep(held, self._numbers.next(), self._teller.prove(payee, call))
        market = self._teller.market
        return self._commit(call, "back.keep", asked, lambda book: keep(command, market, book))

    def _commit(
        self,
        call: Call,
        action: str,
        asked: tuple[Subscriber, OnHold],
        judge: Callable[[Book], Decision],
    ) -> Answer:
        payee, hold = asked[0], asked[1].hold
        assert hold.journal_id is not None, "it is to take one back"
        return self._teller.commit(
            call,
            (action, payee.msisdn, hold.id),
            subscribers=(payee.id,),
            accounts=(hold.source_id, hold.target_id),
            holds=(hold.id,),
            journals=(hold.journal_id,),
            decide=judge,
        )

    def _asked_of(self, call: Call) -> tuple[Subscriber, OnHold] | Refused:
        """Whoever is on the phone, and what is asked of them."""
        payee = self._teller.caller(call)
        if payee is None:
            return Refused(Reason.NOT_REGISTERED)
        held = self._payments.held(int(text(call.args["hold"])))
        if held is None or held.hold.kind != ASKED or held.hold.source_id != payee.wallet_id:
            return Refused(Reason.ALREADY_DECIDED)
        return payee, held

    def _seen(self, held: OnHold) -> Answer:
        payer = held.target
        return Answer(
            "ok",
            {
                "hold": str(held.hold.id),
                "original": held.original,
                "amount": Money(held.hold.minor, held.source.currency),
                "name": payer.name,
                "known_by": masked(payer.msisdn) if payer.msisdn else "",
                "until": self._teller.market.written(held.hold.expires_at_ms),
            },
        )

    def actions(self) -> tuple[Action, ...]:
        asked = {"original": RECEIPT, "amount": MONEY, "name": NAME}
        seen = {**asked, "hold": ID, "known_by": VarType("text", 10), "until": AT}
        wanted = Action(
            "back.wanted",
            Effect.READ,
            takes={},
            gives=seen,
            outcomes=outcomes(Reason.NOT_REGISTERED) | {NOTHING},
            takes_secret=False,
            run=self.wanted,
        )
        still = Action(
            "back.still",
            Effect.READ,
            takes={"hold": ID},
            gives=seen,
            outcomes=outcomes(Reason.NOT_REGISTERED, Reason.ALREADY_DECIDED),
            takes_secret=False,
            run=self.still,
        )
        give = Action(
            "back.give",
            Effect.MONEY,
            takes={"hold": ID},
            gives={**asked, "receipt": RECEIPT, "balance": MONEY, "tries_left": COUNT},
            outcomes=pin_outcomes(Reason.ALREADY_DECIDED, Reason.PAYEE_FULL),
            takes_secret=True,
            run=self.give,
        )
        keep = Action(
            "back.keep",
            Effect.CHANGE,
            takes={"hold": ID},
            gives={**asked, "until": AT, "tries_left": COUNT},
            outcomes=pin_outcomes(Reason.ALREADY_DECIDED),
            takes_secret=True,
            run=self.keep,
        )
        return wanted, still, give, keep
