"""Rows of the database as the values that decisions read."""

from typing import Any

from ussd_gateway.domain.book import Account, Business, Subscriber, Trade

# The columns that each function below takes, in its order.
SUBSCRIBER = (
    "id, msisdn, name, language, tier, active, wallet_id, "
    "pin_kid, pin_salt, pin_tag, wrong_tries"
)
ACCOUNT = (
    "id, currency, side, debits, credits, debits_pending, credits_pending, floor, cap, seq"
)
BUSINESS = "number, trade, name, msisdn, language, account_id, commission_id, account_digits"


def subscriber_of(row: tuple[Any, ...]) -> Subscriber:
    number, msisdn, name, language, tier, active, wallet_id, kid, salt, tag, wrong_tries = row
    return Subscriber(
        number,
        msisdn,
        name,
        language,
        tier,
        bool(active),
        wallet_id,
        kid,
        salt,
        tag,
        wrong_tries,
    )


def business_of(row: tuple[Any, ...]) -> Business:
    number, trade, *rest = row
    return Business(number, Trade(trade), *rest)


def account_of(row: tuple[Any, ...]) -> Account:
    return Account(*row)
