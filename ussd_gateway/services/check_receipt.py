"""Whether a receipt is true: what anybody can find out who was shown one, or was sent none.

    either party    the payment in words, as the books have it, whether or not its SMS came
    anybody else    yes or no to receipt and amount, a few times a day

A stranger's receipt and one that was never made are answered alike until an amount is given, so
that nobody learns from guesses which receipts there are. Nothing here needs an SMS to arrive.
"""

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import (
    UNKNOWN,
    Action,
    Answer,
    Call,
    Effect,
    Receipted,
    Receipts,
    Scalar,
    VarType,
)
from ussd_gateway.services.teller import (
    AT,
    MONEY,
    NAME,
    RECEIPT,
    Teller,
    money,
    no,
    outcomes,
    text,
)

# What is answered of one's own: it went to somebody or to the house, it came from them, it was
# taken back since, in full or a part of it; or it is somebody else's and the amount is needed.
PAID_TO, PAID, GOT_FROM, GOT = "paid_to", "paid", "got_from", "got"
TAKEN_BACK = "taken_back"
YES = "ok"
AMOUNT_NEEDED = "amount_needed"
# What somebody may ask in a day about payments that are others'.
ASKS_A_DAY_MAX = 5

# Their number, masked, or the one of their business.
_KNOWN_BY = VarType("text", 10)


class CheckReceiptService:
    """What menus call `receipt.check` and `receipt.confirm`."""

    def __init__(self, teller: Teller, receipts: Receipts) -> None:
        self._teller = teller
        self._receipts = receipts

    def check(self, receipt: str, asker: Msisdn) -> Answer:
        """Of one's own: what it is. Raises BooksLost."""
        found = self._receipts.find(receipt, asker)
        if found is None or (found.moved is None and not found.told):
            return Answer(AMOUNT_NEEDED, {})
        seen = self._seen(found)
        if found.taken_back.minor:
            return Answer(TAKEN_BACK, seen | {"taken_back": found.taken_back})
        if found.moved is None:
            return Answer(YES, seen)
        return _own(found, seen)

    def confirm(self, call: Call) -> Answer:
        """Of somebody else's: whether it is of this amount. Each call counts. Raises
        BooksLost."""
        receipt, amount = text(call.args["receipt"]), money(call.args["amount"])
        asker = call.origin.msisdn
        asked = self._receipts.asked(asker, self._teller.today(), call.key)
        if asked > ASKS_A_DAY_MAX:
            return no(Reason.ASKED_TOO_OFTEN)
        found = self._receipts.find(receipt, asker)
        if found is None or amount not in found.amounts:
            return no(Reason.NO_SUCH_PAYMENT)
        seen = self._seen(found) | {"amount": amount}
        if found.taken_back.minor:
            return Answer(TAKEN_BACK, seen | {"taken_back": found.taken_back})
        return Answer(YES, seen)

    def _seen(self, found: Receipted) -> dict[str, Scalar]:
        at = self._teller.market.written(found.at_ms)
        return {"receipt": found.receipt, "at": at, "amount": found.amounts[0]}

    def actions(self) -> tuple[Action, ...]:
        seen = {"receipt": RECEIPT, "at": AT, "amount": MONEY, "taken_back": MONEY}
        check = Action(
            "receipt.check",
            Effect.READ,
            takes={"receipt": RECEIPT},
            gives=seen | {"cost": MONEY, "name": NAME, "known_by": _KNOWN_BY},
            outcomes=outcomes()
            | {PAID_TO, PAID, GOT_FROM, GOT, TAKEN_BACK, YES, AMOUNT_NEEDED},
            takes_secret=False,
            run=self._check,
        )
        confirm = Action(
            "receipt.confirm",
            Effect.CHANGE,
            takes={"receipt": RECEIPT, "amount": MONEY},
            gives=seen,
            outcomes=outcomes(Reason.NO_SUCH_PAYMENT, Reason.ASKED_TOO_OFTEN)
            | {TAKEN_BACK, UNKNOWN},
            takes_secret=False,
            run=self.confirm,
        )
        return check, confirm

    def _check(self, call: Call) -> Answer:
        return self.check(text(call.args["receipt"]), call.origin.msisdn)


def _own(found: Receipted, seen: dict[str, Scalar]) -> Answer:
    assert found.moved is not None, "the asker has an account in it"
    other: dict[str, Scalar] = {"name": found.other.name, "known_by": found.other.number}
    named = bool(found.other.name)
    if found.moved.minor > 0:
        return Answer(GOT_FROM if named else GOT, seen | other | {"amount": found.moved})
    gone = -found.moved
    amount = min(found.amounts[0], gone, key=lambda each: each.minor)
    return Answer(
        PAID_TO if named else PAID, seen | other | {"amount": amount, "cost": gone - amount}
    )
