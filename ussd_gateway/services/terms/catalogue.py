"""What may be bought on a phone bill: `menus/content.csv`, which operators write.

One row an item: code (the name that menus use), merchant (its number), name, currency, price.
What is not in it cannot be bought.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.services.terms.rows import Slip, read_rows

COLUMNS = ("code", "merchant", "name", "currency", "price")
NAME_LENGTH_MAX = 20
# People choose from all of it on a phone.
ITEMS_MAX = 50


@dataclass(frozen=True, slots=True)
class Item:
    code: str
    merchant: str
    name: str
    price: Money


def read_catalogue(
    text: str, file: str, currency: str
) -> tuple[Mapping[str, Item], list[Fault]]:
    """The items by code, and every fault. With faults, use none of it."""
    items: dict[str, Item] = {}
    faults = Faults(file)
    for line, row in read_rows(text, COLUMNS, faults):
        slip = _add(items, currency, *(row[name] or "" for name in COLUMNS))
        if slip:
            code, found, advice = slip
            faults.add(code, line, found, advice)
    return items, faults.errors


def _add(
    items: dict[str, Item], ours: str, code: str, merchant: str, name: str, *priced: str
) -> Slip | None:
    currency, price = priced
    if not code or code in items:
        return "E45", f"code is {code!r}", "each row needs a code of its own"
    if not (merchant.isascii() and merchant.isdigit()):
        return "E45", f"merchant is {merchant!r}", "write its number"
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        return "E45", f"name is {name!r}", f"write 1 to {NAME_LENGTH_MAX} characters"
    if len(items) == ITEMS_MAX:
        return "E45", f"more than {ITEMS_MAX} items", "nobody would page through them"
    if currency != ours:
        return "E32", f"currency is {currency!r}", f"the books are kept in {ours}"
    amount = parse_typed(price, currency)
    if amount is None:
        return "E44", f"price is {price!r}", "write an amount such as 20.00"
    items[code] = Item(code, merchant, name, amount)
    return None
