"""Rows of the database as the values that decisions read."""

from typing import Any

from ussd_gateway.domain.book import Account, Subscriber


def subscriber_of(row: tuple[Any, ...]) -> Subscriber:
    """From the columns of `subscriber`, in the table's order."""
    number, msisdn, name, language, active, wallet_id, kid, salt, tag, wrong_tries = row
    return Subscriber(
        number, msisdn, name, language, bool(active), wallet_id, kid, salt, tag, wrong_tries
    )


def account_of(row: tuple[Any, ...]) -> Account:
    """From id, currency, side, the four totals, floor, cap and seq."""
    return Account(*row)
