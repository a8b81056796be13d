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
from ussd_gateway.store.inquiry.holds import Pending, pending
from ussd_gateway.store.inquiry.messages import (
    COUNTED_MAX,
    FOR_GOOD,
    QUANTILES,
    RECENT_MAX,
    RESENT_MAX,
    SMS_STATES,
    Backlog,
    Found,
    Lag,
    Recent,
    counted,
    ended_badly,
    of_receipt,
    oldest,
    recent,
    unmatched_reports,
    unwritten,
    waiting,
)
from ussd_gateway.store.inquiry.payments import paid
from ussd_gateway.store.inquiry.records import SqlRecords
from ussd_gateway.store.inquiry.statements import LINES_MAX, TooLong, statement
from ussd_gateway.store.inquiry.vouchers import Waiting, vouchers

__all__ = [
    "COUNTED_MAX",
    "FOR_GOOD",
    "LINES_MAX",
    "QUANTILES",
    "RECENT_MAX",
    "RESENT_MAX",
    "SMS_STATES",
    "Backlog",
    "Found",
    "Item",
    "Lag",
    "Pending",
    "Recent",
    "SqlRecords",
    "Standing",
    "TooLong",
    "Turnover",
    "Uncleared",
    "Waiting",
    "counted",
    "ended_badly",
    "is_closed",
    "of_receipt",
    "oldest",
    "paid",
    "pending",
    "recent",
    "standing",
    "statement",
    "trial_balance",
    "trial_balance_of",
    "turnover_of",
    "uncleared",
    "unmatched_reports",
    "unwritten",
    "vouchers",
    "waiting",
]
