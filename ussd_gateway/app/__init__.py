"""Wiring: the one place that knows every room, and hands each what it needs.

Each entry point asks for the parts that it runs on; nothing is shared, cached or global, and
nothing connects before it is used.
"""

from ussd_gateway.app.chance import clock, random
from ussd_gateway.app.checking import check, check_files
from ussd_gateway.app.demo_cast import seed_demo
from ussd_gateway.app.files import Faulty, market, prices_at
from ussd_gateway.app.heap import freeze_heap
from ussd_gateway.app.logs import logged_aside, start_logging
from ussd_gateway.app.moving import (
    retire,
    roll_back,
    roll_out,
    rollout_for,
    start_action,
    stop_action,
    way_back,
)
from ussd_gateway.app.proposing import (
    Review,
    Trial,
    against_live,
    approve,
    propose,
    review,
    reviews,
)
from ussd_gateway.app.providers import sms_plan
from ussd_gateway.app.publishing import (
    Moved,
    NotPossible,
    publish,
    publish_first,
    publish_missing,
    unpublished,
)
from ussd_gateway.app.sending import sms_sender
from ussd_gateway.app.services import Carriers
from ussd_gateway.app.wiring import (
    Gateway,
    check_served,
    database,
    gateway,
    messages,
    outbox,
    overdue,
    packs,
    proposals,
    published,
    routes,
    staff,
    stops,
    unbound_actions,
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
    "Review",
    "Trial",
    "against_live",
    "approve",
    "check",
    "check_files",
    "check_served",
    "clock",
    "database",
    "freeze_heap",
    "gateway",
    "logged_aside",
    "market",
    "messages",
    "outbox",
    "overdue",
    "packs",
    "prices_at",
    "proposals",
    "propose",
    "publish",
    "publish_first",
    "publish_missing",
    "published",
    "random",
    "retire",
    "review",
    "reviews",
    "roll_back",
    "roll_out",
    "rollout_for",
    "routes",
    "seed_demo",
    "sms_plan",
    "sms_sender",
    "staff",
    "start_action",
    "start_logging",
    "stop_action",
    "stops",
    "unbound_actions",
    "unbound_packs",
    "unpublished",
    "upgrade",
    "versions",
    "way_back",
    "writer",
]
