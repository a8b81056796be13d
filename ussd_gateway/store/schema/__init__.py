"""The tables, for SQLite and PostgreSQL alike. Migrations make them; a test holds the two
equal.

    subscriber --wallet_id--> account <--account_id-- entry --journal_id--> journal
                                                                              ^
    outbox (SMS to send) <- sms_report            idempotency (key, outcome) -+
    purchase (to ask of a carrier)                     batch_id |
    hold (money that waits between two accounts)       batch <-+- seal (the chain)
    voucher (money that waits under a code)
    price_book <--tariff-- journal
    end_of_day (an account's totals) --business_date--> closed_day

    business --account_id--> account      assistant: which subscriber works at which store
    opt_out (numbers that want no notices)      receipt_ask (how often a number asked)

    menu_proposal --> menu_version <-- menu_live      staff <-- staff_sign_in
          ^--- menu_approval ----------^

Times are whole milliseconds since 1970 UTC, money is whole minor units, and business dates are
the market's own calendar, `2026-11-21`. Rows of journal, entry, idempotency, batch, seal,
price_book, end_of_day and closed_day never change: triggers forbid it. An entry's journal and
account carry no foreign key: the writer has both rows in hand when it writes one, the checks
would cost a third of its speed, and `ledger verify` looks.
"""

from ussd_gateway.store.schema.asks import receipt_ask
from ussd_gateway.store.schema.base import RowId, metadata
from ussd_gateway.store.schema.books import (
    LEAST,
    MOST,
    account,
    assistant,
    batch,
    business,
    closed_day,
    counter,
    day_counter,
    end_of_day,
    entry,
    hold,
    idempotency,
    journal,
    price_book,
    purchase,
    registration,
    seal,
    subscriber,
    unsealed,
    voucher,
)
from ussd_gateway.store.schema.menus import (
    menu_approval,
    menu_live,
    menu_proposal,
    menu_retired,
    menu_stopped,
    menu_version,
)
from ussd_gateway.store.schema.screens import menu_count, menu_recorded, menu_recording
from ussd_gateway.store.schema.sms import (
    DUE,
    IN_DOUBT,
    IN_FLIGHT,
    OPEN,
    SILENT,
    UNWRITTEN,
    WAITING,
    opt_out,
    outbox,
    sms_report,
)
from ussd_gateway.store.schema.staff import staff, staff_sign_in

__all__ = [
    "DUE",
    "IN_DOUBT",
    "IN_FLIGHT",
    "LEAST",
    "MOST",
    "OPEN",
    "SILENT",
    "UNWRITTEN",
    "WAITING",
    "RowId",
    "account",
    "assistant",
    "batch",
    "business",
    "closed_day",
    "counter",
    "day_counter",
    "end_of_day",
    "entry",
    "hold",
    "idempotency",
    "journal",
    "menu_approval",
    "menu_count",
    "menu_live",
    "menu_proposal",
    "menu_recorded",
    "menu_recording",
    "menu_retired",
    "menu_stopped",
    "menu_version",
    "metadata",
    "opt_out",
    "outbox",
    "price_book",
    "purchase",
    "receipt_ask",
    "registration",
    "seal",
    "sms_report",
    "staff",
    "staff_sign_in",
    "subscriber",
    "unsealed",
    "voucher",
]
