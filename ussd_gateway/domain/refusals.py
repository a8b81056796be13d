"""Every no the business can say, in the order in which it is checked: the first that holds
wins.

A refusal is a value, shown on the screen and never logged as an error. Its `value` is the
outcome name that a menu's state must give a next screen for.
"""

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    NOT_REGISTERED = "not_registered"
    ACCOUNT_BLOCKED = "account_blocked"
    PIN_LOCKED = "pin_locked"
    WRONG_PIN = "wrong_pin"
    OWN_NUMBER = "own_number"
    UNKNOWN_PAYEE = "unknown_payee"
    UNDER_MINIMUM = "under_minimum"
    OVER_LIMIT = "over_limit"
    FEE_CHANGED = "fee_changed"
    PAYEE_FULL = "payee_full"
    LOW_BALANCE = "low_balance"


@dataclass(frozen=True, slots=True)
class Refused:
    """The business says no: nothing moved."""

    reason: Reason
