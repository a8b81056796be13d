"""What a payment costs, and the legs that carry it.

fee 29, of which excise 3.78, out of the payer's wallet      debit +   credit -
  2440 due to operating (ring)                                          -29.00
  1320 due from trust                                         +29.00
  4020 withdrawal fees                                                  -25.22
  2310 excise                                                            -3.78

commission 10, earned by a store, outside the ring
  5010 commission expense                                     +10.00
  2210 agent commission                                                 -10.00
"""

from ussd_gateway.domain.accounts import (
    COMMISSION_PAID,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    Code,
    house_id,
)
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import Fee, Tariff


def price(amount: Money, tariff: Tariff, limit: Limit) -> Fee | Refused:
    """The fee for `amount`, for a person with this limit."""
    if amount < tariff.lowest:
        return Refused(Reason.UNDER_MINIMUM)
    fee = tariff.fee(amount)
    if fee is None or amount > limit.transaction_max:
        return Refused(Reason.OVER_LIMIT)
    return fee


def agreed(amount: Money, tariff: Tariff, limit: Limit, *, shown: Money) -> Fee | Refused:
    """The fee, if it is still the one that the payer saw."""
    fee = price(amount, tariff, limit)
    if isinstance(fee, Refused) or fee.total == shown:
        return fee
    return Refused(Reason.FEE_CHANGED)


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


def commission_legs(commission: Money, payable_id: int) -> tuple[Leg, ...]:
    return moving(
        Leg(house_id(COMMISSION_PAID, commission.currency), commission.minor),
        Leg(payable_id, -commission.minor),
    )


def moving(*legs: Leg) -> tuple[Leg, ...]:
    """Those that move something."""
    return tuple(leg for leg in legs if leg.minor)
