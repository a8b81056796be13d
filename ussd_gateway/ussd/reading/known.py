"""What the states of a pack may refer to, and how their texts, guards and targets are read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ussd_gateway.domain.money import Money
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Branch, Node
from ussd_gateway.ports import Action, VarType
from ussd_gateway.ussd import guards, render
from ussd_gateway.ussd.menu import Guard, Nav, Notices, Text


@dataclass(frozen=True, slots=True)
class Var:
    """A declared var. `region` is that of a msisdn, `currency` that of a money; else empty.
    `receipt`: a text that is read as one."""

    type: VarType
    region: str = ""
    currency: str = ""
    receipt: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A state as it stands in the file: its kind, and the node under it."""

    name: str
    kind: str
    node: Node
    line: int


@dataclass(frozen=True, slots=True)
class Known:
    languages: tuple[str, ...]
    wide: frozenset[str]  # those of the languages that go out as UCS-2
    money_max: Money
    actions: Mapping[str, Action]
    vars: Mapping[str, Var]
    names: Mapping[str, VarType]  # flat: to, quote.fee, me.name, result.receipt
    states: tuple[str, ...]
    nav: Nav
    faults: Faults

    def text(self, node: Node | None, *, where: str, line: int) -> Text:
        """A text in every language of the pack (E08), its slots among `names` (E09)."""
        written = {}
        for key, value in fields.pairs(node, self.faults, where=where):
            if key.text not in self.languages:
                self.faults.add(
                    "E01", key.line, f"{key.text} in {where}", "no such language here"
                )
            else:
                written[key.text] = value
        parts = {}
        for language in self.languages:
            parts[language] = self._parts(written.get(language), language, where, node, line)
        slots = [part for each in parts.values() for part in each if not isinstance(part, str)]
        names = frozenset(slot.name for slot in slots)
        lines = {language: leaf.line for language, leaf in written.items()}
        return Text(node.line if node else line, names, parts, self.wide, lines)

    def guard(self, node: Node | None, *, where: str) -> Guard | None:
        """None where there is none to read, or where it is at fault."""
        if node is None:
            return None
        source = fields.word(node, self.faults, where=where)
        if not source:
            return None
        return guards.parse(source, line=node.line, scope=self.names, faults=self.faults)

    def target(self, node: Node | None, *, where: str, code: str = "E04") -> str:
        """The name of a state."""
        name = fields.word(node, self.faults, where=where)
        if node is not None and name and name not in self.states:
            advice = f"no such state; {fields.nearest(name, self.states)}"
            self.faults.add(code, node.line, name, advice)
        return name

    def knowing(self, names: Mapping[str, VarType]) -> "Known":
        """The same, but for the names that a text may show."""
        return replace(self, names=names)

    def _parts(
        self, written: Node | None, language: str, where: str, node: Node | None, line: int
    ) -> tuple[render.Part, ...]:
        if written is None:
            # A node of another shape was told of already.
            if node is None or isinstance(node, Branch):
                at = node.line if node else line
                self.faults.add("E08", at, f"{where} in {language}", "every text needs it")
            return ("",)

        source = fields.word(written, self.faults, where=f"{where} in {language}")
        return render.parse(
            source,
            line=written.line,
            scope=self.names,
            money_max=self.money_max,
            wide=language in self.wide,
            faults=self.faults,
        )


_HOW_MANY = {"digits": VarType("text", 5)}
NOTICE_NAMES: Mapping[str, Mapping[str, VarType]] = {
    "bad_digits": _HOW_MANY,
    "bad_pin": _HOW_MANY,
}


def read_notices(node: Node | None, known: Known, *, line: int) -> Notices:
    """The engine's own texts: each one, in every language."""
    names = tuple(Notices.__dataclass_fields__)
    written = {}
    for key, value in fields.pairs(node, known.faults, where="notices"):
        if key.text in names:
            written[key.text] = value
        else:
            advice = fields.nearest(key.text, names)
            known.faults.add("E01", key.line, f"{key.text} in notices", advice)
    return Notices(
        **{
            name: known.knowing(NOTICE_NAMES.get(name, {})).text(
                written.get(name), where=f"notice {name}", line=node.line if node else line
            )
            for name in names
        }
    )
