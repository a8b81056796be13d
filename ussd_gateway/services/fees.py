"""What a payment costs, and the legs that carry it.

fee 29, of which excise 3.78, out of the payer's wallet      debit +   credit -
  2440 due to operating (ring)                                          -29.00
  1320 due from trust                                         +29.00
  4020 withdrawal fees                                                  -25.22
  2310 excise                                                            -3.78

commission 10, earned by a store and its head office, outside the ring
  5010 commission expense                                     +10.00
  2210 agent commission, the store's                                     -8.00
  2210 agent commission, its head office's                               -2.00
"""

from datetime import date

from ussd_gateway.domain.accounts import (
    COMMISSION_PAID,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    Code,
    house_id,
)
from ussd_gateway.domain.book import Book, Business
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.limits import Allowance, Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Commission, Fee, PriceBook, Tariff


def in_force(prices: PriceBook, service: str, on: date) -> Tariff:
    """The tariff of a service on a business date."""
    found = prices.tariff(service, on)
    assert found is not None, "files are checked: each service has a tariff by today"
    return found


def price(amount: Money, tariff: Tariff, limit: Limit) -> Fee | Refused:
    """The fee for `amount`, for a person with this limit."""
    if amount < tariff.lowest:
        return Refused(Reason.UNDER_MINIMUM)
    fee = tariff.fee(amount)
    if fee is None or amount > limit.transaction_max:
        return Refused(Reason.OVER_LIMIT)
    return fee


def agreed(amount: Money, tariff: Tariff, allowed: Allowance, *, shown: Money) -> Fee | Refused:
    """The fee, if the payer may spend so much, and it is still the one that they saw."""
    fee = price(amount, tariff, allowed.limit)
    if isinstance(fee, Refused):
        return fee
    over = allowed.refuses(amount)
    if over is not None:
        return Refused(over)
    return fee if fee.total == shown else Refused(Reason.FEE_CHANGED)


def fee_legs(fee: Fee, income: Code) -> tuple[Leg, ...]:
    """All but the payer's own: a fee leaves the trust ring."""
    currency = fee.total.currency
    return moving(
        Leg(house_id(DUE_TO_OPERATING, currency), -fee.total.minor),
        Leg(house_id(DUE_FROM_TRUST, currency), fee.total.minor),
        Leg(house_id(income, currency), -fee.income.minor),
        Leg(house_id(EXCISE, currency), -fee.tax.minor),
    )


def fee_accounts(income: Code, currency: str) -> tuple[int, ...]:
    """The house's accounts that `fee_legs` may touch."""
    codes = (DUE_TO_OPERATING, DUE_FROM_TRUST, income, EXCISE)
    return tuple(house_id(code, currency) for code in codes)


def commission_legs(commission: Commission, store: Business) -> tuple[Leg, ...]:
    paid = house_id(COMMISSION_PAID, commission.total.currency)
    payable_ids = commission_accounts(store)
    shares = (-commission.store.minor, -commission.head_office.minor)
    legs = (Leg(*leg) for leg in zip(payable_ids, shares, strict=False))
    return moving(Leg(paid, commission.total.minor), *legs)


def earns(commission: tuple[Leg, ...], book: Book) -> bool:
    """Whether whoever earns it can be given it: without it there is no deal."""
    return all(book.accounts[leg.account_id].takes(leg.minor) for leg in commission)


def commission_accounts(store: Business) -> tuple[int, ...]:
    """Where a store's commission accrues, and its head office's part, if it has one."""
    assert store.commission_id is not None, "a store has an account for its commission"
    own = store.commission_id
    shared = store.head_office_commission_id
    return (own,) if shared is None else (own, shared)


def moving(*legs: Leg) -> tuple[Leg, ...]:
    """Those that move something."""
    return tuple(leg for leg in legs if leg.minor)
