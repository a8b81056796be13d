"""Every no the business can say, in the order in which it is checked: the first that holds
wins.

A refusal is a value, shown on the screen and never logged as an error. Its `value` is the
outcome name that a menu's state must give a next screen for.
"""

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    NOT_REGISTERED = "not_registered"
    ALREADY_REGISTERED = "already_registered"
    NOT_AGENT = "not_agent"
    ACCOUNT_BLOCKED = "account_blocked"
    PIN_LOCKED = "pin_locked"
    WRONG_PIN = "wrong_pin"
    EXPIRED = "expired"  # what was proved or chosen earlier in the session holds no longer
    WEAK_PIN = "weak_pin"
    SAME_PIN = "same_pin"
    PINS_DIFFER = "pins_differ"
    OWN_NUMBER = "own_number"
    UNKNOWN_PAYEE = "unknown_payee"
    UNKNOWN_TILL = "unknown_till"
    UNKNOWN_BUSINESS = "unknown_business"
    WRONG_ACCOUNT = "wrong_account"
    ASKED_TOO_OFTEN = "asked_too_often"  # of payments that are others'
    NO_SUCH_PAYMENT = "no_such_payment"  # under this receipt, of this amount
    TOO_LATE = "too_late"  # to ask for it back
    TAKEN_BACK = "taken_back"
    ALREADY_ASKED = "already_asked"  # for it back, which is done once
    ALREADY_DECIDED = "already_decided"
    SPENT = "spent"  # by its payee: nothing of it is there
    UNKNOWN_VOUCHER = "unknown_voucher"  # or its code is another one
    VOUCHER_BARRED = "voucher_barred"  # too many wrong codes
    VOUCHER_EXPIRED = "voucher_expired"
    VOUCHER_STOPPED = "voucher_stopped"  # its sender's wallet pays nothing out
    UNDER_MINIMUM = "under_minimum"
    OVER_LIMIT = "over_limit"
    OVER_DAY = "over_day"
    OVER_MONTH = "over_month"
    OVER_OWN_CAP = "over_own_cap"  # what people allow themselves
    REPEATED = "repeated"  # just this was bought a moment ago
    FEE_CHANGED = "fee_changed"
    PAYEE_FULL = "payee_full"
    LOW_BALANCE = "low_balance"
    LOW_FLOAT = "low_float"
    CARRIER_REFUSED = "carrier_refused"


@dataclass(frozen=True, slots=True)
class Refused:
    """The business says no: nothing moved."""

    reason: Reason
