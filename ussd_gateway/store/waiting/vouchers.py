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

# Of a number: more than anybody is ever sent.
OF_NUMBER_MAX = 50
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
        newest_first = (_OPEN.desc(), voucher.c.sent_at_ms.desc(), voucher.c.id)
        found = _VOUCHERS.where(
            voucher.c.msisdn == msisdn, voucher.c.state != VoucherState.CASHED.value
        )
        return self._look(found.order_by(*newest_first).limit(OF_NUMBER_MAX))

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
