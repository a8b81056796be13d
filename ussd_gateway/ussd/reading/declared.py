"""The names of a pack: its declared vars, what its actions give, and `me.*`."""

import re
from collections.abc import Mapping
from dataclasses import replace

from ussd_gateway.domain import receipt
from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node
from ussd_gateway.ports import Action, VarType
from ussd_gateway.ussd import typed
from ussd_gateway.ussd.menu import ME
from ussd_gateway.ussd.reading.known import Var, Written
from ussd_gateway.ussd.reading.naming import check_name

text_length_max = 60
digits_length_max = 20

_TYPE = re.compile(r"([a-z]+)(?:\(([0-9]{1,2})(?:-([0-9]{1,2}))?\))?")
_SCALARS = ("msisdn", "money", "text", "digits", "id", "count", "bool", "date")
_LOCAL_DIGITS = 10


def read_vars(node: Node | None, faults: Faults, *, ours: str) -> dict[str, Var]:
    """`ours`: the currency of the books, which all amounts are in."""
    found = {}
    for key, value in fields.pairs(node, faults, where="vars"):
        if not check_name(key, faults):
            continue
        given = fields.mapping(
            value,
            faults,
            where=key.text,
            required=("type",),
            optional=("region", "currency", "fields"),
        )
        var = _var(key, given, faults, ours)
        if var is not None:
            found[key.text] = var
    return found


def _var(key: Leaf, given: Mapping[str, Node], faults: Faults, ours: str) -> Var | None:
    """None where the type itself is none; else a var of that type, whatever else is at fault,
    so that its uses are not told of as well."""
    text = fields.word(given.get("type"), faults, where=f"type of {key.text}")
    needs = {"msisdn": "region", "money": "currency", "record": "fields"}.get(text)
    for name in ("region", "currency", "fields"):
        if (name == needs) != (name in given):
            advice = f"give its `{name}`" if name == needs else f"`{name}` is not for a {text}"
            faults.add("E01", key.line, key.text, advice)

    match text:
        case "msisdn":
            region = _one_of(given.get("region"), sorted(typed.REGIONS), "region", faults)
            return Var(VarType("msisdn", _LOCAL_DIGITS), region=region)
        case "money":
            if "currency" in given:
                currency = _one_of(given["currency"], sorted(EXPONENTS), "currency", faults)
                if currency != ours:
                    advice = f"the books are kept in {ours}: all amounts are"
                    faults.add(
                        "E32", given["currency"].line, f"{key.text} in {currency}", advice
                    )
            return Var(VarType("money"), currency=ours)
        case "receipt":
            return Var(VarType("text", receipt.LENGTH), receipt=True)
        case "record":
            return Var(VarType("record", fields=_record(key, given.get("fields"), faults)))
        case _:
            kind = _scalar(given.get("type"), faults)
            return Var(kind) if kind else None


def _record(key: Leaf, node: Node | None, faults: Faults) -> dict[str, VarType]:
    found = {}
    for name, value in fields.pairs(node, faults, where=f"fields of {key.text}"):
        kind = _scalar(value, faults)
        if check_name(name, faults) and kind is not None:
            found[name.text] = kind
    return found


def _scalar(node: Node | None, faults: Faults) -> VarType | None:
    text = fields.word(node, faults, where="type")
    match = _TYPE.fullmatch(text)
    kind, first, second = match.groups() if match else ("", None, None)
    least = int(first or 0)
    most = int(second or least)
    match kind:
        case "text":
            fits = second is None and 0 < most <= text_length_max
            found = VarType("text", most)
        case "digits":
            fits = 0 < least <= most <= digits_length_max
            found = VarType("digits", most, least=least)
        case _:
            fits = kind in _SCALARS and first is None
            found = VarType(kind)
    if node is not None and text and not fits:
        types = ", ".join((*_SCALARS, "receipt"))
        advice = f"types are {types}; the length goes with two: text(20), digits(6-12)"
        faults.add("E01", node.line, f"type {text}", advice)
    return found if kind in _SCALARS else None


def _one_of(node: Node | None, known: list[str], where: str, faults: Faults) -> str:
    text = fields.word(node, faults, where=where)
    if text in known:
        return text
    if node is not None and text:
        faults.add("E01", node.line, f"{where} {text}", fields.nearest(text, known))
    return known[0]


def find_results(
    written: Mapping[str, Written], actions: Mapping[str, Action], faults: Faults
) -> dict[str, VarType]:
    """`result.*`: what the actions that this pack uses may give, each at its longest."""
    found: dict[str, VarType] = {}
    for state in written.values():
        pairs = state.node.pairs if isinstance(state.node, Branch) else ()
        for node in (value for key, value in pairs if key.text == "do"):
            action = actions.get(node.text) if isinstance(node, Leaf) else None
            for given, kind in action.gives.items() if action else ():
                name = f"result.{given}"
                same = found.setdefault(name, kind)
                if same.kind != kind.kind:
                    advice = f"another action of this pack gives it as a {same.kind}"
                    faults.add("E09", node.line, f"{name} of type {kind.kind}", advice)
                else:
                    length = max(kind.length, same.length)
                    count = max(kind.count, same.count)
                    found[name] = replace(same, length=length, count=count)
    return found


def all_names(
    declared: Mapping[str, Var], results: Mapping[str, VarType]
) -> dict[str, VarType]:
    names = {**ME, **results}
    for name, var in declared.items():
        if var.type.kind == "record":
            names |= {f"{name}.{each}": kind for each, kind in var.type.fields.items()}
        else:
            names[name] = var.type
    return names
