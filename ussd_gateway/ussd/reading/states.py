"""Reads the states of a pack by kind: `menu | input | secret | list | call | decide | end`."""

import re
from collections.abc import Mapping

from ussd_gateway.files import fields
from ussd_gateway.files.strict_yaml import Node, Row
from ussd_gateway.ports import Effect
from ussd_gateway.ussd import pages, render, typed
from ussd_gateway.ussd.menu import (
    Call,
    Decide,
    End,
    Guard,
    Menu,
    Notices,
    Option,
    Rule,
    Secret,
    State,
    Taken,
    Text,
)
from ussd_gateway.ussd.reading import acts, inputs, lists
from ussd_gateway.ussd.reading.header import KEY
from ussd_gateway.ussd.reading.known import Known, Written

KINDS = ("menu", "input", "secret", "list", "call", "decide", "end")

digits_max = 12

_DIGITS = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")


def find_kinds(node: Node | None, known: Known) -> dict[str, Written]:
    """Every state that has exactly one kind (E03)."""
    found = {}
    for key, value in fields.pairs(node, known.faults, where="states"):
        kinds = fields.mapping(value, known.faults, where=key.text, optional=KINDS)
        if len(kinds) != 1:
            has = " and ".join(kinds) or "none"
            advice = f"give it exactly one of {', '.join(KINDS)}"
            known.faults.add("E03", key.line, f"{key.text} has {has}", advice)
            continue
        for kind, inner in kinds.items():
            found[key.text] = Written(key.text, kind, inner, key.line)
    return found


def read_states(
    written: Mapping[str, Written], known: Known, notices: Notices, *, entry: str
) -> dict[str, State]:
    """The states that could be read, in the file's order."""
    decides = {
        state.name: _decide(state, known)
        for state in written.values()
        if state.kind == "decide"
    }
    roots = _roots(entry, decides)
    read: dict[str, State] = {}
    for state in written.values():
        match state.kind:
            case "menu":
                read[state.name] = _menu(state, known, notices, root=state.name in roots)
            case "input":
                read[state.name] = inputs.read_input(state, known, notices)
            case "secret":
                read[state.name] = _secret(state, known, notices)
            case "list":
                read[state.name] = lists.read_list(state, known)
            case "call":
                read[state.name] = _call(state, known)
            case "decide":
                read[state.name] = decides[state.name]
            case _:
                read[state.name] = _end(state, known)
    return read


def _roots(entry: str, decides: Mapping[str, Decide]) -> frozenset[str]:
    """The states that a session begins in: the entry, or what it decides for."""
    found: set[str] = set()
    ahead = [entry]
    while ahead:  # ends: each state is looked at once
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        if name in decides:
            ahead += [rule.go for rule in decides[name].rules]
    return frozenset(found)


def _menu(state: Written, known: Known, notices: Notices, *, root: bool) -> Menu:
    found = fields.mapping(
        state.node,
        known.faults,
        where=state.name,
        required=("text", "options"),
        optional=("nav",),
    )
    text = known.text(found.get("text"), where=f"text of {state.name}", line=state.line)
    nav = _nav(found, known)
    options = _options(state, found.get("options"), known, nav=nav)

    lines: list[tuple[Guard | None, Text]] = [(None, text)]
    for key, option in options.items():
        lines.append((option.when, render.labelled(f"{key}. ", option.text)))
    if nav and not root:
        lines.append((None, render.labelled(f"{known.nav.back}. ", notices.back)))
    blocks = _blocks(lines)
    septets = {
        language: pages.reason_septets(notices, language)
        + sum(render.septets_at_worst(each, language) for _, each in blocks)
        for language in known.languages
    }
    return Menu(state.line, text, options, nav, root, blocks, septets)


def _options(
    state: Written, node: Node | None, known: Known, *, nav: bool
) -> dict[str, Option]:
    options: dict[str, Option] = {}
    guarded = []
    for item in fields.items(node, known.faults, where=f"options of {state.name}"):
        found = fields.mapping(
            item,
            known.faults,
            where=f"an option of {state.name}",
            required=("key", "text", "go"),
            optional=("when", "speaks"),
        )
        guarded.append("when" in found)
        key = fields.word(found.get("key"), known.faults, where="key")
        clash = _clash(key, options, known, nav=nav)
        if key and clash:
            known.faults.add("E13", item.line, f"key {key} of {state.name}", clash)
            continue
        options[key] = Option(
            item.line,
            known.guard(found.get("when"), where="when"),
            known.text(
                found.get("text"), where=f"option {key} of {state.name}", line=item.line
            ),
            known.target(found.get("go"), where="go"),
            _spoken(found.get("speaks"), known),
        )
    if isinstance(node, Row) and all(guarded):
        advice = "leave one option without `when`, or decide before this menu"
        known.faults.add("E14", state.line, f"{state.name} can hide every option", advice)
    return options


