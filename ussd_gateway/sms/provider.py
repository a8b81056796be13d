"""What a provider is to this room, and the kinds of trouble that are told apart here.

DoorError        it surely did not take the message, and may not take the next one either
+- Throttled     it asks us to slow down
+- Crowded       it has as many in its hands as it takes at once, and was not asked
+- NotCarried    it does not carry this number; it carries others
"""

import re
from decimal import Decimal
from typing import Protocol

from ussd_gateway.ports import DoorError, SmsSender

detail_characters_max = 200

_COST = re.compile(r"[A-Z]{3} [0-9]{1,9}(?:\.[0-9]{1,6})?", re.ASCII)
_AMOUNT = slice(4, None)  # behind the currency


class Provider(SmsSender, Protocol):
    """`timeout_s`: `send` has come to an end by then, whatever the outside does."""

    timeout_s: float


class Throttled(DoorError):
    """Nothing more for `after_s`."""

    def __init__(self, why: str, *, after_s: float) -> None:
        super().__init__(why)
        self.after_s = after_s


class Crowded(DoorError):
    """That says nothing of its health: what it has in its hands may be answered, or may not."""


class NotCarried(DoorError):
    """Of this number only."""


def checked_cost(text: object) -> str | None:
    """`KES 0.8000` as the provider writes it, if it is an amount of money at all: the SDK takes
    `nan` for one. What is nothing is no cost."""
    if not isinstance(text, str) or _COST.fullmatch(text) is None:
        return None
    return text if Decimal(text[_AMOUNT]) else None


def shown(text: str) -> str:
    """Words of the outside, as far as a database and a log line take them."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable.strip()[:detail_characters_max]
