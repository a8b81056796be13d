"""E12: no text has a character that one of the routes does not carry.

What people put into texts, such as their names, is nobody's to lint: the turn shows a space
there.
"""

from collections.abc import Mapping, Sequence

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Route, Scalar
from ussd_gateway.ussd.lint.texts import all_said, spoken
from ussd_gateway.ussd.menu import Program


def check(program: Program, routes: Sequence[Route], faults: Faults) -> None:
    forbidden = frozenset().union(*(route.forbids for route in routes))
    if not forbidden:
        return
    samples: dict[str, Scalar] = {
        name: _SAMPLES.get(kind.kind, program.money_max)
        for name, kind in program.names.items()
        if kind.kind in _SHOWN
    }
    for said in all_said(program):
        for language in program.languages:
            shown = spoken(said.text, language, samples)
            for sign in sorted(forbidden.intersection(shown)):
                names = ", ".join(route.name for route in routes if sign in route.forbids)
                found = f"{sign} of {said.where} in {language}"
                advice = f"not carried by {names}; write it in words"
                faults.add("E12", said.text.line_in(language), found, advice)


# What filters add: the spaces and commas of an amount, the stars of a masked number.
_SAMPLES: Mapping[str, Scalar] = {"count": 2, "msisdn": "+254711000001", "date": "2026-11-21"}
_SHOWN = frozenset({*_SAMPLES, "money"})
