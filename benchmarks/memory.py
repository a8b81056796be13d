"""What each process of a running demo holds, after some payments and their SMS."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks import machine
from benchmarks.figures import Figure, Floor, Subject
from benchmarks.ground import PATH, Ground
from benchmarks.load import Load
from ussd_gateway.embedded.processes import kill_group

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
    ground.load(demo, Load(demo.port, PATH, _payments(), ["CON ", "END "]), {})
    time.sleep(settle_s)

    bare = _bare_python()
    held = [bare, *_processes(demo.pid)]
    rss, pss = Floor("bare Python's RSS", [bare.rss]), Floor("bare Python's PSS", [bare.pss])
    figures = [
        figure
        for each in held
        for figure in (
            Figure(f"{each.name}: RSS", [each.rss], "MB", rss),
            Figure(f"{each.name}: PSS", [each.pss], "MB", pss),
        )
    ]
    total = sum(each.pss for each in held[1:])
    figures.append(Figure("the demo, all of it: PSS", [total], "MB", pss))
    return [Subject("Memory of the running demo, after some payments", figures)]


def _bare_python() -> Held:
    """An interpreter that has loaded nothing of ours."""
    waiting = "import signal; print(flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-c", waiting], stdout=subprocess.PIPE, process_group=0
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        return _held(process.pid, "bare Python")
    finally:
        kill_group(process)


def _processes(root: int) -> list[Held]:
    """Of the demo's processes; one that a program forked is named after it."""
    names: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for pid in machine.tree(root):
        above = names.get(machine.parent(pid), "")
        name = _program(machine.command(pid)) or above
        if name == above:
            counts[name] += 1
            names[pid] = f"{name}, child {counts[name]}"
        else:
            names[pid] = name
    return [_held(pid, name) for pid, name in names.items()]


def _program(command: list[str]) -> str | None:
    """A fork has the command of the program that it came from."""
    if "ussd_gateway" in command:
        return command[command.index("ussd_gateway") + 1]
    return "valkey" if command[0].partition(" ")[0].endswith("valkey-server") else None


def _held(pid: int, name: str) -> Held:
    rss, pss = machine.memory_mb(pid)
    return Held(name, rss, pss)


def _payments() -> list[list[str]]:
    """Of the demo cast: Amina sends Juma what costs no fee. It is dialled: her phone has many
    sessions open at once, and would be asked whether to go on."""
    dialled = "1*0711000002*10"
    common = {"phoneNumber": "+254711000001", "networkCode": "63902", "serviceCode": "*384#"}
    return [
        [
            urlencode({**common, "sessionId": f"m{n}", "text": text})
            for text in (dialled, f"{dialled}*4826")
        ]
        for n in range(payments)
    ]
