"""Reads a pack of menus: a program, or every fault in the file.

Two stages, so that one slip is told once. The first reads the file as it stands: its shape,
names, texts, guards, targets, outcomes. Only when all that is right does the second (`lint`)
follow the paths through it: what can be reached, what is set there, how long each screen can
become.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ussd_gateway.domain.money import Money
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Branch, Node
from ussd_gateway.ports import Action, Route
from ussd_gateway.ussd import lint, pages
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.declared import all_names, find_results, read_vars
from ussd_gateway.ussd.reading.header import read_moves, read_nav, read_resume
from ussd_gateway.ussd.reading.known import Known, read_notices
from ussd_gateway.ussd.reading.languages import find_wide, read_languages
from ussd_gateway.ussd.reading.naming import check_name, pack_name
from ussd_gateway.ussd.reading.shortcuts import read_shortcuts
from ussd_gateway.ussd.reading.states import find_kinds, read_states
from ussd_gateway.ussd.render import screen_septets_max

SCHEMA = "1"
PROFILE = f"gsm7-{screen_septets_max}"

states_max = 1000
idle_s_max = 900
hops_max_max = 100

_HEADER = (
    "schema",
    "pack",
    "entry",
    "languages",
    "profile",
    "nav",
    "session",
    "notices",
    "states",
)


def load_pack(
    source: bytes,
    *,
    file: str,
    actions: Mapping[str, Action],
    money_max: Money,
    routes: Sequence[Route] = (),
) -> Program | list[Fault]:
    """The program in `source`, its warnings with it; or the faults that keep it from being one,
    warnings among them.

    `file` is the name that faults carry. `money_max` is the greatest amount that a screen has
    to show, by which its worst case is measured; what is typed beyond it is no amount. Every
    screen fits each of `routes`, and the profile of the pack.
    """
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write a pack")]

    program = _pack(root, source, faults, actions, money_max)
    if faults.errors:
        return faults.in_order
    needs = lint.check(program, actions, routes, faults)
    if faults.errors:
        return faults.in_order
    return replace(program, needs=needs, warnings=faults.warnings)


def _pack(
    root: Node,
    source: bytes,
    faults: Faults,
    actions: Mapping[str, Action],
    money_max: Money,
) -> Program:
    header = fields.mapping(
        root, faults, where="the pack", required=_HEADER, optional=("vars", "shortcuts", "map")
    )
    fields.expect(header.get("schema"), SCHEMA, faults, where="schema")
    fields.expect(header.get("profile"), PROFILE, faults, where="profile")
    languages = read_languages(header.get("languages"), faults)
    known = Known(
        languages=languages,
        wide=find_wide(root, languages, faults),
        money_max=money_max,
        actions=actions,
        vars=read_vars(header.get("vars"), faults, ours=money_max.currency),
        names={},
        states=_state_names(header.get("states"), faults),
        nav=read_nav(header.get("nav"), faults),
        faults=faults,
    )
    notices = read_notices(header.get("notices"), known, line=root.line)
    written = find_kinds(header.get("states"), known)
    known = known.knowing(all_names(known.vars, find_results(written, actions, faults)))
    entry = known.target(header.get("entry"), where="entry")
    session = _session(header.get("session"), faults)
    return Program(
        name=pack_name(header.get("pack"), faults),
        digest=hashlib.sha256(source).hexdigest()[:16],
        entry=entry,
        languages=known.languages,
        nav=known.nav,
        idle_s=fields.seconds(session.get("idle"), faults, where="idle", most=idle_s_max),
        hops_max=fields.count(
            session.get("max_hops"), faults, where="max_hops", least=1, most=hops_max_max
        ),
        resume_s=read_resume(session.get("resume"), faults),
        moves=read_moves(header.get("map"), known, written),
        names=known.names,
        needs={},
        notices=notices,
        above={each: pages.reason_septets(notices, each) for each in known.languages},
        shortcuts=read_shortcuts(header.get("shortcuts"), known),
        states=read_states(written, known, notices, entry=entry),
        money_max=money_max,
        warnings=(),
    )


def _session(node: Node | None, faults: Faults) -> Mapping[str, Node]:
    if node is None:
        return {}
    return fields.mapping(
        node, faults, where="session", required=("idle", "max_hops"), optional=("resume",)
    )


def _state_names(node: Node | None, faults: Faults) -> tuple[str, ...]:
    # `fields.pairs` tells of another shape when the states themselves are read.
    pairs = node.pairs if isinstance(node, Branch) else ()
    if len(pairs) > states_max:
        advice = f"a pack has at most {states_max}: make two packs of it"
        faults.add("E00", pairs[states_max][0].line, f"{len(pairs)} states", advice)
    for key, _ in pairs:
        check_name(key, faults)
    return tuple(key.text for key, _ in pairs)
