"""What a payer may still spend, as it stands under the lock, and what a payment uses of it.

Whatever leaves a wallet counts, without its fee: sent, paid, withdrawn, bought as airtime. What
is charged to a phone bill never was in the wallet.
"""

from datetime import date

from ussd_gateway.domain.book import Book, Spent, Subscriber
from ussd_gateway.domain.limits import Allowance, Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason

# Told after the PIN only: whoever borrowed the phone is not to learn how much it may spend.
OVERSPENT = (Reason.OVER_DAY, Reason.OVER_MONTH, Reason.OVER_OWN_CAP)


def allowance(payer: Subscriber, limit: Limit, book: Book) -> Allowance:
    used = book.accounts[payer.wallet_id].used.at(book.today)
    return Allowance(limit, used, payer.cap_payment, payer.cap_day)


def spent(payer: Subscriber, amount: Money, *, back_of: date | None = None) -> Spent:
    """`back_of`: it came back, and was paid on that date."""
    return Spent(payer.wallet_id, amount.minor, back_of)
