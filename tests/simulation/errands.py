"""What the people of the demo ask of services: each an errand with a key of its own, which they
repeat until they are answered or have had enough; and what it should have moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml

from ussd_gateway.app.demo_cast import PEOPLE
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, Call, Origin, Secret, SessionId, Value

TILL, BILLER, STORE = "500500", "600600", "100200"
CUSTOMERS = ("Amina Wafula", "Juma Otieno", "Grace Njoki")
ASSISTANT = "Wanjiru"
# Weights: money that moves between two people comes most often.
WEIGHTS = {
    "send_money": 8,
    "pay_bill": 2,
    "buy_goods": 3,
    "withdraw": 3,
    "deposit": 3,
    "airtime": 3,
    "balance": 1,
    "back.ask": 2,
    "back.give": 2,
    "back.keep": 1,
}
# Of these a look comes first, at the price or at what is asked; its answers go with it.
AGREED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "send_money": ("send_money.quote", {"fee": "fee", "payee": "payee"}),
    "pay_bill": ("pay_bill.quote", {"fee": "fee"}),
    "buy_goods": ("buy_goods.quote", {"fee": "fee"}),
    "withdraw": ("withdraw.quote", {"fee": "fee"}),
    "deposit": ("deposit.quote", {"customer": "customer", "store": "store"}),
    "airtime": ("airtime.quote", {}),
    "back.give": ("back.wanted", {"hold": "hold", "held": "amount", "payer": "name"}),
    "back.keep": ("back.wanted", {"hold": "hold"}),
}
# What is done without an amount of one's own.
_NO_AMOUNT = ("balance", "back.ask", "back.give", "back.keep")
within_s = 5.0
dearest = {"Amina Wafula": 2_000_00, "Juma Otieno": 400_00, "Grace Njoki": 20_000_00}
wrong_pins = 0.05

_CAST = yaml.load(PEOPLE.read_text("utf-8"), yaml.CSafeLoader)
_PEOPLE = {one["name"]: one for one in (*_CAST["customers"], *_CAST["assistants"])}
MSISDNS = {name: Msisdn(one["msisdn"]) for name, one in _PEOPLE.items()}


@dataclass(slots=True)
class Errand:
    """`tries` so far. `answer`: the first that was final; every later one is the same. `left`:
    nobody asks again."""

    key: str
    person: str
    action: str
    args: dict[str, Value]
    pin: str = field(repr=False)
    tries: int = 0
    answer: Answer | None = None
    left: bool = False
    agreed: bool = False  # its price was looked up
    refused: Answer | None = None  # when it was: the session ended there, and only says so

    def call(self, args: Mapping[str, Value]) -> Call:
        origin = Origin("africastalking", SessionId(self.key), MSISDNS[self.person])
        return Call(self.key, origin, args, Secret(self.pin), within_s)

    @property
    def open(self) -> bool:
        return self.answer is None and not self.left


def new_errand(random: Random, number: int, sent: Sequence[Errand]) -> Errand:
    """`sent`: what was sent before, and answered."""
    action = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if action == "back.ask" and not sent:
        action = "balance"
    person = ASSISTANT if action == "deposit" else random.choice(CUSTOMERS)
    args: dict[str, Value] = {}
    if action not in _NO_AMOUNT:
        args["amount"] = Money(_amount(random, dearest.get(person, 3_000_00)), "KES")
    if action == "back.ask":
        mistaken = random.choice(sent)
        person = mistaken.person
        assert mistaken.answer is not None, "it was answered"
        args["receipt"] = mistaken.answer.values["receipt"]
    elif action == "send_money":
        others = [one for one in (*CUSTOMERS, ASSISTANT) if one != person]
        args["to"] = str(MSISDNS[random.choice(others)])
    elif action == "pay_bill":
        args |= {"business": BILLER, "account": "12345678"}
    elif action == "buy_goods":
        args["business"] = TILL
    elif action == "withdraw":
        args["till"] = STORE
    elif action == "deposit":
        args["customer_number"] = str(MSISDNS[random.choice(CUSTOMERS)])
    right = _PEOPLE[person]["pin"]
    pin = "1111" if random.random() < wrong_pins else right
    return Errand(f"visit{number}:{action}:4", person, action, args, pin)


def moved(action: str, person: str, args: Mapping[str, Any]) -> dict[str, int]:
    """What a yes to it adds to accounts, by their public reference. What a business is left
    with of a bill is its tariff's affair: it is not here."""
    if action in ("balance", "back.ask", "back.keep"):
        return {}
    if action == "back.give":
        held = args["held"].minor
        return {str(MSISDNS[person]): -held, str(MSISDNS[args["payer"]]): held}
    own, minor = str(MSISDNS[person]), args["amount"].minor
    fee = args["fee"].minor if "fee" in args else 0
    match action:
        case "send_money":
            return {own: -minor - fee, args["to"]: minor}
        case "pay_bill":
            return {own: -minor - fee}
        case "buy_goods":
            return {own: -minor - fee, TILL: minor}
        case "withdraw":
            return {own: -minor - fee, STORE: minor}
        case "deposit":
            return {STORE: -minor, args["customer_number"]: minor}
        case _:
            return {own: -minor}


def _amount(random: Random, most: int) -> int:
    """Mostly small, now and then more than there is, sometimes with cents."""
    minor = int(most ** random.uniform(0.5, 1.0))
    return minor if random.random() < 0.2 else max(100, minor // 100 * 100)
