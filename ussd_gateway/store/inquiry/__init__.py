"""What staff ask of the database: accounts, statements, the trial balance, the SMS that are
owed; and, before they order something, a journal, a hold, whose an account is.

Only reads, and nothing of it is on the way of a payment: no lock is taken that one could wait
for, and what is long is read in pages, by key.
"""

from ussd_gateway.store.inquiry.accounts import (
    Standing,
    Turnover,
    is_closed,
    standing,
    trial_balance,
    trial_balance_of,
    turnover_of,
)
from ussd_gateway.store.inquiry.clearing import Item, Uncleared, uncleared
from ussd_gateway.store.inquiry.messages import SMS_OPEN, SMS_STATES, oldest_open_at_ms
from ussd_gateway.store.inquiry.payments import paid
from ussd_gateway.store.inquiry.records import SqlRecords
from ussd_gateway.store.inquiry.statements import LINES_MAX, TooLong, statement
from ussd_gateway.store.inquiry.vouchers import Waiting, vouchers

__all__ = [
    "LINES_MAX",
    "SMS_OPEN",
    "SMS_STATES",
    "Item",
    "SqlRecords",
    "Standing",
    "TooLong",
    "Turnover",
    "Uncleared",
    "Waiting",
    "is_closed",
    "oldest_open_at_ms",
    "paid",
    "standing",
    "statement",
    "trial_balance",
    "trial_balance_of",
    "turnover_of",
    "uncleared",
    "vouchers",
]
