"""Gives a voucher's money back where nobody came for it in a week.

unclaimed -> wallet    the amount, and what limits counted of it; the fee stays paid
"""

from dataclasses import dataclass

from ussd_gateway.domain.accounts import UNCLAIMED, house_id
from ussd_gateway.domain.book import Book, Decision, VoucherEnded
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.voucher import Voucher, VoucherState
from ussd_gateway.ports import Scalar, Vouchers
from ussd_gateway.services.orders.desk import Desk, Objected, Objection, objected
from ussd_gateway.services.spending import spent
from ussd_gateway.services.teller import tell

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"voucher_returned"})
OVERDUE_MAX = 50


def give_back(voucher_id: int, market: Market, book: Book) -> Decision | Objected:
    """Pure."""
    voucher = book.vouchers[voucher_id]
    if voucher.state is not VoucherState.OPEN:
        return objected(Objection.DECIDED, state=voucher.state.value)
    if not voucher.overdue(book.now_ms):
        return objected(Objection.NOT_OVERDUE)
    wallet = book.accounts[voucher.wallet_id]
    if not wallet.status.takes_in:
        return objected(Objection.TARGET_BARRED, status=wallet.status.value)
    if not wallet.takes(-voucher.minor):
        return objected(Objection.TARGET_FULL)
    sender = book.subscribers[voucher.subscriber_id]
    unclaimed = house_id(UNCLAIMED, voucher.currency)
    legs = (Leg(unclaimed, voucher.minor), Leg(wallet.id, -voucher.minor))
    seen: dict[str, Scalar] = {
        "amount": voucher.amount,
        "number": masked(voucher.msisdn),
        "balance": wallet.balance + voucher.amount,
    }
    return Decision(
        "ok",
        {"voucher": voucher.id, **seen},
        Posting("voucher_returned", legs),
        (tell(sender, "voucher_returned", seen),),
        changes=(VoucherEnded(voucher.id, VoucherState.RETURNED),),
        spent=spent(sender, voucher.amount, back_of=market.business_date(voucher.sent_at_ms)),
    )


@dataclass(frozen=True, slots=True)
class VouchersOverdue:
    """Gives back what nobody came for in time."""

    desk: Desk
    vouchers: Vouchers

    def give_back(self) -> int:
        """A few of them; gives how many it looked at. Each is a command of its own, under a key
        of its own, so several schedulers do no harm. Raises BooksLost."""
        overdue = self.vouchers.overdue(self.desk.now_ms(), count_max=OVERDUE_MAX)
        for voucher in overdue:
            self._give_back(voucher)
        return len(overdue)

    def _give_back(self, voucher: Voucher) -> None:
        self.desk.commit(
            self.desk.overdue(f"voucher:{voucher.id}:returned"),
            (voucher.id,),
            subject=f"voucher:{voucher.id}",
            subscribers=(voucher.subscriber_id,),
            accounts=(voucher.wallet_id, house_id(UNCLAIMED, voucher.currency)),
            vouchers=(voucher.id,),
            decide=lambda book: give_back(voucher.id, self.desk.market, book),
        )
