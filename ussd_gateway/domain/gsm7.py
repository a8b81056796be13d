"""GSM 03.38: how many septets a text costs on a screen, and how many segments as an SMS.

The basic set costs one septet a character, the extension set two (escape and character). A text
with any other character goes out as UCS-2: 80 characters a screen, 70 a single SMS. National
shift tables are not used, because handsets in the field do not agree on them.
Source: 3GPP TS 23.038, 6.2.1 and 6.2.1.1.
"""

import re
import unicodedata
from collections.abc import Callable

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")

# Most texts have no others, and need no second look.
_ONE_EACH = re.compile(r"[\n\r !-Z_a-z]*")

SMS_SEPTETS_MAX = 160
SMS_PART_SEPTETS_MAX = 153
SMS_UNITS_MAX = 70
SMS_PART_UNITS_MAX = 67

_PUNCTUATION = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", " ": " ", "`": "'"}
)


def is_gsm7(text: str) -> bool:
    return all(char in BASIC or char in EXTENSION for char in text)


def septets(text: str) -> int:
    """Cost of a GSM-7 text. The text must be GSM-7."""
    if _ONE_EACH.fullmatch(text):
        return len(text)
    assert is_gsm7(text), "not a GSM-7 text"
    return sum(2 if char in EXTENSION else 1 for char in text)


def fold(text: str, spell: Callable[[str], str] = lambda _char: "") -> str:
    """The text with each character outside GSM-7 replaced: punctuation, then the bare letter,
    then what `spell` makes of a letter that has none, such as ɓ, ж or 王.

    What has no replacement becomes `?`. Characters of the set, è and ñ among them, stay.
    """
    if is_gsm7(text):
        return text
    return "".join(_fold_char(char, spell) for char in text.translate(_PUNCTUATION))


def folds(text: str) -> bool:
    """Whether `fold` keeps it readable: each of its characters has a replacement."""
    return text.count("?") == fold(text).count("?")


def ucs2_units(text: str) -> int:
    """Of 16 bits each: a screen holds 80, a single SMS 70."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def segments(text: str) -> int:
    """How many SMS segments the text is billed as."""
    if is_gsm7(text):
        return _gsm7_segments(text)

    units = ucs2_units(text)
    return 1 if units <= SMS_UNITS_MAX else -(-units // SMS_PART_UNITS_MAX)


def _gsm7_segments(text: str) -> int:
    if septets(text) <= SMS_SEPTETS_MAX:
        return 1
    parts, used = 1, 0
    for char in text:
        cost = 2 if char in EXTENSION else 1
        # An escape and its character are never split over two parts.
        if used + cost > SMS_PART_SEPTETS_MAX:
            parts, used = parts + 1, 0
        used += cost
    return parts


def _fold_char(char: str, spell: Callable[[str], str]) -> str:
    if char in BASIC or char in EXTENSION:
        return char
    bare = _of_the_set(unicodedata.normalize("NFKD", char))
    return bare or (_of_the_set(spell(char)) if char.isalnum() else "") or "?"


def _of_the_set(text: str) -> str:
    return "".join(char for char in text if char in BASIC)
