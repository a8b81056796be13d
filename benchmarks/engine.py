"""The pure step, over the whole journey of sending money: what a conversation itself costs."""

import time
from collections.abc import Callable

from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import Ground, noop_requests
from ussd_gateway import app
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, Profile
from ussd_gateway.settings import load
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, New, Screen, Typed
from ussd_gateway.ussd.menu import Program

rounds = 5
journeys = 3_000

AMINA = Profile(
    Msisdn("+254711000001"),
    registered=True,
    name="Amina Wafula",
    language="en",
    can_send=True,
    till="",
)
QUOTED = Answer(
    "ok",
    {
        "name": "Juma Otieno",
        "fee": Money(7_00, "KES"),
        "total": Money(507_00, "KES"),
        "payee": "2",
    },
)
SENT = Answer(
    "ok",
    {
        "receipt": "UDPLQ28DNK",
        "amount": Money(500_00, "KES"),
        "fee": Money(7_00, "KES"),
        "name": "Juma Otieno",
        "number": "+254711000002",
        "balance": Money(4_493_00, "KES"),
    },
)
EVENTS: tuple[Event, ...] = (
    New(),
    Typed("1"),
    Typed("0711000002"),
    Typed("500"),
    Answered(QUOTED),
    Typed("4826"),
    Answered(SENT),
)


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    program = _program(ground)
    _journey(program)
    step_us, per_s, noop_us = [], [], []
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        noop_us.append(ground.noop_load().cpu_s["server"] / noop_requests * 1e6)
        spent = _cpu_s_of_a_step(program)
        step_us.append(spent * 1e6)
        per_s.append(1 / spent)
    hop = Floor("no-op hop's CPU", noop_us)
    hops = Floor("no-op hops", [1e6 / each for each in noop_us])
    figures = [
        Figure("a step of the engine, CPU", step_us, "us", hop, at_most=0.1),
        Figure("steps per CPU-second", per_s, "/s", hops),
        Figure("a no-op hop, CPU", noop_us, "us", hop),
    ]
    return [Subject("Engine: the journey of sending money, pure", figures)]


def _cpu_s_of_a_step(program: Program) -> float:
    began = time.process_time()
    for _ in range(journeys):
        _journey(program)
    return (time.process_time() - began) / (journeys * len(EVENTS))


def _journey(program: Program) -> None:
    session, shown = engine.begin(program, AMINA), None
    for event in EVENTS:
        session, shown = engine.step(program, session, event)
    assert isinstance(shown, Screen)
    assert shown.text.startswith("UDPLQ28DNK Sent"), shown


def _program(ground: Ground) -> Program:
    """The customers' menu, as the gateway reads it. Nothing connects to anything."""
    return app.unbound_packs(load(ground.gateway_settings("engine")))["customer"]
