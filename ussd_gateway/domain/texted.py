"""What somebody asks for by SMS: a word, and what belongs to it.

    BAL   STMT   CHECK receipt [amount]   REVERSE receipt
    LANG xx      STOP [service]           START             HELP

The words are the operators' (menus/sms.yaml). People write around them: `Bal.`, `check
qcm-7hk2p9x kes 500 please`. What is left over is looked at for one thing only: a PIN, which
nobody may send. No text goes on from here but what belongs to a command.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ussd_gateway.domain import receipt as receipts


class Ask(Enum):
    """What a text comes to. The value is the name by which menus/sms.yaml gives its words."""

    BALANCE = "balance"
    STATEMENT = "statement"
    CHECK = "check"
    REVERSE = "reverse"
    STOP = "stop"
    START = "start"
    LANGUAGE = "language"
    HELP = "help"
    PIN = "a PIN"
    NOTHING = "no command"


# Those that words are given to, by the names that these have in the file.
COMMANDS = {ask.value: ask for ask in Ask if ask not in (Ask.PIN, Ask.NOTHING)}

# Of a longer text nothing is read behind so much: a command is short.
characters_max = 480
# Digits alone, in the lengths that PINs have anywhere.
_PIN_LENGTHS = range(4, 9)
_RECEIPT_LENGTHS = range(receipts.LENGTH - 2, receipts.LENGTH + 3)
# QCM-7HK-2P9X
_PARTS_MAX = 3

_TOKEN = re.compile(r"\w+(?:[.,]\w+)*")
_AMOUNT = re.compile(r"(?:[A-Z]{2,3})?([0-9][0-9.,]*)(?:[A-Z]{2,3})?")
# Four digits, together or apart, and no more of them beside: 4826, 48-26, 4 8 2 6, Pin4826.
_FOUR = re.compile(r"(?<![0-9])(?<![0-9]\W)[0-9](?:\W?[0-9]){3}(?!\W?[0-9])")
_DIGITS = re.compile(r"[0-9]+")
# No receipt has an I in it.
_NAMES_OF_A_PIN = ("PIN", "NIP", "SIRI")


@dataclass(frozen=True, slots=True)
class Asked:
    """`receipt`: as it was typed, for it may be misread; `amount` too. `word`: of a language or
    a service. Each is empty where it was left out."""

    ask: Ask
    receipt: str = ""
    amount: str = ""
    word: str = ""


def read(text: str, words: Mapping[str, Ask]) -> Asked:
    """`words` of the commands are `plain`."""
    tokens = _TOKEN.findall(plain(text[:characters_max]))
    ask = words.get(tokens[0]) if tokens else None
    asked, left = _command(ask, tokens[1:]) if ask else (Asked(Ask.NOTHING), tokens)
    return Asked(Ask.PIN) if _holds_pin(left) else asked


def plain(text: str) -> str:
    """Capitals without accents, and every script's digits as ours."""
    characters = unicodedata.normalize("NFKD", text)
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in characters
        if not unicodedata.combining(each)
    ).upper()


def _command(ask: Ask, rest: list[str]) -> tuple[Asked, list[str]]:
    """The command, and what is left over."""
    match ask:
        case Ask.CHECK | Ask.REVERSE:
            receipt, rest = _receipt(rest)
            amount, rest = _amount(rest) if receipt and ask is Ask.CHECK else ("", rest)
            return Asked(ask, receipt=receipt, amount=amount), rest
        case Ask.LANGUAGE | Ask.STOP if rest and rest[0].isalpha():
            return Asked(ask, word=rest[0]), rest[1:]
        case _:
            return Asked(ask), rest


def _receipt(rest: list[str]) -> tuple[str, list[str]]:
    """One that is a character short or long too: its owner is told that it was misread."""
    for count in range(1, _PARTS_MAX + 1):
        receipt = "".join(rest[:count])
        if _like_receipt(receipt):
            return receipt, rest[count:]
    return "", rest


def _amount(rest: list[str]) -> tuple[str, list[str]]:
    """Behind its currency, or before it, or bare."""
    for at, token in enumerate(rest[:2]):
        if found := _AMOUNT.fullmatch(token):
            return found[1].rstrip(".,"), rest[:at] + rest[at + 1 :]
    return "", rest


def _holds_pin(tokens: list[str]) -> bool:
    """Better one warning too many. Half a receipt is none, and nor is a phone number."""
    plain_ones = [token for token in tokens if not _like_receipt(token)]
    left = " ".join(plain_ones)
    # Behind a number and an amount too, as it is typed on a call: *384*1*0711000002*500*4826#
    if _FOUR.search(left) or (plain_ones and _FOUR.fullmatch(plain_ones[-1])):
        return True
    digits = "".join(_DIGITS.findall(left))
    named = any(name in left for name in _NAMES_OF_A_PIN)
    alone = not any(character.isalpha() for character in left)
    return len(digits) in _PIN_LENGTHS and (named or alone)


def _like_receipt(token: str) -> bool:
    letters = sum(character.isalpha() for character in token)
    in_length = token.isalnum() and len(token) in _RECEIPT_LENGTHS
    return in_length and letters > 2 and not any(name in token for name in _NAMES_OF_A_PIN)
