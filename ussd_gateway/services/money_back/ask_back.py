"""The payer asks for money back: within a day of the payment, once, and with the PIN.

    opened   the payment of the last SMS `REVERSE receipt` that can be asked back
    look     the same of a receipt that is typed
    ask      receipt and PIN -> what is still there of it is held, and both are told

Only what was sent to a person: a business would have its takings held by whoever has bought of
it. The fee was for the payment, and stays paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision, Subscriber
from ussd_gateway.domain.journal import Hold
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn, masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import (
    Action,
    Answer,
    Call,
    Effect,
    Numbers,
    Payments,
    Recorded,
    Scalar,
    VarType,
)
from ussd_gateway.services.orders.ask_reversal import hold_back
from ussd_gateway.services.orders.desk import Objected, Objection
from ussd_gateway.services.orders.desk import tell as tell_holder
from ussd_gateway.services.orders.taking_back import ASKED, BY_PHONE, paid_for
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.teller import (
    AT,
    COUNT,
    MONEY,
    NAME,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    no,
    outcomes,
    pin_outcomes,
    tell,
    text,
)

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"asked_back", "asked_to_give_back"})

KIND = "send_money"
WITHIN_MS = 24 * 3_600_000
# Where no SMS has opened anything.
NOTHING = "nothing"
# The outcome of an SMS that opens it. Versions before kept nothing with `asked_reverse`.
OPENED = "asked_reverse_open"

# What keeps the money from being held, as its payer is told.
_REASONS = {
    Objection.IN_HAND: Reason.ALREADY_ASKED,
    Objection.SOURCE_BARRED: Reason.SPENT,  # it is closed, and so empty
    Objection.SPENT: Reason.SPENT,
    Objection.TARGET_FULL: Reason.PAYEE_FULL,
}


@dataclass(frozen=True, slots=True)
class AskBack:
    """The command. `hold_id` is new."""

    recorded: Recorded
    hold_id: int
    proof: Proof


def decide(command: AskBack, market: Market, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(command.proof, book, lambda payer: _judge(command, payer, market, book))


def _judge(
    command: AskBack, payer: Subscriber, market: Market, book: Book
) -> Accepted | Refused:
    recorded = command.recorded
    if not book.accounts[payer.wallet_id].status.takes_in:
        return Refused(Reason.ACCOUNT_BLOCKED)
    if _too_late(recorded, book.now_ms):
        return Refused(Reason.TOO_LATE)
    posted = book.journals[recorded.id]
    if -posted.left(recorded.payee.account_id) <= 0:
        return Refused(Reason.TAKEN_BACK)
    if posted.held_as.intersection(BY_PHONE):
        return Refused(Reason.ALREADY_ASKED)
    placed = hold_back(recorded, command.hold_id, None, ASKED, book)
    if isinstance(placed, Objected):
        return Refused(_REASONS[placed.objection])

    held: dict[str, Scalar] = {
        "original": recorded.receipt,
        "amount": Money(placed.hold.minor, recorded.payee.currency),
        "until": market.written(placed.hold.expires_at_ms),
    }
    seen = {**held, "name": recorded.payee.name}
    payee_sees = {**held, "name": payer.name, "number": masked(payer.msisdn)}
    return Accepted(
        # As staff see what they ask for themselves.
        {**seen, "hold": placed.hold.id, "paid": paid_for(recorded)},
        messages=(
            tell(payer, "asked_back", seen),
            *tell_holder(recorded.payee, "asked_to_give_back", **payee_sees),
        ),
        changes=(placed,),
    )


def _in_the_way(hold: Hold, now_ms: int) -> bool:
    """Its payer has asked before, whatever became of that; or staff have, and not decided."""
    return hold.kind in BY_PHONE or hold.open(now_ms)


def _too_late(recorded: Recorded, now_ms: int) -> bool:
    return now_ms - recorded.event_at_ms > WITHIN_MS


class AskBackService:
    """What menus call `back.opened`, `back.look` and `back.ask`."""

    def __init__(self, teller: Teller, payments: Payments, numbers: Numbers) -> None:
        self._teller = teller
        self._payments = payments
        self._numbers = numbers

    def look(self, receipt: str, asker: Msisdn) -> Answer:
        """Whether it can be asked back by whoever asks, and of whom. Raises BooksLost."""
        payer = self._teller.reads.subscribers(asker).get(asker)
        if payer is None:
            return no(Reason.NOT_REGISTERED)
        recorded = self._theirs(receipt, payer)
        if recorded is None:
            return no(Reason.NO_SUCH_PAYMENT)
        now_ms = self._teller.now_ms()
        if _too_late(recorded, now_ms):
            return no(Reason.TOO_LATE)
        holds = [held.hold for held in self._payments.holds_of(recorded.id)]
        paid = paid_for(recorded)
        left = paid - Money(sum(hold.posted for hold in holds), paid.currency)
        if left.minor <= 0:
            return no(Reason.TAKEN_BACK)
        if any(_in_the_way(hold, now_ms) for hold in holds):
            return no(Reason.ALREADY_ASKED)
        return Answer("ok", self._seen(recorded, left))

    def ask(self, call: Call) -> Answer:
        payer = self._teller.caller(call)
        if payer is None:
            return no(Reason.NOT_REGISTERED)
        recorded = self._theirs(text(call.args["receipt"]), payer)
        if recorded is None:
            return no(Reason.NO_SUCH_PAYMENT)

        proof = self._teller.prove(payer, call)
        command = AskBack(recorded, self._numbers.next(), proof)
        return self._teller.commit(
            call,
            ("back.ask", payer.msisdn, recorded.receipt),
            subscribers=(payer.id,),
            accounts=(payer.wallet_id, recorded.payee.account_id),
            journals=(recorded.id,),
            decide=lambda book: decide(command, self._teller.market, book),
        )

    def _opened(self, call: Call) -> Answer:
        asker, now_ms = call.origin.msisdn, self._teller.now_ms()
        told = self._teller.reads.last_answered(asker, OPENED, since_ms=now_ms - WITHIN_MS)
        if told is None:
            return Answer(NOTHING, {})
        found = self.look(text(told.values["original"]), asker)
        return found if found.outcome == "ok" else Answer(NOTHING, {})

    def _theirs(self, receipt: str, payer: Subscriber) -> Recorded | None:
        """What they have sent to a person under this receipt."""
        found = self._payments.journal(receipt)
        theirs = found and found.kind == KIND and found.payer.account_id == payer.wallet_id
        return found if theirs else None

    def actions(self) -> tuple[Action, ...]:
        seen = {
            "receipt": RECEIPT,
            "amount": MONEY,
            "name": NAME,
            "known_by": VarType("text", 10),
            "until": AT,
        }
        gone = (
            *(Reason.NO_SUCH_PAYMENT, Reason.TOO_LATE),
            *(Reason.TAKEN_BACK, Reason.ALREADY_ASKED),
        )
        opened = Action(
            "back.opened",
            Effect.READ,
            takes={},
            gives=seen,
            outcomes=outcomes() | {NOTHING},
            takes_secret=False,
            run=self._opened,
        )
        look = Action(
            "back.look",
            Effect.READ,
            takes={"receipt": RECEIPT},
            gives=seen,
            outcomes=outcomes(Reason.NOT_REGISTERED, *gone),
            takes_secret=False,
            run=lambda call: self.look(text(call.args["receipt"]), call.origin.msisdn),
        )
        ask = Action(
            "back.ask",
            Effect.CHANGE,
            takes={"receipt": RECEIPT},
            gives={
                "original": RECEIPT,
                "amount": MONEY,
                "name": NAME,
                "until": AT,
                "tries_left": COUNT,
            },
            outcomes=pin_outcomes(*gone, Reason.SPENT, Reason.PAYEE_FULL),
            takes_secret=True,
            run=self.ask,
        )
        return opened, look, ask

    def _seen(self, recorded: Recorded, left: Money) -> Mapping[str, Scalar]:
        """`left`: what of it was not taken back yet."""
        payee = recorded.payee
        return {
            "receipt": recorded.receipt,
            "amount": left,
            "name": payee.name,
            "known_by": masked(payee.msisdn) if payee.msisdn else "",
            "until": self._teller.market.written(recorded.event_at_ms + WITHIN_MS),
        }
