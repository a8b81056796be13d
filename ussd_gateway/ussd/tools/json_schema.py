"""A JSON Schema of a pack, by which editors complete what is typed and mark what cannot be.

It knows the shape: kinds and fields, the actions with their parameters and outcomes. What takes
more than a look at one place (whether a state is there, what a text shows, how long a screen
is) is for `menu lint`. Editors read plain YAML, where 4 is a number and `off` may be a switch:
both are taken, as the gateway takes both.
"""

from collections.abc import Mapping
from typing import Any

from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.ports import TIMEOUT, UNKNOWN, Action, Effect, VarType
from ussd_gateway.ussd import typed
from ussd_gateway.ussd.menu import EMPTY, Notices
from ussd_gateway.ussd.reading.inputs import retries_max
from ussd_gateway.ussd.tools.field_notes import SAYS
from ussd_gateway.ussd.tools.samples import OK

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_WORD = "^[a-z][a-z0-9_]{0,39}$"
_DURATION = "^[0-9]{1,6}(s|m)$"
_TYPES = (
    r"^(msisdn|money|id|count|bool|date|record|receipt|text\([0-9]{1,2}\)"
    r"|digits\([0-9]{1,2}(-[0-9]{1,2})?\))$"
)
_DIALLED = r"([0-9]+|\{[a-z][a-z0-9_]*\})"
_SCALAR_TYPES = _TYPES.replace("|record|receipt", "")


def json_schema(actions: Mapping[str, Action]) -> Schema:
    """Of a pack that these actions serve."""
    return {
        "$schema": DIALECT,
        "title": "A pack of USSD menus",
        **_object(
            required={
                "schema": {"enum": [1, "1"]},
                "pack": _pattern(_WORD),
                "entry": _ref("state"),
                "languages": _rows(_pattern("^[a-z]{2}$")),
                "profile": {"const": "gsm7-160"},
                "nav": _nav(),
                "session": _session(),
                "notices": _notices(),
                "states": _named(_ref("any_state")),
            },
            optional={
                "vars": _named(_var()),
                "shortcuts": _shortcuts(),
                "map": _named(_ref("state")),
            },
        ),
        "$defs": {
            "state": _pattern(_WORD),
            "text": _text(),
            "guard": {"type": "string", "minLength": 1},
            "switch": {"enum": ["on", "off", True, False]},
            "duration": _pattern(_DURATION),
            "target_or_again": {
                "oneOf": [_ref("state"), _object(required={"again": _ref("text")})]
            },
            "any_state": _state(actions),
        },
    }


def _nav() -> Schema:
    key = _digits("^[0-9]{1,2}$", most=99)
    return _object(
        required={"back": key, "home": key}, optional={"more": key, "prev": key}, bare=True
    )


def _session() -> Schema:
    resume = _object(required={"window": _ref("duration"), "mode": {"const": "ask"}})
    hops = _digits("^[0-9]{1,3}$", most=100)
    return _object(
        required={"idle": _ref("duration"), "max_hops": hops}, optional={"resume": resume}
    )


def _notices() -> Schema:
    return _object(
        required={name: _ref("text") for name in Notices.__dataclass_fields__}, bare=True
    )


def _var() -> Schema:
    kinds = {
        "msisdn": {"region": {"enum": sorted(typed.REGIONS)}},
        "money": {"currency": {"enum": sorted(EXPONENTS)}},
        "record": {"fields": _named(_pattern(_SCALAR_TYPES))},
    }
    plain = {"pattern": _TYPES, "not": {"enum": list(kinds)}}
    shapes = [_object(required={"type": {"const": kind}, **its}) for kind, its in kinds.items()]
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {**_pattern(_TYPES), "description": SAYS["type"]}},
        "oneOf": [*shapes, _object(required={"type": {"type": "string", **plain}})],
    }


def _shortcuts() -> Schema:
    fuller = _object(required={"go": _ref("state")}, optional={"when": _ref("guard")})
    return {
        "type": "object",
        "propertyNames": {
            "pattern": r"^([0-9]+|\{[a-z][a-z0-9_]*\})(\*([0-9]+|\{[a-z][a-z0-9_]*\}))*$"
        },
        "additionalProperties": {"oneOf": [_ref("state"), fuller]},
    }


def _state(actions: Mapping[str, Action]) -> Schema:
    kinds = {
        "menu": _menu(),
        "input": _input(),
        "secret": _secret(actions),
        "list": _list(actions),
        "call": _call(actions),
        "decide": _decide(),
        "end": _object(required={"text": _ref("text")}),
    }
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": _said(kinds),
    }


