"""Amounts of money, as operators write them."""

from ussd_gateway.domain.money import Money, parse_typed


def in_minor(text: str | None, currency: str) -> int | None:
    if text is not None and text.strip(" 0.") == "" and "0" in text:
        return 0
    money = parse_typed(text or "", currency)
    return None if money is None else money.minor


def plain(amount: Money) -> str:
    """As operators write it: 250000.00."""
    return amount.plain.replace(",", "")
