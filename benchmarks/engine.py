"""The pure step: what a conversation itself costs.

Two journeys of the shipped pack, walked in turn, and each by the next of several versions, as
sessions that are pinned to theirs are: money is sent; and one of twenty offers is bought, after
the pages of the list were turned back and forth. Every menu on the way has guards.
"""

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

SEPTETS_MAX = 160
rounds = 5
journeys = 2_000
versions = 10

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
SEND: tuple[Event, ...] = (
    New(),
    Typed("1"),
    Typed("0711000002"),
    Typed("500"),
    Answered(QUOTED),
    Typed("4826"),
    Answered(SENT),
)
OFFERED = Answer(
    "ok",
    {},
    tuple(
        {"item": f"item-{each}", "name": f"Article {each}", "price": Money(20_00, "KES")}
        for each in range(1, 21)
    ),
)
PRICED = Answer(
    "ok", {"name": "Article 9", "merchant": "Tamu Content", "price": Money(20_00, "KES")}
)
BOUGHT = Answer(
    "ok", {"receipt": "UDPLQ28DNK", "amount": Money(20_00, "KES"), "name": "Article 9"}
)
CHOOSE: tuple[Event, ...] = (
    New(),
    Typed("3"),
    Typed("3"),
    Answered(OFFERED),
    Typed("98"),
    Typed("98"),
    Typed("97"),
    Typed("9"),
    Answered(PRICED),
    Typed("4826"),
    Answered(BOUGHT),
)
JOURNEYS = (SEND, CHOOSE)


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    programs = _programs(ground)
    for journey in JOURNEYS:
        _walk(programs[0], journey)
    step_us, per_s, noop_us = [], [], []
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        noop_us.append(ground.noop_load().cpu_s["server"] / noop_requests * 1e6)
        spent = _cpu_s_of_a_step(programs)
        step_us.append(spent * 1e6)
        per_s.append(1 / spent)
    hop = Floor("no-op hop's CPU", noop_us)
    hops = Floor("no-op hops", [1e6 / each for each in noop_us])
    figures = [
        Figure("a step of the engine, CPU", step_us, "us", hop, at_most=0.1),
        Figure("steps per CPU-second", per_s, "/s", hops),
        Figure("a no-op hop, CPU", noop_us, "us", hop),
    ]
    return [Subject("Engine: two journeys, pinned to versions, pure", figures)]


def _cpu_s_of_a_step(programs: list[Program]) -> float:
    by_digest = {program.digest: program for program in programs}
    pinned = [program.digest for program in programs]
    began = time.process_time()
    for number in range(journeys):
        program = by_digest[pinned[number % versions]]
        for journey in JOURNEYS:
            _walk(program, journey)
    return (time.process_time() - began) / (journeys * sum(map(len, JOURNEYS)))


def _walk(program: Program, journey: tuple[Event, ...]) -> None:
    session, shown = engine.begin(program, AMINA), None
    for event in journey:
        session, shown = engine.step(program, session, event, SEPTETS_MAX)
    assert isinstance(shown, Screen)
    assert shown.text.startswith("UDPLQ28DNK "), shown


def _programs(ground: Ground) -> list[Program]:
    """Versions of the customers' menu, as the gateway reads it. Nothing connects to
    anything."""
    settings = load(ground.gateway_settings("engine"))
    read = app.wiring.pack_loader(settings, app.unbound_actions(settings))
    source = (settings.menus_dir / "customer.yaml").read_bytes()
    found = [read(source + b"# %d\n" % number, "customer") for number in range(versions)]
    return [each for each in found if isinstance(each, Program)]
