"""Vouchers without a lock: those of a number, and those whose time is over."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, literal_column, or_, select

from ussd_gateway.domain.book import Status
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.voucher import Voucher, VoucherState
from ussd_gateway.store.asked import asking
from ussd_gateway.store.rows import VOUCHER, voucher_of
from ussd_gateway.store.schema import account, voucher

# Of those of a number that went back: whoever types the code of an older one hears that there
# is no such code. Open ones have no bound: newer ones must not hide one that can still be
# cashed, and each costs its sender a fee and a part of their limits.
RETURNED_MAX = 50
# Written out, and no parameter: or the index of those that are open would not be used.
_OPEN = voucher.c.state == literal_column(f"'{VoucherState.OPEN.value}'")
_VOUCHERS = select(*(voucher.c[name] for name in VOUCHER.split(", ")))
# A wallet that takes nothing in, or not so much, is looked at again when it does.
_ROOM = or_(
    account.c.cap.is_(None),
    account.c.credits - account.c.debits + account.c.credits_pending + voucher.c.minor
    <= account.c.cap,
)


class SqlVouchers:
    """`ports.Vouchers`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_number(self, msisdn: Msisdn) -> Sequence[Voucher]:
        theirs = _VOUCHERS.where(voucher.c.msisdn == msisdn)
        newest_first = theirs.order_by(voucher.c.sent_at_ms.desc(), voucher.c.id)
        returned = newest_first.where(voucher.c.state == VoucherState.RETURNED.value)
        return self._look(theirs.where(_OPEN)) + self._look(returned.limit(RETURNED_MAX))

    def voucher(self, voucher_id: int) -> Voucher | None:
        return next(iter(self._look(_VOUCHERS.where(voucher.c.id == voucher_id))), None)

    def overdue(self, now_ms: int, *, count_max: int) -> Sequence[Voucher]:
        found = (
            _VOUCHERS.join(account, account.c.id == voucher.c.wallet_id)
            .where(
                _OPEN,
                voucher.c.expires_at_ms <= now_ms,
                account.c.status == Status.ACTIVE.value,
                _ROOM,
            )
            .order_by(voucher.c.expires_at_ms)
            .limit(count_max)
        )
        return self._look(found)

    def _look(self, found: Select[Any]) -> list[Voucher]:
        with asking(self._engine) as connection:
            return [voucher_of(tuple(row)) for row in connection.execute(found)]
