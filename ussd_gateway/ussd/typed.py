"""What a person types, made a value: `0711 000 002` a number, `1,500` an amount; or None."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

from anyascii import anyascii

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.msisdn import CALLING_CODES, Msisdn
from ussd_gateway.domain.receipt import parse as parse_receipt
from ussd_gateway.ports import Scalar

# A mobile number after its 0 or calling code, by the regulators' numbering plans.
_MOBILE = {
    "KE": "[17][0-9]{8}",
    "UG": "7[0-9]{8}",
    "TZ": "[67][0-9]{8}",
    "RW": "7[0-9]{8}",
    "GH": "[25][0-9]{8}",
}
REGIONS = frozenset(_MOBILE)

Parser = Callable[[str], Scalar | None]

_SEPARATORS = str.maketrans("", "", " -")
_SPACES = re.compile(" +")
_BESIDE_LETTERS = frozenset(" '-.")
_text_characters_min = 2


def msisdn_parser(region: str) -> Parser:
    """Takes 0711000002, 711000002, 254711000002 and +254711000002."""
    code = CALLING_CODES[region]
    pattern = re.compile(rf"(?:\+?{code}|0)?({_MOBILE[region]})")
    return partial(_msisdn, pattern, f"+{code}")


def money_parser(currency: str, most: Money) -> Parser:
    return partial(_money, currency, most)


def digits_parser(least: int, most: int) -> Parser:
    """Takes 012345 as it stands, and 012 345."""
    return partial(_digits, least, most)


def text_parser(septets_max: int) -> Parser:
    """Takes a person's name, such as Ng'ang'a wa Thiong'o."""
    return partial(_text, septets_max)


def receipt_parser(text: str) -> Scalar | None:
    """Takes qcm7 hk2p 9x: the check character tells a slip at once."""
    return parse_receipt(text)


def nothing(_text: str) -> Scalar | None:
    """Stands where a pack is at fault."""
    return None


def is_digits(text: str, *, least: int, most: int) -> bool:
    return least <= len(text) <= most and text.isascii() and text.isdigit()


def how_many(least: int, most: int) -> str:
    """As people are told it: `4`, or `4-6`."""
    return f"{least}" if least == most else f"{least}-{most}"


def _msisdn(pattern: re.Pattern[str], prefix: str, text: str) -> Scalar | None:
    match = pattern.fullmatch(text.translate(_SEPARATORS))
    return Msisdn(prefix + match[1]) if match else None


def _digits(least: int, most: int, text: str) -> Scalar | None:
    text = text.translate(_SEPARATORS)
    return text if is_digits(text, least=least, most=most) else None


def _text(septets_max: int, text: str) -> Scalar | None:
    """Never cut: a name that is too long is for its owner to shorten."""
    if not text.isprintable():
        return None
    text = _SPACES.sub(" ", gsm7.fold(unicodedata.normalize("NFC", text), anyascii).strip())
    if not all(char.isalpha() or char in _BESIDE_LETTERS for char in text):
        return None
    if len(text) < _text_characters_min or not any(char.isalpha() for char in text):
        return None
    return text if gsm7.septets(text) <= septets_max else None


def _money(currency: str, most: Money, text: str) -> Scalar | None:
    amount = parse_typed(text, currency) if text.isascii() else None
    return amount if amount is not None and amount.minor <= most.minor else None
