"""What only shows when a whole program is followed: its paths, its screens, its words.

Run on a program whose names, types and targets are right already. `against`, which compares
with what is published, is asked for by itself.
"""

from ussd_gateway.ussd.lint.every import check

__all__ = ["check"]
