"""Reads a pack of menus: a program, or every fault in the file.

Two stages, so that one slip is told once. The first reads the file as it stands: its shape,
names, texts, guards, targets, outcomes. Only when all that is right does the second (`lint`)
follow the paths through it: what can be reached, what is set there, how long each screen can
become.
"""

import hashlib
import keyword
import re
from collections.abc import Mapping
from dataclasses import replace

from ussd_gateway.domain.money import EXPONENTS, Money
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node
from ussd_gateway.ports import Action, VarType
from ussd_gateway.ussd import lint, typed
from ussd_gateway.ussd.menu import ME, Capture, Nav, Program, Shortcut
from ussd_gateway.ussd.reading.known import Known, Var, Written, read_notices
from ussd_gateway.ussd.reading.states import find_kinds, read_states
from ussd_gateway.ussd.render import SECRETS, screen_septets_max

SCHEMA = "1"
PROFILE = f"gsm7-{screen_septets_max}"

idle_s_max = 900
hops_max_max = 100
text_length_max = 60
digits_length_max = 20

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_TYPE = re.compile(r"([a-z]+)(?:\(([0-9]{1,2})(?:-([0-9]{1,2}))?\))?")
_SCALARS = ("msisdn", "money", "text", "digits", "id", "count", "bool")
_LOCAL_DIGITS = 10
_RESERVED = SECRETS | {"me", "result", "again", "end"}

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
    source: bytes, *, file: str, actions: Mapping[str, Action], money_max: Money
) -> Program | list[Fault]:
    """The program in `source`, its warnings with it; or the faults that keep it from being one.

    `file` is the name that faults carry. `money_max` is the greatest amount that a screen has
    to show, by which its worst case is measured; what is typed beyond it is no amount.
    """
    faults = Faults(file)
    root = strict_yaml.read(source, faults)
    if root is None:
        return faults.errors or [Fault("E00", file, 1, "an empty file", "write a pack")]

    program = _pack(root, source, faults, actions, money_max)
    if not faults.errors:
        lint.check(program, actions, faults)
    return faults.errors or replace(program, warnings=faults.warnings)


def _pack(
    root: Node,
    source: bytes,
    faults: Faults,
    actions: Mapping[str, Action],
    money_max: Money,
) -> Program:
    header = fields.mapping(
        root, faults, where="the pack", required=_HEADER, optional=("vars", "shortcuts")
    )
    fields.expect(header.get("schema"), SCHEMA, faults, where="schema")
    fields.expect(header.get("profile"), PROFILE, faults, where="profile")
    declared = _vars(header.get("vars"), faults)
    known = Known(
        languages=_languages(header.get("languages"), faults),
        money_max=money_max,
        actions=actions,
        vars=declared,
        names={},
        states=_state_names(header.get("states"), faults),
        nav=_nav(header.get("nav"), faults),
        faults=faults,
    )
    notices = read_notices(header.get("notices"), known, line=root.line)
    written = find_kinds(header.get("states"), known)
    known = known.knowing(_names(declared, _results(written, actions, faults)))
    entry = known.target(header.get("entry"), where="entry")
    session = fields.mapping(
        header.get("session", root),
        faults,
        where="session",
        required=("idle", "max_hops"),
    )
    return Program(
        name=fields.word(header.get("pack"), faults, where="pack"),
        digest=hashlib.sha256(source).hexdigest()[:16],
        entry=entry,
        languages=known.languages,
        nav=known.nav,
        idle_s=fields.seconds(session.get("idle"), faults, where="idle", most=idle_s_max),
        hops_max=fields.count(
            session.get("max_hops"), faults, where="max_hops", least=1, most=hops_max_max
        ),
        notices=notices,
        shortcuts=_shortcuts(header.get("shortcuts"), known),
        states=read_states(written, known, notices, entry=entry),
        money_max=money_max,
        warnings=(),
    )


def _languages(node: Node | None, faults: Faults) -> tuple[str, ...]:
    found: list[str] = []
    for item in fields.items(node, faults, where="languages"):
        code = fields.word(item, faults, where="languages")
        if code and (not _LANGUAGE.fullmatch(code) or code in found):
            faults.add("E01", item.line, f"language {code}", "list two-letter codes, each once")
        else:
            found.append(code)
    if node is not None and not found:
        faults.add("E01", node.line, "languages", "name at least one")
    return tuple(found)


