"""Rows of the database as the values that decisions read."""

from datetime import date
from typing import Any

from ussd_gateway.domain.book import Account, Business, Status, Subscriber, Trade
from ussd_gateway.domain.journal import Hold, HoldState
from ussd_gateway.domain.limits import UNUSED, Usage
from ussd_gateway.domain.voucher import Voucher, VoucherState

_STATUSES = {status.value: status for status in Status}

# The columns that each function below takes, in its order.
SUBSCRIBER = (
    "id, msisdn, name, language, tier, active, wallet_id, "
    "pin_kid, pin_salt, pin_tag, wrong_tries, cap_payment, cap_day"
)
ACCOUNT = (
    "id, currency, side, debits, credits, debits_pending, credits_pending, floor, cap, seq, "
    "status, used_on, used_day, used_month"
)
HOLD = "id, kind, source_id, target_id, minor, posted, state, expires_at_ms, journal_id"
VOUCHER = (
    "id, subscriber_id, wallet_id, msisdn, currency, minor, code_kid, code_salt, code_tag, "
    "wrong_tries, state, sent_at_ms, expires_at_ms"
)
BUSINESS = (
    "number, trade, name, msisdn, language, account_id, commission_id, account_digits, "
    "head_office_commission_id"
)


def subscriber_of(row: tuple[Any, ...]) -> Subscriber:
    number, msisdn, name, language, tier, active, *rest = row
    return Subscriber(number, msisdn, name, language, tier, bool(active), *rest)


def business_of(row: tuple[Any, ...]) -> Business:
    number, trade, *rest = row
    return Business(number, Trade(trade), *rest)


def account_of(row: tuple[Any, ...]) -> Account:
    *totals, status, used_on, day, month = row
    used = UNUSED if used_on is None else Usage(day_of(used_on), day, month)
    known = (*totals, _STATUSES[status], used)
    return Account(*known)


def hold_of(row: tuple[Any, ...]) -> Hold:
    *terms, state, expires_at_ms, journal_id = row
    known = (*terms, HoldState(state), expires_at_ms, journal_id)
    return Hold(*known)


def voucher_of(row: tuple[Any, ...]) -> Voucher:
    *terms, state, sent_at_ms, expires_at_ms = row
    known = (*terms, VoucherState(state), sent_at_ms, expires_at_ms)
    return Voucher(*known)


def day_of(value: date | str) -> date:
    """SQLite keeps a date as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
