"""Wiring: the one place that knows every room, and hands each what it needs.

Each entry point asks for the parts that it runs on; nothing is shared, cached or global, and
nothing connects before it is used.
"""

from ussd_gateway.app.chance import clock, random
from ussd_gateway.app.demo_cast import seed_demo
from ussd_gateway.app.heap import freeze_heap
from ussd_gateway.app.logs import start_logging
from ussd_gateway.app.wiring import (
    Faulty,
    Gateway,
    actions,
    check,
    database,
    gateway,
    market,
    messages,
    outbox,
    packs,
    routes,
    sms_sender,
    unbound_packs,
    upgrade,
    writer,
)

__all__ = [
    "Faulty",
    "Gateway",
    "actions",
    "check",
    "clock",
    "database",
    "freeze_heap",
    "gateway",
    "market",
    "messages",
    "outbox",
    "packs",
    "random",
    "routes",
    "seed_demo",
    "sms_sender",
    "start_logging",
    "unbound_packs",
    "upgrade",
    "writer",
]
