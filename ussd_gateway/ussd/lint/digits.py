"""E25: a text that says which digit to press names one that does something on its screen.

Only plain orders are read, "press 3", "bonyeza 3", "tapez 3"; and in the text of a menu lines
that look like options, "3. Send". Amounts and "choose 4 digits" are none.
"""

import re
from collections.abc import Iterator

from ussd_gateway.files.faults import Faults
from ussd_gateway.ussd.engine import CONTINUE, START_AGAIN
from ussd_gateway.ussd.lint.texts import Said, all_said
from ussd_gateway.ussd.menu import Input, List, Menu, Program, Secret, Text

_ORDER = re.compile(
    r"""\b(?:press|reply(?:\ with)?|choose|select
         |bonyeza|jibu|chagua
         |tapez|appuyez\ sur|choisissez|r[ée]pondez)
        \ (?:n?umber\ |namba\ |na\ |par\ |le\ |la\ )?
        ([0-9]{1,2})
        (?![0-9.,:/]*[0-9])
        (?!\ *(?:digit|character|letter|tarakimu|herufi|chiffre|lettre|caract))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"\b[0-9]{1,2}\b")
_LINE = re.compile(r"^([0-9]{1,2})[.:] ", re.MULTILINE)


def check(program: Program, faults: Faults) -> None:
    for said in all_said(program):
        asks = said.text is program.notices.resume
        keys = {CONTINUE, START_AGAIN} if asks else _keys(said, program)
        lines = asks or (isinstance(said.state, Menu) and said.text is said.state.text)
        for language in program.languages:
            named = set(_named(said.text, language, lines=lines))
            line = said.text.line_in(language)
            for digit in sorted(named - keys):
                found = f"{digit} in {said.where} in {language}"
                faults.add("E25", line, found, "no option there; name one that is, or none")
            if asks and keys - set(_NUMBER.findall(_written(said.text, language))):
                found = f"{said.where} in {language}"
                advice = f"name both, `{CONTINUE}. ...` and `{START_AGAIN}. ...`"
                faults.add("E25", line, found, advice)


def _keys(said: Said, program: Program) -> set[str]:
    """What does something on the screen that the text is on."""
    nav = program.nav
    leads = {nav.back, nav.home}
    match said.state:
        case Menu(options=options, nav=led):
            return {*options, nav.more, nav.prev} | (leads if led else set())
        case List(rows_max=rows_max, nav=led):
            rows = {str(number) for number in range(1, rows_max + 1)}
            return rows | {nav.more, nav.prev} | (leads if led else set())
        case Input(nav=led) | Secret(nav=led):
            return leads if led else set()
        case None:
            return leads
        case _:
            return set()


def _named(text: Text, language: str, *, lines: bool) -> Iterator[str]:
    written = _written(text, language)
    yield from _ORDER.findall(written)
    if lines:
        yield from _LINE.findall(written)


def _written(text: Text, language: str) -> str:
    """A slot is a value: what it shows is no digit that the text names."""
    return "".join(
        part if isinstance(part, str) else "\N{REPLACEMENT CHARACTER}"
        for part in text.parts[language]
    )
