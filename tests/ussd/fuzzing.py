"""Packs that somebody or something has spoilt, and what becomes of them.

Two kinds of spoiling: of the text, as a slip of the hand or an attack does it, which mostly
leaves no YAML; and of the tree, where every change is still YAML and much more of it loads.
What loads is walked: screens are answered at random, actions answer at random, sometimes with
less than they promise.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.ussd import account_pack, listed_pack, small_pack
from tests.ussd.stand_in import AMINA, AT, DECLARED, MENUS, MONEY_MAX, NOBODY
from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money
from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Branch, Leaf, Node, Row
from ussd_gateway.ports import Action, Answer, Scalar, Settled, VarType
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import (
    Answered,
    Event,
    Jump,
    New,
    Redialled,
    Screen,
    Session,
    Step,
    Typed,
)
from ussd_gateway.ussd.menu import Capture, Input, Menu, Program, Secret
from ussd_gateway.ussd.reading.loader import load_pack
from ussd_gateway.ussd.render import screen_septets_max
from ussd_gateway.ussd.turn import telling

# Of dicts, lists and texts.
Tree = Any

load_s_max = 1.0
steps_max = 40
walks = 10

# Packs that are right, and the actions that they are read against.
SOURCES: tuple[tuple[bytes, Mapping[str, Action]], ...] = (
    ((MENUS / "customer.yaml").read_bytes(), DECLARED),
    ((MENUS / "agent.yaml").read_bytes(), DECLARED),
    (small_pack.RIGHT.encode(), small_pack.ACTIONS),
    (account_pack.ACCOUNT.encode(), account_pack.ACTIONS),
    (listed_pack.LISTED.encode(), {"payees": listed_pack.PAYEES}),
)
PEOPLE = (AMINA, replace(AMINA, till="100200"), NOBODY)
ROUTES = (
    AT,
    replace(AT, name="narrow", answer_within_s=10, forbids=frozenset("$<&|^"), session_s=120),
)

# What an attacker, or a person who knows another language of templates, writes.
NASTY = (
    "*all", "&all", "!!python/object/apply:os.system", "<<: *all", "{__class__}", "{{7*7}}",
    "{to.__class__.__mro__}", "%s", "${PATH}", "../../etc/passwd", "\\u202e", "\x00", "\ufeff",
    "0", "00", "98", "-1", "1e9", "9" * 400, "[" * 50, "{" * 50, "x" * 5000, "on", "no", "~",
    "null", "---", "...", "? ", "|", ">", "'", '"', "#", ": ", "- ", "\t", "\r", "{amount}",
    "{result.receipt}", "{amount|money}", "{me.name|upper}", "{n|plural(a,b)}", "me.can_send",
    "to != me.msisdn", "not " * 40 + "True", "(" * 90, "1 in (1, 2)",
    "amount + amount > amount",
    "ፋጥር", "Press 3", "KES 5", "menu", "end", "call", "list", "secret", "decide", "input",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """One spoilt pack: whether it loads, what it was told, and how long that took."""

    program: Program | None
    faults: Sequence[Fault]
    load_s: float
    steps: int


def tried(seed: int) -> Tried:
    """Raises where anything but a fault list or a program comes of it, or where a program
    cannot be walked."""
    random = Random(seed)
    right, actions = random.choice(SOURCES)
    source = spoilt(right, random)
    began = time.process_time()
    found = load_pack(
        source, file="spoilt", actions=actions, money_max=MONEY_MAX, routes=ROUTES
    )
    load_s = time.process_time() - began
    if isinstance(found, list):
        assert found, "refused, and nobody says why"
        assert any(not fault.warns for fault in found)
        return Tried(None, found, load_s, 0)
    steps = sum(walk(found, actions, random) for _ in range(walks))
    return Tried(found, found.warnings, load_s, steps)


# --- spoiling


def spoilt(source: bytes, random: Random) -> bytes:
    if random.random() < 0.3:
        return _text(source, random)
    return _tree(source, random, _exchange if random.random() < 0.5 else _change)


def _text(source: bytes, random: Random) -> bytes:
    text = bytearray(source)
    for _ in range(random.randint(1, 4)):
        begin = random.randrange(len(text))
        end = min(len(text), begin + random.choice((1, 1, 4, 40, 400)))
        other = random.randrange(len(text))
        match random.randrange(6):
            case 0:
                del text[begin:end]
            case 1:
                text[other:other] = text[begin:end]
            case 2:
                text[begin:begin] = random.choice(NASTY).encode("utf-8", "surrogatepass")
            case 3:
                text[begin:end] = random.randbytes(random.randint(1, 4))
            case 4:
                text = _lines(text, random)
            case _:
                text = _words(text, random)
        if not text:
            break
    return bytes(text)


def _lines(text: bytearray, random: Random) -> bytearray:
    """A line left out, written twice, elsewhere, or deeper."""
    lines = text.split(b"\n")
    place = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[place])
        case 2:
            lines.insert(random.randrange(len(lines)), lines.pop(place))
        case _:
            lines[place] = bytearray(b"  ") + lines[place]
    return bytearray(b"\n").join(lines)


def _words(text: bytearray, random: Random) -> bytearray:
    """Two words change places."""
    words = text.split(b" ")
    one, other = random.randrange(len(words)), random.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return bytearray(b" ").join(words)


def _tree(source: bytes, random: Random, change: Callable[[Tree, Random], None]) -> bytes:
    root = strict_yaml.read(source, Faults("whole"))
    assert root is not None
    tree = _plain(root)
    for _ in range(random.randint(1, 3)):
        change(tree, random)
    return json.dumps(tree, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def _plain(node: Node) -> Tree:
    match node:
        case Leaf(text):
            return text
        case Row(items):
            return [_plain(item) for item in items]
        case Branch(pairs):
            return {key.text: _plain(value) for key, value in pairs}


def _change(tree: Tree, random: Random) -> None:
    """One change at one place of a tree."""
    places = list(_places(tree))
    if not places:
        return
    within, key = random.choice(places)
    other, other_key = random.choice(places)
    match random.randrange(7):
        case 0:
            del within[key]
        case 1:
            within[key] = json.loads(json.dumps(other[other_key]))
        case 2:
            taken = json.loads(json.dumps(other[other_key]))
            other[other_key], within[key] = json.loads(json.dumps(within[key])), taken
        case 3:
            within[key] = random.choice(NASTY)
        case 4 if isinstance(within, dict):
            within[random.choice(NASTY)] = within.pop(key)
        case 5 if isinstance(within, dict) and isinstance(other_key, str):
            within[other_key] = within.pop(key)
        case _:
            _exchange(tree, random)


def _exchange(tree: Tree, random: Random) -> None:
    """Something under a key is what stands under the same key elsewhere: the nearest to what a
    person would get wrong."""
    places = list(_places(tree))
    within, key = random.choice(
        [each for each in places if each[1] not in ("schema", "profile")]
    )
    alike = [other for other, name in places if name == key and other is not within]
    if alike:
        within[key] = json.loads(json.dumps(random.choice(alike)[key]))


def _places(tree: Tree) -> list[tuple[Tree, Any]]:
    """Everything in a tree: what it is in, and its key or number there."""
    match tree:
        case dict():
            keys: list[Any] = list(tree)
        case list():
            keys = list(range(len(tree)))
        case _:
            keys = []
    return [each for key in keys for each in [(tree, key), *_places(tree[key])]]


# --- walking


def walk(program: Program, actions: Mapping[str, Action], random: Random) -> int:
    """How many steps were taken. Every screen on the way fits."""
    person = random.choice(PEOPLE)
    session = engine.begin(program, person)
    event: Event = New()
    if program.shortcuts and random.random() < 0.2:
        shortcut = random.choice(program.shortcuts)
        captured = {
            token.name: _value(program.names[token.name], random)
            for token in shortcut.tokens
            if isinstance(token, Capture)
        }
        event = Jump(shortcut.go, captured)
    for count in range(steps_max):
        session, shown = engine.step(program, session, event, screen_septets_max)
        if not isinstance(shown, Screen):
            action = actions[shown.action]
            assert action.takes.keys() == shown.args.keys(), "each argument is there"
            answer = _answer(action, random)
            if random.random() < 0.1:
                told = telling.tell(program, Settled(shown.state, 1, answer), None)
                _check_fits(told, program, program.languages[0])
            event = Answered(answer)
            continue
        _check_fits(shown, program, session.language)
        if shown.ends:
            return count
        event = _said(program, session, random)
        if random.random() < 0.05:
            _check_moved(engine.moved(program, session, program, screen_septets_max), program)
        elif random.random() < 0.05:
            event = Redialled(engine.about(person))
    return steps_max


def _check_fits(screen: Screen, program: Program, language: str) -> None:
    wide = language in program.notices.back.wide
    cost = 2 * gsm7.ucs2_units(screen.text) if wide else gsm7.septets(screen.text)
    assert cost <= screen_septets_max, f"{cost} septets: {screen.text!r}"


def _check_moved(step: Step, program: Program) -> None:
    session, shown = step
    if isinstance(shown, Screen):
        _check_fits(shown, program, session.language)


def _said(program: Program, session: Session, random: Random) -> Typed:
    state = program.states[session.state]
    nav = program.nav
    some = ["1", "2", "", "*", "9" * 60, "\x00", nav.back, nav.home, nav.more, nav.prev]
    if random.random() < 0.8:
        match state:
            case Menu(options=options):
                some = list(options)
            case Input(parse=parse):
                some = [each for each in _TYPED if parse(each) is not None] or some
            case Secret(digits_min=least):
                some = ["4826173950"[:least]]
            case _:
                some = ["1", "2"]
    return Typed(random.choice(some))


_TYPED = ("500", "0711000002", "100200", "27654321", "12345678901234567890", "Juma Otieno", "7")


def _answer(action: Action, random: Random) -> Answer:
    """With ok all that it promises; with another outcome some of it."""
    outcome = "ok" if random.random() < 0.7 else random.choice(sorted(action.outcomes))
    given = {
        name: _value(kind, random)
        for name, kind in action.gives.items()
        if outcome == "ok" or random.random() < 0.5
    }
    rows = [
        {name: _value(kind, random) for name, kind in action.rows.items()}
        for _ in range(random.randrange(action.rows_max + 1))
    ]
    return Answer(outcome, given, rows)


def _value(kind: VarType, random: Random) -> Scalar:
    longest = "W" * 80
    values: Mapping[str, Callable[[], Scalar]] = {
        "money": lambda: Money(random.choice((1, MONEY_MAX.minor)), MONEY_MAX.currency),
        "msisdn": lambda: "+254711000002",
        "count": lambda: random.choice((0, 1, 999_999)),
        "bool": lambda: random.random() < 0.5,
        "date": lambda: "2026-11-21",
        "digits": lambda: "9" * max(kind.length, 1),
        "lines": lambda: "\n".join([longest] * 9),
    }
    return values.get(kind.kind, lambda: random.choice((longest, "", "Ng'ang'a €€€ ፋ")))()
