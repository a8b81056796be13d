"""Reads a `list` state: rows of a read action, one of which is chosen.

do: content.offered                 an action that gives rows
row: {en: "{row.name} {row.price|money}", ...}
into: content                       a record, its fields out of the row that is chosen
outcomes: {empty: nothing, timeout: busy}    all of the action's but ok; and `empty`: no rows
single: choose                      one row is chosen by itself; else it is shown
"""

from ussd_gateway.files import fields
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ports import Action, Effect, VarType
from ussd_gateway.ussd import render
from ussd_gateway.ussd.menu import List, Taken
from ussd_gateway.ussd.reading import acts
from ussd_gateway.ussd.reading.known import Known, Written

# Their numbers stay below the keys that turn pages.
rows_max = 50


def read_list(state: Written, known: Known) -> List:
    found = fields.mapping(
        state.node,
        known.faults,
        where=state.name,
        required=("text", "do", "within", "row", "into", "go", "outcomes"),
        optional=("with", "single", "nav"),
    )
    act = acts.read_act(state, found, known)
    action = known.actions.get(act.action)
    if action is not None and (action.effect is not Effect.READ or not action.rows):
        advice = "a list needs an action that only reads, and gives rows"
        known.faults.add("E24", found["do"].line, f"{state.name}: {action.name}", advice)
    nav = fields.switch(found.get("nav"), known.faults, where="nav", default=True)
    numbers = min(action.rows_max, rows_max) if action else rows_max
    _refuse_nav_printed(state, numbers, known, nav=nav)
    into = fields.word(found.get("into"), known.faults, where="into")
    record = _record(into, found.get("into"), action, known)
    labels = known.knowing(
        {**known.names, **{f"row.{name}": kind for name, kind in record.items()}}
    )
    return List(
        line=state.line,
        text=known.text(found.get("text"), where=f"text of {state.name}", line=state.line),
        act=act,
        row=labels.text(found.get("row"), where=f"row of {state.name}", line=state.line),
        fields=tuple(
            Taken(name, f"row.{name}", render.fitter(kind)) for name, kind in record.items()
        ),
        into=into,
        rows_max=numbers,
        chooses_one=_single(found.get("single"), known),
        go=known.target(found.get("go"), where="go"),
        nav=nav,
    )


def _refuse_nav_printed(state: Written, numbers: int, known: Known, *, nav: bool) -> None:
    """E13: a number that is printed before a row may be a key that leads elsewhere."""
    leads = (known.nav.back, known.nav.home) if nav else ()
    printed = {str(number) for number in range(1, numbers + 1)}
    for key in sorted(printed.intersection((known.nav.more, known.nav.prev, *leads))):
        advice = f"it has up to {numbers} rows: choose greater keys under `nav`"
        known.faults.add("E13", state.line, f"row {key} of {state.name}", advice)


def _record(
    into: str, node: Node | None, action: Action | None, known: Known
) -> dict[str, VarType]:
    """The fields of the record `into`, each of which the rows have (E20)."""
    var = known.vars.get(into)
    line = node.line if node else 0
    if var is None or var.type.kind != "record":
        if into:
            advice = "choose into a record declared under `vars`"
            known.faults.add("E20", line, into, advice)
        return {}
    for name, kind in var.type.fields.items():
        given = action.rows.get(name) if action else None
        if action and action.rows and (given is None or given.kind != kind.kind):
            advice = f"the rows of {action.name} have {acts.listed(action.rows)}"
            known.faults.add("E20", line, f"{into}.{name} of type {kind.kind}", advice)
    return dict(var.type.fields)


def _single(node: Node | None, known: Known) -> bool:
    if node is not None:
        fields.expect(node, "choose", known.faults, where="single")
    return node is not None
