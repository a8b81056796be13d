"""Wiring: the one place that knows every room, and hands each what it needs.

Each entry point asks for the parts that it runs on; nothing is shared, cached or global, and
nothing connects before it is used.
"""

from ussd_gateway.app.chance import clock, random
from ussd_gateway.app.demo_cast import seed_demo
from ussd_gateway.app.files import Faulty, market
from ussd_gateway.app.heap import freeze_heap
from ussd_gateway.app.logs import start_logging
from ussd_gateway.app.publishing import (
    Moved,
    NotPossible,
    publish,
    publish_missing,
    roll_back,
    unpublished,
)
from ussd_gateway.app.services import Carriers
from ussd_gateway.app.wiring import (
    Gateway,
    check,
    check_served,
    database,
    fulfilling,
    gateway,
    messages,
    outbox,
    packs,
    routes,
    sms_sender,
    unbound_packs,
    upgrade,
    versions,
    writer,
)

__all__ = [
    "Carriers",
    "Faulty",
    "Gateway",
    "Moved",
    "NotPossible",
    "check",
    "check_served",
    "clock",
    "database",
    "freeze_heap",
    "fulfilling",
    "gateway",
    "market",
    "messages",
    "outbox",
    "packs",
    "publish",
    "publish_missing",
    "random",
    "roll_back",
    "routes",
    "seed_demo",
    "sms_sender",
    "start_logging",
    "unbound_packs",
    "unpublished",
    "upgrade",
    "versions",
    "writer",
]
