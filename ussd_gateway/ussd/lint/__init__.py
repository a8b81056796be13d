"""What only shows when a whole program is followed: its paths, its screens, its words."""

from ussd_gateway.ussd.lint.paths import check

__all__ = ["check"]
