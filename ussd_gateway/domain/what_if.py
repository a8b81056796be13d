"""What past payments would have cost under other tariffs: for whoever thinks of changing them.

A payment that other bands would refuse costs nothing then, as it is not made. Whether people
would pay as before, nobody knows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Fee, PriceBook


@dataclass(frozen=True, slots=True)
class Charge:
    """What a payment costs its two sides together, what of that is tax, and what agents earn
    by it."""

    fee: Money
    tax: Money
    commission: Money

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(
            self.fee + other.fee, self.tax + other.tax, self.commission + other.commission
        )

    @property
    def left(self) -> Money:
        """The house's own."""
        return self.fee - self.tax - self.commission


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that was made, and what it cost."""

    kind: str
    amount: Money
    charged: Charge


@dataclass(frozen=True, slots=True)
class Priced:
    """All payments of a kind, as they were charged and as they would be."""

    kind: str
    payments: int
    volume: Money
    now: Charge
    then: Charge
    refused: int

    @property
    def difference(self) -> Money:
        return self.then.left - self.now.left


@dataclass(frozen=True, slots=True)
class _By:
    """The services by which a kind of payment is priced."""

    fee: str | None = None
    kept: str | None = None
    commission: str | None = None


_KINDS: Mapping[str, _By] = {
    "send_money": _By("send"),
    "voucher": _By("voucher"),
    "withdraw": _By("withdraw", commission="withdraw.commission"),
    "deposit": _By("deposit", commission="deposit.commission"),
    "voucher_cashed": _By(commission="withdraw.commission"),
    "pay_bill": _By("pay_bill", kept="pay_bill.business"),
    "buy_goods": _By("buy_goods"),
    "airtime": _By("airtime"),
}
KINDS = frozenset(_KINDS)


def price_again(payments: Iterable[Paid], prices: PriceBook) -> tuple[Priced, ...]:
    """By kind, in the order of the table above, and by currency. Of each service its newest
    tariff counts, from whenever it is."""
    totals: dict[tuple[str, str], Priced] = {}
    for paid in payments:
        key = paid.kind, paid.amount.currency
        so_far = totals.get(key) or _nothing(*key)
        then = _charge(paid, prices)
        totals[key] = Priced(
            paid.kind,
            so_far.payments + 1,
            so_far.volume + paid.amount,
            so_far.now + paid.charged,
            so_far.then + then if then else so_far.then,
            so_far.refused + (then is None),
        )
    order = list(_KINDS)
    return tuple(totals[key] for key in sorted(totals, key=lambda key: order.index(key[0])))


def _charge(paid: Paid, prices: PriceBook) -> Charge | None:
    """None where the bands refuse it."""
    by, amount = _KINDS[paid.kind], paid.amount
    nothing = Fee(Money(0, amount.currency), Money(0, amount.currency))
    fee = _fee(prices, by.fee, amount) if by.fee else nothing
    if fee is None:
        return None
    both = fee + ((by.kept and _fee(prices, by.kept, amount)) or nothing)
    earned = (by.commission and _fee(prices, by.commission, amount)) or nothing
    return Charge(both.total, both.tax, earned.total)


def _fee(prices: PriceBook, service: str, amount: Money) -> Fee | None:
    tariff = prices.newest(service)
    return tariff.fee(amount) if tariff.currency == amount.currency else None


def _nothing(kind: str, currency: str) -> Priced:
    nothing = Money(0, currency)
    free = Charge(nothing, nothing, nothing)
    return Priced(kind, 0, nothing, free, free, 0)
