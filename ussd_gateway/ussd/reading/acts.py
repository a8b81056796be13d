"""Reads what a state does: the action, its arguments, where its outcomes lead.

do: send_money.quote
with: {to: to, language: "'fr'"}    the action's parameter: our name, or a text in quotes
within: 3s
outcomes: {ok: send_pin, ...}       every one that the action declares
"""

import re
from collections.abc import Mapping

from ussd_gateway.files import fields
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node
from ussd_gateway.ports import TIMEOUT, UNKNOWN, Action, Effect, VarType
from ussd_gateway.ussd import render
from ussd_gateway.ussd.menu import EMPTY, Act, Again, Taken, Target
from ussd_gateway.ussd.reading.known import Known, Written

# An action that has not answered by then ends in `timeout`: a whole hop, with several of them,
# must end before the lease on its session does.
within_s_max = 6

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def read_act(state: Written, found: Mapping[str, Node], known: Known) -> Act:
    """What a state does."""
    action = _action(found.get("do"), known)
    within_s = fields.seconds(found.get("within"), known.faults, where="within", most=999)
    if within_s > within_s_max:
        advice = f"the phone waits; at most {within_s_max}s"
        known.faults.add("E22", found["within"].line, f"within: {within_s}s", advice)
    outcomes = _outcomes(state, found.get("outcomes"), known)
    args, fixed = _args(state, found.get("with"), action, known)
    if action is None:
        name = fields.word(found.get("do"), known.faults, where="do")
        if name:
            advice = f"no such action; {fields.nearest(name, tuple(known.actions))}"
            known.faults.add("E09", found["do"].line, name, advice)
        return Act(state.line, name, Effect.READ, args, fixed, within_s, outcomes)

    _check_outcomes(state, action, outcomes, found.get("outcomes"), known)
    _check_secret(state, action, known, line=found["do"].line)
    return Act(state.line, action.name, action.effect, args, fixed, within_s, outcomes)


def results(do: Node | None, known: Known) -> tuple[Taken, ...]:
    """Each value that the action gives, as `result.*`."""
    action = _action(do, known)
    gives = action.gives if action else {}
    return tuple(
        Taken(name, f"result.{name}", render.fitter(kind)) for name, kind in gives.items()
    )


def saved(save: str, node: Node, do: Node | None, known: Known) -> tuple[Taken, ...]:
    """Each field of the record, from the value of the same name and type."""
    var = known.vars.get(save)
    if var is None or var.type.kind != "record":
        known.faults.add("E20", node.line, save, "save into a record declared under `vars`")
        return ()

    action = _action(do, known)
    taken = []
    for name, kind in var.type.fields.items():
        given = action.gives.get(name) if action else None
        if action and (given is None or given.kind != kind.kind):
            advice = f"{action.name} gives {listed(action.gives)}"
            known.faults.add("E20", node.line, f"{save}.{name} of type {kind.kind}", advice)
        taken.append(Taken(name, f"{save}.{name}", render.fitter(kind)))
    return tuple(taken)


def _action(node: Node | None, known: Known) -> Action | None:
    return known.actions.get(node.text) if isinstance(node, Leaf) else None


def _args(
    state: Written, node: Node | None, action: Action | None, known: Known
) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """The arguments that have our names, and those that are fixed texts."""
    args, fixed = [], {}
    takes = dict(action.takes) if action else {}
    for key, value in fields.pairs(node, known.faults, where=f"with of {state.name}"):
        written = fields.word(value, known.faults, where=f"with {key.text}")
        wanted = takes.pop(key.text, None)
        quoted = _QUOTED.fullmatch(written)
        given = VarType("text", len(quoted[0]) - 2) if quoted else known.names.get(written)
        if written and given is None:
            advice = "name a declared var, me.* or result.*, or quote a text: \"'fr'\""
            known.faults.add("E09", value.line, written, advice)
        elif action and wanted is None:
            advice = f"{action.name} takes {listed(action.takes)}"
            known.faults.add("E09", key.line, key.text, advice)
        elif wanted and given and wanted.kind != given.kind:
            found = f"{written} is of type {given.kind}"
            known.faults.add("E09", value.line, found, f"{key.text} takes a {wanted.kind}")
        elif quoted and wanted and given and 0 < wanted.length < given.length:
            advice = f"{key.text} takes at most {wanted.length} characters"
            known.faults.add("E09", value.line, written, advice)
        if quoted:
            fixed[key.text] = quoted[1] or quoted[2] or ""
        else:
            args.append((key.text, written))
    for missing in takes:
        line = node.line if node else state.line
        known.faults.add("E09", line, f"with of {state.name}", f"give `{missing}` too")
    return tuple(args), fixed


def _outcomes(state: Written, node: Node | None, known: Known) -> dict[str, Target]:
    outcomes: dict[str, Target] = {}
    for key, value in fields.pairs(node, known.faults, where=f"outcomes of {state.name}"):
        if isinstance(value, Branch):
            found = fields.mapping(value, known.faults, where=key.text, required=("again",))
            note = known.text(found.get("again"), where=f"again of {key.text}", line=value.line)
            outcomes[key.text] = Again(note)
            if state.kind != "secret":
                advice = "only a `secret` can be asked again; name a state"
                known.faults.add("E04", value.line, key.text, advice)
        else:
            outcomes[key.text] = known.target(value, where=key.text)
    return outcomes


def _check_outcomes(
    state: Written,
    action: Action,
    outcomes: Mapping[str, Target],
    node: Node | None,
    known: Known,
) -> None:
    line = node.line if node else state.line
    pairs = node.pairs if isinstance(node, Branch) else ()
    lines = {key.text: key.line for key, _ in pairs}
    needed = {TIMEOUT} | ({UNKNOWN} if action.effect is Effect.MONEY else set())
    expected = action.outcomes | needed
    if state.kind == "list":
        # `ok` with rows is the list itself.
        expected = (expected - {"ok"}) | {EMPTY}
    for name in sorted(expected - outcomes.keys()):
        code = "E17" if name in needed else "E16"
        known.faults.add(code, line, f"{state.name}: outcome {name}", "say where it leads")
    for name in sorted(outcomes.keys() - expected):
        advice = f"{action.name} has no such outcome; remove it"
        known.faults.add("E16", lines[name], f"{state.name}: outcome {name}", advice)
    # What may have moved is never tried again under a new key.
    if isinstance(outcomes.get(UNKNOWN), Again):
        advice = "lead it to an `end`"
        known.faults.add("E17", lines[UNKNOWN], f"{state.name}: unknown again", advice)


def _check_secret(state: Written, action: Action, known: Known, *, line: int) -> None:
    secret = state.kind == "secret"
    if secret and not action.takes_secret:
        advice = "it takes no secret; do it in a `call`"
        known.faults.add("E18", line, f"{state.name}: {action.name}", advice)
    if not secret and (action.takes_secret or action.effect is Effect.MONEY):
        advice = "money moves on a PIN; do it in a `secret`"
        known.faults.add("E18", line, f"{state.name}: {action.name}", advice)


def listed(kinds: Mapping[str, VarType]) -> str:
    return ", ".join(f"{name} ({kind.kind})" for name, kind in kinds.items()) or "nothing"
