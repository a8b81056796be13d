"""Shortcuts: dialled strings, `*384*1*{to}*{amount}#`, and the state that each leads to."""

from ussd_gateway.files import fields
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node
from ussd_gateway.ussd import typed
from ussd_gateway.ussd.menu import Capture, Shortcut
from ussd_gateway.ussd.reading.known import Known


def read_shortcuts(node: Node | None, known: Known) -> tuple[Shortcut, ...]:
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
                known.target(given.get("go"), where=key.text, code="E21"),
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
