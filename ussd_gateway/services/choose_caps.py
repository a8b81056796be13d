"""Caps that people set on themselves, for a payment and for a day, and a look at their limits.

A cap says no with the tier's limits, under the same lock; it can be higher than they are, and
then says nothing. Whoever knows the PIN may set it, and take it away: each time an SMS says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ussd_gateway.domain.book import Book, CapsChosen, Decision, Subscriber
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Action, Answer, Call, Effect, VarType
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.spending import allowance
from ussd_gateway.services.teller import (
    COUNT,
    MONEY,
    Accepted,
    Teller,
    decided,
    money,
    no,
    pin_outcomes,
    tell,
)


class Cap(Enum):
    PAYMENT = "payment"
    DAY = "day"


SET = {Cap.PAYMENT: "cap_payment_set", Cap.DAY: "cap_day_set"}
REMOVED = {Cap.PAYMENT: "cap_payment_removed", Cap.DAY: "cap_day_removed"}

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({*SET.values(), *REMOVED.values()})

# In place of the amount of a cap that is taken away.
NONE = "-"

# What a look at one's limits comes to, by which caps of one's own are set: payment, day.
CAPPED = {
    (False, False): "ok",
    (True, False): "payment_capped",
    (False, True): "day_capped",
    (True, True): "capped",
}

# Where a cap that is not set is taken away: nothing changes, and no SMS says that it did.
NOT_SET = "not_set"


@dataclass(frozen=True, slots=True)
class ChooseCap:
    """The command. `amount`: None takes the cap away."""

    cap: Cap
    amount: Money | None
    proof: Proof


def decide(command: ChooseCap, book: Book) -> Decision:
    """Pure."""
    return decided(command.proof, book, lambda person: _chosen(command, person))


def _chosen(command: ChooseCap, person: Subscriber) -> Accepted:
    cap, amount = command.cap, command.amount
    before = person.cap_payment if cap is Cap.PAYMENT else person.cap_day
    if amount is None and before is None:
        return Accepted({}, outcome=NOT_SET)
    minor = amount.minor if amount else None
    chosen = CapsChosen(
        person.id,
        payment=minor if cap is Cap.PAYMENT else person.cap_payment,
        day=minor if cap is Cap.DAY else person.cap_day,
    )
    if amount is None:
        return Accepted({}, messages=(tell(person, REMOVED[cap], {}),), changes=(chosen,))
    seen = {"amount": amount}
    return Accepted(seen, messages=(tell(person, SET[cap], seen),), changes=(chosen,))


def look(proof: Proof, limit: Limit, book: Book) -> Decision:
    """Pure. What was paid today and this month, of how much."""
    return decided(proof, book, lambda person: _limits(person, limit, book))


def _limits(person: Subscriber, limit: Limit, book: Book) -> Accepted:
    used, currency = allowance(person, limit, book).used, limit.day_max.currency
    seen = {
        "paid_today": Money(used.day, currency),
        "day": limit.day_max,
        "paid_this_month": Money(used.month, currency),
        "month": limit.month_max,
    }
    caps = {"cap_payment": person.cap_payment, "cap_day": person.cap_day}
    own = {name: Money(cap, currency) for name, cap in caps.items() if cap is not None}
    return Accepted({**seen, **own}, outcome=CAPPED["cap_payment" in own, "cap_day" in own])


class ChooseCapsService:
    """What menus call `limits` and `caps.*`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def limits(self, call: Call) -> Answer:
        person = self._teller.caller(call)
        if person is None:
            return no(Reason.NOT_REGISTERED)

        proof, limit = self._teller.prove(person, call), self._teller.limit(person)
        return self._teller.commit(
            call,
            ("limits", person.msisdn),
            subscribers=(person.id,),
            accounts=(person.wallet_id,),
            decide=lambda book: look(proof, limit, book),
        )

    def choose(self, call: Call, cap: Cap) -> Answer:
        return self._choose(call, cap, money(call.args["amount"]))

    def remove(self, call: Call, cap: Cap) -> Answer:
        return self._choose(call, cap, None)

    def _choose(self, call: Call, cap: Cap, amount: Money | None) -> Answer:
        person = self._teller.caller(call)
        if person is None:
            return no(Reason.NOT_REGISTERED)

        command = ChooseCap(cap, amount, self._teller.prove(person, call))
        return self._teller.commit(
            call,
            ("cap", person.msisdn, cap.value, amount or NONE),
            subscribers=(person.id,),
            decide=lambda book: decide(command, book),
        )

    def actions(self) -> tuple[Action, ...]:
        limits = {
            "paid_today": MONEY,
            "day": MONEY,
            "paid_this_month": MONEY,
            "month": MONEY,
            "cap_payment": MONEY,
            "cap_day": MONEY,
        }
        amount, payment, day = {"amount": MONEY}, Cap.PAYMENT, Cap.DAY
        return (
            _action("limits", {}, limits, self.limits, *CAPPED.values()),
            _action("caps.payment", amount, amount, lambda call: self.choose(call, payment)),
            _action("caps.day", amount, amount, lambda call: self.choose(call, day)),
            _action(
                "caps.no_payment", {}, {}, lambda call: self.remove(call, payment), NOT_SET
            ),
            _action("caps.no_day", {}, {}, lambda call: self.remove(call, day), NOT_SET),
        )


def _action(
    name: str,
    takes: dict[str, VarType],
    gives: dict[str, VarType],
    run: Callable[[Call], Answer],
    *more: str,
) -> Action:
    return Action(
        name,
        Effect.CHANGE,
        takes,
        gives | {"tries_left": COUNT},
        pin_outcomes() | set(more),
        takes_secret=True,
        run=run,
    )
