"""E32: an amount is shown with its currency, once, as `{amount|money}` shows it; and no other
currency is named.

That every amount goes through `|money` is seen while its text is read; here is what is typed
beside it.
"""

import re
from collections.abc import Iterable

from ussd_gateway.domain.money import EXPONENTS
from ussd_gateway.files.faults import Faults
from ussd_gateway.ussd.lint.texts import all_said
from ussd_gateway.ussd.menu import Program, Slot, Text

# How people write currencies beside their codes.
_SPELLINGS = {
    "KES": ("Ksh", "Kshs", "KSh."),
    "UGX": ("USh", "Ugsh"),
    "TZS": ("TSh", "Tzsh"),
    "RWF": ("FRw",),
    "GHS": ("GHC", "GH\N{CEDI SIGN}", "\N{CEDI SIGN}"),
    "XOF": ("FCFA", "CFA"),
    "NGN": ("\N{NAIRA SIGN}",),
    "USD": ("$", "US$"),
    "EUR": ("\N{EURO SIGN}",),
    "GBP": ("\N{POUND SIGN}",),
}
_OF_ANY = ("/=", "sh.", "shs")

_CURRENCIES = {
    word.casefold(): code
    for code in (*EXPONENTS, *_SPELLINGS)
    for word in (code, *_SPELLINGS.get(code, ()))
}
_SIGN = re.compile(
    "|".join(
        (r"(?<!\w)" if word[0].isalnum() else "")
        + re.escape(word)
        + (r"(?!\w)" if word[-1].isalnum() else "")
        for word in sorted((*_CURRENCIES, *_OF_ANY), key=len, reverse=True)
    ),
    re.IGNORECASE,
)
_DIGITS_BEHIND = re.compile(r"[\d.,]*\d")
_DIGITS_BEFORE = re.compile(r"\d[\d.,]*$")


def check(program: Program, faults: Faults) -> None:
    check_texts(
        ((said.where, said.text) for said in all_said(program)),
        money={name for name, kind in program.names.items() if kind.kind == "money"},
        languages=program.languages,
        ours=program.money_max.currency,
        faults=faults,
    )


def check_texts(
    texts: Iterable[tuple[str, Text]],
    *,
    money: set[str],
    languages: Iterable[str],
    ours: str,
    faults: Faults,
) -> None:
    """`money`: the names that are amounts. `ours`: the currency that they are in."""
    for where, text in texts:
        for language in languages:
            line = text.line_in(language)
            for sign in sorted(_foreign(text, language, ours)):
                found = f"{sign} of {where} in {language}"
                faults.add("E32", line, found, f"all amounts are in {ours}: leave it out")
            for sign in sorted(_typed_beside(text, language, money)):
                found = f"{sign} of {where} in {language}"
                advice = "|money writes the currency and the cents: leave it out"
                faults.add("E32", line, found, advice)


def _foreign(text: Text, language: str, ours: str) -> set[str]:
    """Other currencies, wherever they stand."""
    signs = (
        match[0]
        for part in text.parts[language]
        if isinstance(part, str)
        for match in _SIGN.finditer(part)
    )
    return {sign for sign in signs if _CURRENCIES.get(sign.casefold(), ours) != ours}


def _typed_beside(text: Text, language: str, money: set[str]) -> set[str]:
    """Our own currency, or digits, right before or behind an amount."""
    parts = text.parts[language]
    found = set()
    for place, part in enumerate(parts):
        if not isinstance(part, Slot) or part.name not in money:
            continue
        before = parts[place - 1] if place else ""
        behind = parts[place + 1] if place + 1 < len(parts) else ""
        if isinstance(before, str):
            near = before.rstrip()
            found |= {sign[0] for sign in _SIGN.finditer(near) if sign.end() == len(near)}
            found |= set(_DIGITS_BEFORE.findall(before))
        if isinstance(behind, str):
            sign = _SIGN.match(behind.lstrip()) or _DIGITS_BEHIND.match(behind)
            found |= {sign[0]} if sign else set()
    return found
