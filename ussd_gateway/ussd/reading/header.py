"""What stands above the states of a pack: its keys, its session, what takes whose place."""

import re
from collections.abc import Mapping
from dataclasses import asdict

from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ussd.menu import Nav
from ussd_gateway.ussd.reading.known import Known, Written
from ussd_gateway.ussd.reading.naming import check_name

resume_s_max = 3600

USUAL = Nav(back="0", home="00", more="98", prev="97")
KEY = re.compile(r"[0-9]{1,2}")


def read_nav(node: Node | None, faults: Faults) -> Nav:
    keys: dict[str, str] = asdict(USUAL)
    if node is None:
        return USUAL
    found = fields.mapping(
        node, faults, where="nav", required=("back", "home"), optional=("more", "prev")
    )
    for name, value in found.items():
        keys[name] = fields.word(value, faults, where=name) or keys[name]
        if not KEY.fullmatch(keys[name]):
            advice = "keys are of one or two digits"
            faults.add("E13", value.line, f"{name}: {keys[name]}", advice)
    for key in sorted(set(keys.values())):
        same = [name for name, each in keys.items() if each == key]
        if len(same) > 1:
            advice = f"{' and '.join(same)} need a key each"
            faults.add("E13", node.line, f"nav: {key} twice", advice)
    return Nav(**keys)


def read_resume(node: Node | None, faults: Faults) -> int:
    """Seconds; 0 where sessions are not gone on with."""
    if node is None:
        return 0
    found = fields.mapping(node, faults, where="resume", required=("window", "mode"))
    fields.expect(found.get("mode"), "ask", faults, where="mode")
    return fields.seconds(found.get("window"), faults, where="window", most=resume_s_max)


def read_moves(
    node: Node | None, known: Known, written: Mapping[str, Written]
) -> Mapping[str, str]:
    """States of versions before, to those that take their place."""
    moves = {}
    for key, value in fields.pairs(node, known.faults, where="map"):
        check_name(key, known.faults)
        target = known.target(value, where=f"map of {key.text}")
        kind = written[target].kind if target in written else ""
        if kind in ("secret", "end", "decide"):
            advice = f"{target} is of kind {kind}: lead it to a screen or a call before that"
            known.faults.add("E04", value.line, f"map of {key.text}", advice)
        moves[key.text] = target
    return moves
