"""Texts with values in them: split once at load, joined at every hop.

    "Fee {quote.fee|money}"  ->  ("Fee ", Slot("quote.fee", str))

A value is made fit when it enters a session (`fitted`), not when it is shown: folded to GSM-7,
on one line, cut to its declared septets. So a screen that was short enough at load always is,
and a name can neither add lines to a screen nor push others off it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from anyascii import anyascii

from ussd_gateway.domain import gsm7, msisdn
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd.menu import Slot, Text, Vars

screen_septets_max = 160
msisdn_septets_max = 16  # E.164 in full, for a number of no market of ours
masked_septets = 10
count_septets_max = 6
date_septets = 10

# Names that would show what was typed in secret. Nothing is ever kept under them.
SECRETS = frozenset({"pin", "nip", "otp", "secret", "password"})

Part = str | Slot

# Shown for a value that an action promised and left out: a hole, not a lost screen.
MISSING = "-"

_SLOT = re.compile(r"\{([^{}|]*)(?:\|([^{}|]*))?\}")
_FILTER = re.compile(r"([a-z]+)(?:\(([^()]*)\))?")
# How other languages of templates write a slot: none of them is meant as it stands.
_FOREIGN = re.compile(r"%[sdif]\b|%\(|[$#]\{|<%")
# The characters that cost one septet each and need no second look.
_PLAIN = re.compile(r"[ !\"#$%&'()*+,\-./0-9:;<=>?@A-Z_a-z]*")
_BREAKS = str.maketrans("\n\r\f\t\v", "     ")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def render(text: Text, language: str, values: Vars) -> str:
    parts = text.parts[language]
    if len(parts) == 1 and type(parts[0]) is str:
        return parts[0]

    shown = []
    for part in parts:
        if type(part) is str:
            shown.append(part)
            continue
        slot = cast(Slot, part)
        value = values.get(slot.name)
        shown.append(MISSING if value is None else slot.show(value))
    return "".join(shown)


def joined(texts: Iterable[Text]) -> Text:
    """One text, each of `texts` on its own line."""
    texts = list(texts)
    parts: dict[str, tuple[Part, ...]] = {}
    for language in texts[0].parts:
        line: list[Part] = []
        for text in texts:
            line += ["\n", *text.parts[language]] if line else text.parts[language]
        parts[language] = _merged(line)
    names = frozenset().union(*(text.names for text in texts))
    return Text(texts[0].line, names, parts, texts[0].wide)


def labelled(label: str, text: Text) -> Text:
    """`1. ` before a text."""
    return Text(
        text.line,
        text.names,
        {language: _merged([label, *parts]) for language, parts in text.parts.items()},
        text.wide,
    )


def parse(
    source: str,
    *,
    line: int,
    scope: Mapping[str, VarType],
    money_max: Money,
    wide: bool,
    faults: Faults,
) -> tuple[Part, ...]:
    """The parts of one text as an operator wrote it, names and filters checked."""
    source = source.strip()
    if not wide and not gsm7.is_gsm7(source):
        faults.add("W12", line, repr(source), "not GSM-7; it will be shown in bare letters")
        source = gsm7.fold(source)
    if any(brace in _SLOT.sub("", source) for brace in "{}") or _FOREIGN.search(source):
        faults.add("E09", line, repr(source), "write a slot as {name} or {name|filter}")
        return ("",)

    parts: list[Part] = []
    end = 0
    for match in _SLOT.finditer(source):
        parts += [source[end : match.start()]] if match.start() > end else []
        filtered = _filter(match[1], match[2], line, scope, faults)
        if filtered is not None:
            septets_max = filtered.septets(scope[match[1]], money_max)
            parts.append(Slot(match[1], filtered.show, septets_max))
        end = match.end()
    parts.append(source[end:])
    return _merged(parts)


def filled(text: Text, values: Vars) -> Text:
    """The text with the values that are known at load in their places."""

    def shown(part: Part) -> Part:
        known = isinstance(part, Slot) and part.name in values
        return part.show(values[part.name]) if known and isinstance(part, Slot) else part

    return Text(
        text.line,
        text.names - values.keys(),
        {
            language: _merged(shown(part) for part in parts)
            for language, parts in text.parts.items()
        },
        text.wide,
        text.lines,
    )


def septets_at_worst(text: Text, language: str) -> int:
    """What the text costs when each of its values is as long as it can be."""
    wide = language in text.wide
    return sum(
        cost(part, wide=wide) if isinstance(part, str) else part.septets_max * (1 + wide)
        for part in text.parts[language]
    )


def cost(text: str, *, wide: bool) -> int:
    """What a text takes of a screen, in septets: of UCS-2 there is room for half as many."""
    return 2 * gsm7.ucs2_units(text) if wide else gsm7.septets(text)


def fitter(kind: VarType) -> Callable[[Scalar], Scalar]:
    """How a value of this type is made fit to keep and show."""
    match kind.kind:
        case "text" | "digits":
            return partial(_fit_text, kind.length)
        case "lines":
            return partial(_fit_lines, kind.length, kind.count)
        case _:
            return _as_it_is


def fitted(text: str, septets_max: int) -> str:
    """`text` in GSM-7, on one line, and within `septets_max`."""
    if _PLAIN.fullmatch(text):
        return text[:septets_max]

    text = gsm7.fold(text.translate(_BREAKS), anyascii)
    end, over = len(text), gsm7.septets(text) - septets_max
    while over > 0:
        end -= 1
        over -= gsm7.septets(text[end])
    return text[:end]


def _fit_text(septets_max: int, value: Scalar) -> Scalar:
    return fitted(str(value), septets_max)


def _fit_lines(septets_max: int, count: int, value: Scalar) -> Scalar:
    lines = [fitted(line, septets_max) for line in str(value).split("\n") if line.strip()]
    return "\n".join(lines[:count])


def _as_it_is(value: Scalar) -> Scalar:
    return value


def _filter(
    name: str, written: str | None, line: int, scope: Mapping[str, VarType], faults: Faults
) -> "_Filter | None":
    if name.rpartition(".")[2] in SECRETS:
        faults.add("E19", line, f"{{{name}}}", "what is typed in secret is never shown")
        return None
    if name not in scope:
        advice = fields.meant(name, scope) or "name a declared var, me.* or result.*"
        faults.add("E09", line, f"{{{name}}}", advice)
        return None
    filtered = _BARE if written is None else _filter_named(written)
    if filtered is None:
        known = f"filters are {', '.join(sorted(FILTERS))}; and plural(day,days)"
        faults.add("E09", line, f"|{written}", known)
        return None

    kind = scope[name].kind
    if kind not in filtered.kinds:
        fit = [known for known, each in FILTERS.items() if kind in each.kinds]
        advice = f"show it as {{{name}|{fit[0]}}}" if fit else "it cannot be shown"
        bare_money = kind == "money" and written is None
        code = "E32" if bare_money else "E09"
        faults.add(code, line, f"{{{name}}} is of type {kind}", advice)
        return None
    return filtered


def _filter_named(written: str) -> "_Filter | None":
    match = _FILTER.fullmatch(written.strip())
    if match is None:
        return None
    if match[1] == "plural" and match[2]:
        words = [word.strip() for word in match[2].split(",")]
        return _plural(*words) if len(words) == 2 and all(words) else None
    return FILTERS.get(match[1]) if match[2] is None else None


def _merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged) or ("",)


@dataclass(frozen=True, slots=True)
class _Filter:
    kinds: frozenset[str]
    show: Callable[[Scalar], str]
    septets: Callable[[VarType, Money], int]


def _show_local(value: Scalar) -> str:
    return msisdn.local(cast(Msisdn, value))


def _show_masked(value: Scalar) -> str:
    return msisdn.masked(cast(Msisdn, value))


def _show_upper(value: Scalar) -> str:
    """Only the bare letters: the capitals of some others are not in GSM-7."""
    return str(value).translate(_UPPER)


def _bare_septets(kind: VarType, _money_max: Money) -> int:
    match kind.kind:
        case "count":
            return count_septets_max
        case "lines":
            return kind.count * (kind.length + 1) - 1
        case _:
            return kind.length


def _show_date(value: Scalar) -> str:
    """21/11/2026, as the people of these markets write it."""
    year, month, day = str(value).split("-")
    return f"{day}/{month}/{year}"


def _plural(one: str, many: str) -> "_Filter":
    """`{n|plural(try,tries)}`: 1 try, 3 tries. Each language names its own two."""

    def show(value: Scalar) -> str:
        return f"{value} {one if value == 1 else many}"

    # Of UCS-2, where a text costs twice its units, a word may be no GSM-7.
    words_max = max(
        gsm7.septets(word) if gsm7.is_gsm7(word) else gsm7.ucs2_units(word)
        for word in (one, many)
    )
    return _Filter(frozenset({"count"}), show, lambda *_: count_septets_max + 1 + words_max)


_BARE = _Filter(frozenset({"text", "digits", "count", "lines"}), str, _bare_septets)

FILTERS: Mapping[str, _Filter] = {
    "money": _Filter(
        frozenset({"money"}), str, lambda _, money_max: gsm7.septets(str(money_max))
    ),
    "local": _Filter(
        frozenset({"msisdn"}), _show_local, lambda kind, _: kind.length or msisdn_septets_max
    ),
    "mask": _Filter(frozenset({"msisdn"}), _show_masked, lambda _kind, _money: masked_septets),
    "date": _Filter(frozenset({"date"}), _show_date, lambda _kind, _money: date_septets),
    "upper": _Filter(frozenset({"text"}), _show_upper, _bare_septets),
}