def _menu() -> Schema:
    option = _object(
        required={
            "key": _digits("^[0-9]{1,2}$", most=99),
            "text": _ref("text"),
            "go": _ref("state"),
        },
        optional={"when": _ref("guard"), "speaks": _pattern("^[a-z]{2}$")},
    )
    return _object(
        required={"text": _ref("text"), "options": _rows(option)},
        optional={"nav": _ref("switch")},
    )


def _input() -> Schema:
    check = _object(required={"unless": _ref("guard"), "say": _ref("text")})
    return _object(
        required={"text": _ref("text"), "into": _pattern(_WORD), "go": _ref("state")},
        optional={
            "bad": _ref("text"),
            "check": _rows(check),
            "retries": _digits("^[0-9]{1,2}$", most=retries_max),
            "nav": _ref("switch"),
        },
    )


def _decide() -> Schema:
    rule = _object(required={"go": _ref("state")}, optional={"when": _ref("guard")})
    return _rows(rule)


def _secret(actions: Mapping[str, Action]) -> Schema:
    fit = {name: action for name, action in actions.items() if action.takes_secret}
    return _acting(
        fit,
        required={
            "text": _ref("text"),
            "digits": {
                "type": ["integer", "string"],
                "pattern": "^[0-9]{1,2}(-[0-9]{1,2})?$",
                "minimum": 1,
                "maximum": 12,
            },
        },
        optional={"save": _pattern(_WORD), "nav": _ref("switch")},
        again=True,
    )


def _list(actions: Mapping[str, Action]) -> Schema:
    fit = {name: action for name, action in actions.items() if action.rows}
    return _acting(
        fit,
        required={
            "text": _ref("text"),
            "row": _ref("text"),
            "into": _pattern(_WORD),
            "go": _ref("state"),
        },
        optional={"single": {"const": "choose"}, "nav": _ref("switch")},
        of_rows=True,
    )


def _call(actions: Mapping[str, Action]) -> Schema:
    fit = {
        name: action
        for name, action in actions.items()
        if not action.takes_secret and action.effect is not Effect.MONEY
    }
    return _acting(fit, required={}, optional={"save": _pattern(_WORD)})


def _acting(
    actions: Mapping[str, Action],
    *,
    required: Schema,
    optional: Schema,
    again: bool = False,
    of_rows: bool = False,
) -> Schema:
    """A state that asks one of these actions; its parameters and outcomes are the action's."""
    shape = _object(
        required={
            "do": {"enum": list(actions)},
            "within": _ref("duration"),
            "outcomes": {"type": "object"},
            **required,
        },
        optional={"with": {"type": "object"}, **optional},
    )
    shape["allOf"] = [
        {
            "if": {"required": ["do"], "properties": {"do": {"const": name}}},
            "then": _of(action, again=again, of_rows=of_rows),
        }
        for name, action in actions.items()
    ]
    return shape


def _of(action: Action, *, again: bool, of_rows: bool) -> Schema:
    outcomes = action.outcomes | {TIMEOUT}
    if action.effect is Effect.MONEY:
        outcomes |= {UNKNOWN}
    if of_rows:
        outcomes = (outcomes - {OK}) | {EMPTY}
    target = _ref("state")
    either = _ref("target_or_again") if again else target
    known: Schema = {
        "outcomes": _object(required=dict.fromkeys(sorted(outcomes), either), bare=True),
        "with": _object(
            required={name: _argument(kind) for name, kind in action.takes.items()}, bare=True
        ),
    }
    return {"properties": known, **({"required": ["with"]} if action.takes else {})}


def _argument(kind: VarType) -> Schema:
    return {"type": "string", "minLength": 1, "description": f"Takes a {kind.kind}."}


def _text() -> Schema:
    return {
        "type": "object",
        "description": SAYS["text"],
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z]{2}$"},
        "additionalProperties": {"type": ["string", "number"]},
    }


def _object(*, required: Schema, optional: Schema | None = None, bare: bool = False) -> Schema:
    """Of these fields and no other. `bare`: the names are no fields of the language."""
    fields = {**required, **(optional or {})}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": fields if bare else _said(fields),
    }


def _said(fields: Schema) -> Schema:
    return {
        name: {"description": SAYS[name], **inner} if name in SAYS else inner
        for name, inner in fields.items()
    }


def _named(inner: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": _WORD},
        "additionalProperties": inner,
    }


def _rows(inner: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": inner}


def _digits(pattern: str, *, most: int) -> Schema:
    return {"type": ["integer", "string"], "pattern": pattern, "minimum": 0, "maximum": most}


def _pattern(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