def _spoken(node: Node | None, known: Known) -> str | None:
    """The language that an option goes on in."""
    if node is None:
        return None
    language = fields.word(node, known.faults, where="speaks")
    if language and language not in known.languages:
        advice = f"the languages of this pack are {', '.join(known.languages)}"
        known.faults.add("E01", node.line, f"speaks {language}", advice)
    return language


def _clash(key: str, options: Mapping[str, Option], known: Known, *, nav: bool) -> str | None:
    if not KEY.fullmatch(key):
        return "keys are of one or two digits"
    if key in options:
        return f"line {options[key].line} has this key already"
    if nav and key in (known.nav.back, known.nav.home):
        return "this key leads back or home; choose another, or say `nav: off`"
    if key in (known.nav.more, known.nav.prev):
        return "this key turns pages; choose another"
    return None


def _blocks(
    lines: list[tuple[Guard | None, Text]],
) -> tuple[tuple[Guard | None, Text], ...]:
    """The lines of a menu, those that are always shown together made one text."""
    blocks: list[tuple[Guard | None, Text]] = []
    for guard, line in lines:
        if blocks and guard is None and blocks[-1][0] is None:
            blocks[-1] = (None, render.joined((blocks[-1][1], line)))
        else:
            blocks.append((guard, render.labelled("\n", line) if blocks else line))
    return tuple(blocks)


def _secret(state: Written, known: Known, notices: Notices) -> Secret:
    found = fields.mapping(
        state.node,
        known.faults,
        where=state.name,
        required=("text", "digits", "do", "within", "outcomes"),
        optional=("with", "save", "nav"),
    )
    act = acts.read_act(state, found, known)
    least, most = _digits(found.get("digits"), known)
    return Secret(
        line=state.line,
        text=known.text(found.get("text"), where=f"text of {state.name}", line=state.line),
        digits_min=least,
        digits_max=most,
        bad=render.filled(notices.bad_pin, {"digits": typed.how_many(least, most)}),
        act=act,
        takes=acts.results(found.get("do"), known),
        saves=_saved(found, known, moves_money=act.effect is Effect.MONEY),
        nav=_nav(found, known),
    )


def _digits(node: Node | None, known: Known) -> tuple[int, int]:
    text = fields.word(node, known.faults, where="digits")
    match = _DIGITS.fullmatch(text)
    least = int(match[1]) if match else 0
    most = int(match[2] or match[1]) if match else 0
    if 0 < least <= most <= digits_max:
        return least, most
    if node is not None and text:
        advice = f"write a length, or a range such as 4-6, up to {digits_max}"
        known.faults.add("E01", node.line, f"digits: {text}", advice)
    return 1, 1


def _call(state: Written, known: Known) -> Call:
    found = fields.mapping(
        state.node,
        known.faults,
        where=state.name,
        required=("do", "within", "outcomes"),
        optional=("with", "save"),
    )
    return Call(
        line=state.line,
        act=acts.read_act(state, found, known),
        takes=() if "save" in found else acts.results(found.get("do"), known),
        saves=_saved(found, known, moves_money=False),
    )


def _saved(found: Mapping[str, Node], known: Known, *, moves_money: bool) -> tuple[Taken, ...]:
    """The fields of the record that `save` names; none where nothing is saved."""
    save = fields.word(found.get("save"), known.faults, where="save")
    if not save:
        return ()
    if moves_money:
        advice = "what moves money tells of itself by result.*; remove `save`"
        known.faults.add("E20", found["save"].line, f"save: {save}", advice)
        return ()
    return acts.saved(save, found["save"], found.get("do"), known)


def _decide(state: Written, known: Known) -> Decide:
    rules = []
    written = fields.items(state.node, known.faults, where=state.name)
    for place, item in enumerate(written, start=1):
        last = place == len(written)
        found = fields.mapping(
            item,
            known.faults,
            where=f"a rule of {state.name}",
            required=("go",) if last else ("when", "go"),
            optional=("when",) if last else (),
        )
        when = known.guard(found.get("when"), where="when")
        if last and "when" in found:
            advice = "end with a rule without `when`, for all that is left"
            known.faults.add("E16", item.line, state.name, advice)
        rules.append(Rule(item.line, when, known.target(found.get("go"), where="go")))
    if not rules:
        known.faults.add("E16", state.line, state.name, "give it a rule")
    return Decide(state.line, tuple(rules))


def _end(state: Written, known: Known) -> End:
    found = fields.mapping(state.node, known.faults, where=state.name, required=("text",))
    return End(
        state.line,
        known.text(found.get("text"), where=f"text of {state.name}", line=state.line),
    )


def _nav(found: Mapping[str, Node], known: Known) -> bool:
    return fields.switch(found.get("nav"), known.faults, where="nav", default=True)
