"""Reads an `input` state: what is asked for, how it is read, and what is said of bad input."""

import re
from collections.abc import Mapping

from ussd_gateway.files import fields
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.ussd import render, typed
from ussd_gateway.ussd.menu import Check, Input, Notices, Text
from ussd_gateway.ussd.reading.known import Known, Written

retries_max = 10

# Words by which a screen asks for what only a `secret` may take.
_ASKS_SECRET = re.compile(
    r"\b(pin|otp|password|passcode"
    r"|nywila|nenosiri|(neno|namba) (la|ya) siri"
    r"|nip|code (secret|confidentiel|personnel)|mot de passe)\b",
    re.IGNORECASE,
)


def read_input(state: Written, known: Known, notices: Notices) -> Input:
    found = fields.mapping(
        state.node,
        known.faults,
        where=state.name,
        required=("text", "into", "go"),
        optional=("bad", "check", "retries", "nav"),
    )
    text = known.text(found.get("text"), where=f"text of {state.name}", line=state.line)
    _refuse_asking_secrets(text, known)
    into = fields.word(found.get("into"), known.faults, where="into")
    parse, usual = _typed(into, found.get("into"), known, notices)
    _want_own_words(into, found, known)
    bad = usual
    if "bad" in found:
        bad = known.text(found["bad"], where=f"bad of {state.name}", line=state.line)
        _refuse_asking_secrets(bad, known)
    nav = fields.switch(found.get("nav"), known.faults, where="nav", default=True)
    if nav:
        _refuse_nav_typed(into, found.get("into"), known)
    retries = fields.count(
        found.get("retries"), known.faults, where="retries", least=1, most=retries_max
    )
    return Input(
        line=state.line,
        text=text,
        into=into,
        parse=parse,
        bad=bad,
        checks=_checks(state, found.get("check"), known),
        go=known.target(found.get("go"), where="go"),
        retries=retries if "retries" in found else None,
        nav=nav,
    )


def _typed(
    into: str, node: Node | None, known: Known, notices: Notices
) -> tuple[typed.Parser, Text]:
    var = known.vars.get(into)
    line = node.line if node else 0
    match var.type.kind if var else "":
        case "msisdn" if var:
            return typed.msisdn_parser(var.region), notices.bad_number
        case "money" if var:
            return typed.money_parser(var.currency, known.money_max), notices.bad_amount
        case "digits" if var:
            least, most = var.type.least, var.type.length
            bad = render.filled(notices.bad_digits, {"digits": typed.how_many(least, most)})
            return typed.digits_parser(least, most), bad
        case "text" if var and var.receipt:
            return typed.receipt_parser, notices.bad_text
        case "text" if var:
            return typed.text_parser(var.type.length), notices.bad_text
        case "":
            if into:
                known.faults.add("E20", line, into, "declare it under `vars`")
        case kind:
            advice = "msisdn, money, digits, text or receipt is typed"
            known.faults.add("E09", line, f"{into} is of type {kind}", advice)
    return typed.nothing, notices.bad_choice


def _want_own_words(into: str, found: Mapping[str, Node], known: Known) -> None:
    """E08: no notice says what is wrong with a receipt."""
    var, node = known.vars.get(into), found.get("into")
    if var is not None and var.receipt and node is not None and "bad" not in found:
        advice = "say under `bad` what is wrong with one that has a slip in it"
        known.faults.add("E08", node.line, f"{into} is a receipt", advice)


def _refuse_nav_typed(into: str, node: Node | None, known: Known) -> None:
    """E13: what is typed for a few digits may be a key that leads back or home."""
    var = known.vars.get(into)
    if var is None or node is None or var.type.kind != "digits":
        return
    for key in (known.nav.back, known.nav.home):
        if typed.is_digits(key, least=var.type.least, most=var.type.length):
            advice = f"{key} leads back or home; ask for more digits, or say `nav: off`"
            known.faults.add("E13", node.line, f"{into} can be {key}", advice)


def _checks(state: Written, node: Node | None, known: Known) -> tuple[Check, ...]:
    checks = []
    for item in fields.items(node, known.faults, where=f"check of {state.name}"):
        found = fields.mapping(
            item, known.faults, where=f"a check of {state.name}", required=("unless", "say")
        )
        guard = known.guard(found.get("unless"), where="unless")
        say = known.text(found.get("say"), where=f"a check of {state.name}", line=item.line)
        if guard is not None:
            checks.append(Check(guard, say))
    return tuple(checks)


def _refuse_asking_secrets(text: Text, known: Known) -> None:
    for language, parts in text.parts.items():
        for part in parts:
            asked = _ASKS_SECRET.search(part) if isinstance(part, str) else None
            if asked:
                advice = "an `input` is kept and shown; ask for it in a `secret`"
                line = text.line_in(language)
                known.faults.add("E28", line, f"{asked[0]} ({language})", advice)
