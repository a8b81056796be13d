"""The trust ring, written out from the chart of accounts: whose sum is zero at every commit.

    1010 + 1020  =  e-money (201x to 205x, 2410 to 2430)  +  2440

What is charged to phones (1120, 2110, 2120, 2130) stands outside it: no journal has legs of
both.

Entries are signed, a debit positive, so the two sides of the equation sum to zero as they are.
"""

TRUST_MONEY = frozenset({1010, 1020})
HELD_MONEY = frozenset(range(2010, 2060))
E_MONEY = HELD_MONEY | frozenset(range(2410, 2431))
RING = TRUST_MONEY | E_MONEY | frozenset({2440})
UNCLAIMED = 2410
AIRTIME_ON_ORDER = 2421
CARRIER_MONEY = frozenset({1120, 2110, 2120, 2130})
