"""Limits by tier: how much at once, and how much a wallet may hold.

A tier says how well its holder is known: whoever registers alone is in the lowest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import Money

LOWEST = "minimum"
STANDARD = "standard"
TIERS = (LOWEST, STANDARD)


@dataclass(frozen=True, slots=True)
class Limit:
    transaction_max: Money
    balance_max: Money


Limits = Mapping[str, Limit]
