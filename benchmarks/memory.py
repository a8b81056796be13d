"""What each process of a running demo holds, after some payments and their SMS."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks import machine, people
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import PATH, Ground
from benchmarks.load import Load

payments = 200
# For the relay and the worker to send what the payments left.
settle_s = 4.0


@dataclass(frozen=True, slots=True)
class Held:
    """A process, by the name of its program, and its memory in MB."""

    name: str
    rss: float
    pss: float


def measure(ground: Ground, say: Callable[[str], None]) -> list[Subject]:
    say("the demo")
    environ = ground.gateway_settings("demo")
    demo = ground.server("demo", ("ussd_gateway", "demo"), int(environ["PORT"]), environ)
    ground.load(demo, Load(demo.port, PATH, _payments(), [*people.REPLIES[:-1], "END "]), {})
    ground.noop_load()
    time.sleep(settle_s)

    bare = _held(machine.tree(ground.noop.pid)[-1], "")
    floor = Floor("no-op worker's", [bare.pss])
    figures = [Figure("no-op worker: PSS", [bare.pss], "MB", floor)]
    every = _processes(demo.pid)
    for each in every:
        figures += [Figure(f"{each.name}: PSS", [each.pss], "MB", floor)]
    notes = [f"{each.name}: RSS {each.rss:.0f} MB" for each in every]
    total = sum(each.pss for each in every)
    figures.append(Figure("all of it: PSS", [total], "MB", floor))
    return [Subject("Memory of the running demo", figures, notes)]


def _processes(root: int) -> list[Held]:
    """Of the demo's processes; one that a server forked is named after it."""
    names: dict[int, str] = {os.getpid(): ""}
    held = []
    for pid in machine.tree(root):
        own = _program(machine.command(pid))
        parent = names.get(machine.parent(pid), "")
        names[pid] = own or f"{parent}'s child"
        held.append(_held(pid, names[pid]))
    return held


def _program(command: list[str]) -> str | None:
    if "ussd_gateway" in command:
        return command[command.index("ussd_gateway") + 1]
    return "valkey" if command[0].partition(" ")[0].endswith("valkey-server") else None


def _held(pid: int, name: str) -> Held:
    rss, pss = machine.memory_mb(pid)
    return Held(name, rss, pss)


def _payments() -> list[list[str]]:
    """Of the demo cast: Amina sends Juma what costs no fee."""
    typed = ("1", "0711000002", "10", "4826")
    common = {"phoneNumber": "+254711000001", "networkCode": "63902", "serviceCode": "*384#"}
    return [
        [
            urlencode({**common, "sessionId": f"m{n}", "text": "*".join(typed[:hop])})
            for hop in range(len(people.HOPS))
        ]
        for n in range(payments)
    ]
