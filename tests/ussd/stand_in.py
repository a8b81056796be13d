"""A stand-in for the services behind the shipped menus, and the two people who use them here.

It answers as the services do: every command is done once for its key, and what was answered to
a session's last secret is in its books.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

from ussd_gateway.app.wiring import unbound_actions
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    Action,
    Answer,
    Call,
    Origin,
    Profile,
    Route,
    Scalar,
    Settled,
)
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.loader import load_pack
from ussd_gateway.ussd.routes import Routes

MENUS = Path(__file__).parents[2] / "menus"
MONEY_MAX = Money(50_000_000, "KES")


def customer(msisdn: str, name: str, language: str) -> Profile:
    return Profile(
        Msisdn(msisdn), registered=True, name=name, language=language, can_send=True, till=""
    )


def stranger(msisdn: Msisdn) -> Profile:
    return Profile(msisdn, registered=False, name="", language=None, can_send=False, till="")


AMINA = customer("+254711000001", "Amina Wafula", "en")
JUMA = customer("+254711000002", "Juma Otieno", "sw")
NOBODY = stranger(Msisdn("+254711000009"))


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


# The actions as they are, which are only run where a test says by what.
DECLARED = unbound_actions(Settings(menus_dir=MENUS))


def declared(runs: Mapping[str, Callable[[Call], Answer]]) -> Mapping[str, Action]:
    """All of them, and what some are run by."""
    return {
        name: replace(action, run=runs.get(name, _nothing)) for name, action in DECLARED.items()
    }


def _nothing(_call: Call) -> Answer:
    raise AssertionError("no action runs here")


def shipped_pack() -> Program:
    source = (MENUS / "customer.yaml").read_bytes()
    program = load_pack(source, file="customer.yaml", actions=DECLARED, money_max=MONEY_MAX)
    assert isinstance(program, Program), "\n".join(map(str, program))
    return program


# Every input so far comes with each callback; or only the newest.
AT = Route("at", accumulates=True, answer_within_s=15, septets_max=160, forbids=frozenset())
LATEST = replace(AT, name="latest", accumulates=False)
ROUTES = Routes(
    service_codes={"*384#": "customer", "*385#": "agent"},
    not_served={
        "en": "This code is not in service. Nothing was charged.",
        "sw": "Namba hii haitumiki. Hukutozwa.",
    },
    by_name={"at": AT, "latest": LATEST},
)


def quoted(shillings: int) -> dict[str, Scalar]:
    return {
        "name": JUMA.name,
        "fee": kes(7),
        "total": kes(shillings + 7),
        "payee": "2",
        "tariff": "KE-2023-07",
    }


def sent(shillings: int, *, receipt: str = "9XK4M7Q2RT", balance: int = 4493) -> Answer:
    values: dict[str, Scalar] = {
        "receipt": receipt,
        "amount": kes(shillings),
        "fee": kes(7),
        "name": JUMA.name,
        "number": JUMA.msisdn,
        "balance": kes(balance),
    }
    return Answer("ok", values)


class Bank:
    """Profiles, the books (Truth) and the actions, for the tests of whole turns."""

    def __init__(self, *, pin: str = "4826", balance: int = 5000) -> None:
        self._pin = pin
        self.balance = balance
        self.tries_left = 3
        self.outcome: str | None = None  # what the next payment is answered, whatever the PIN
        self.calls: list[Call] = []
        self.sends = 0
        self.before_send: Callable[[], None] = lambda: None
        self.actions = declared(
            {
                "send_money.quote": self._quote,
                "send_money": self._send,
                "balance": self._balance,
            }
        )
        self._known: dict[str, Answer] = {}
        self._settled: dict[Origin, Settled] = {}
        self._receipts = count(1)
        self._lock = threading.Lock()

    def profile(self, msisdn: Msisdn) -> Profile:
        people = {person.msisdn: person for person in (AMINA, JUMA)}
        return people.get(msisdn) or stranger(msisdn)

    def settled(self, origin: Origin) -> Settled | None:
        return self._settled.get(origin)

    def _quote(self, call: Call) -> Answer:
        self.calls.append(call)
        amount = call.args["amount"]
        assert isinstance(amount, Money)
        if call.args["to"] != JUMA.msisdn:
            return Answer("unknown_payee", {})
        return Answer("ok", quoted(amount.minor // 100))

    def _send(self, call: Call) -> Answer:
        self.calls.append(call)
        self.before_send()
        with self._lock:
            if call.key not in self._known:
                self._known[call.key] = self._decide(call)
            answer = self._known[call.key]
            self._settled[call.origin] = _settled(call, answer)
        return answer

    def _decide(self, call: Call) -> Answer:
        self.sends += 1
        amount = call.args["amount"]
        assert isinstance(amount, Money)
        assert call.secret is not None
        if self.outcome is not None:
            return Answer(self.outcome, {})
        if call.secret.reveal() != self._pin:
            self.tries_left -= 1
            return Answer("wrong_pin", {"tries_left": self.tries_left})
        shillings = amount.minor // 100
        self.balance -= shillings + 7
        receipt = f"RECEIPT{next(self._receipts):03}"
        return sent(shillings, receipt=receipt, balance=self.balance)

    def _balance(self, call: Call) -> Answer:
        self.calls.append(call)
        answer = Answer("ok", {"balance": kes(self.balance), "at": "2026-11-21 10:00"})
        self._settled[call.origin] = _settled(call, answer)
        return answer


def _settled(call: Call, answer: Answer) -> Settled:
    _, state, hop = call.key.split(":")
    return Settled(state, int(hop), answer)


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 6, 5, tzinfo=UTC)


class Counted:
    """Chance that is the same in every run."""

    def __init__(self) -> None:
        self._next = count(1)

    def uuid7(self) -> UUID:
        return UUID(int=next(self._next) | 0x7 << 76 | 0x2 << 62)

    def octets(self, count: int) -> bytes:
        return next(self._next).to_bytes(count, "big")