def _nav(node: Node | None, faults: Faults) -> Nav:
    default = Nav(back="0", home="00")
    if node is None:
        return default
    found = fields.mapping(node, faults, where="nav", required=("back", "home"))
    back = fields.word(found.get("back"), faults, where="back")
    home = fields.word(found.get("home"), faults, where="home")
    if back and back == home:
        faults.add("E13", node.line, f"nav: {back} twice", "back and home need a key each")
    return Nav(back or default.back, home or default.home)


def _state_names(node: Node | None, faults: Faults) -> tuple[str, ...]:
    # `fields.pairs` tells of another shape when the states themselves are read.
    pairs = node.pairs if isinstance(node, Branch) else ()
    for key, _ in pairs:
        _check_name(key, faults)
    return tuple(key.text for key, _ in pairs)


def _check_name(key: Leaf, faults: Faults) -> bool:
    if key.text in _RESERVED or keyword.iskeyword(key.text):
        faults.add("E01", key.line, key.text, "this name is taken; choose another")
        return False
    if not _NAME.fullmatch(key.text):
        faults.add("E01", key.line, key.text, "names are of a-z, 0-9 and _, and begin with a-z")
        return False
    return True


def _vars(node: Node | None, faults: Faults) -> dict[str, Var]:
    found = {}
    for key, value in fields.pairs(node, faults, where="vars"):
        if not _check_name(key, faults):
            continue
        given = fields.mapping(
            value,
            faults,
            where=key.text,
            required=("type",),
            optional=("region", "currency", "fields"),
        )
        var = _var(key, given, faults)
        if var is not None:
            found[key.text] = var
    return found


def _var(key: Leaf, given: Mapping[str, Node], faults: Faults) -> Var | None:
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
            currency = _one_of(given.get("currency"), sorted(EXPONENTS), "currency", faults)
            return Var(VarType("money"), currency=currency)
        case "record":
            return Var(VarType("record", fields=_record(key, given.get("fields"), faults)))
        case _:
            kind = _scalar(given.get("type"), faults)
            return Var(kind) if kind else None


def _record(key: Leaf, node: Node | None, faults: Faults) -> dict[str, VarType]:
    found = {}
    for name, value in fields.pairs(node, faults, where=f"fields of {key.text}"):
        kind = _scalar(value, faults)
        if _check_name(name, faults) and kind is not None:
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
        types = ", ".join(_SCALARS)
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


def _results(
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


def _names(declared: Mapping[str, Var], results: Mapping[str, VarType]) -> dict[str, VarType]:
    names = {**ME, **results}
    for name, var in declared.items():
        if var.type.kind == "record":
            names |= {f"{name}.{each}": kind for each, kind in var.type.fields.items()}
        else:
            names[name] = var.type
    return names


def _shortcuts(node: Node | None, known: Known) -> tuple[Shortcut, ...]:
    found = []
    for key, value in fields.pairs(node, known.faults, where="shortcuts"):
        fuller = isinstance(value, Branch)
        given = (
            fields.mapping(
                value, known.faults, where=key.text, required=("go",), optional=("when",)
            )
            if fuller
            else {"go": value}
        )
        tokens = [_token(token, key, known) for token in key.text.split("*")]
        found.append(
            Shortcut(
                key.line,
                tuple(token for token in tokens if token is not None),
                known.guard(given.get("when"), where="when"),
                known.target(given.get("go"), where=key.text),
            )
        )
    return tuple(found)


def _token(token: str, key: Leaf, known: Known) -> str | Capture | None:
    if token.isascii() and token.isdigit():
        return token

    name = token[1:-1] if token.startswith("{") and token.endswith("}") else ""
    var = known.vars.get(name)
    match var.type.kind if var else "":
        case "msisdn" if var:
            return Capture(name, typed.msisdn_parser(var.region))
        case "money" if var:
            return Capture(name, typed.money_parser(var.currency, known.money_max))
        case "digits" if var:
            return Capture(name, typed.digits_parser(var.type.least, var.type.length))
        case _:
            advice = "write digits, or {name} of a declared msisdn, money or digits"
            known.faults.add("E21", key.line, f"{token or 'nothing'} in {key.text}", advice)
            return None
