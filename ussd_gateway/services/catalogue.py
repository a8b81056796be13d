"""What may be bought on a phone bill: `menus/content.csv`, which operators write.

One row an item: code (the name that menus use), merchant (its number), name, currency, price.
What is not in it cannot be bought.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.services.tariffs import FileFault, too_many

COLUMNS = ("code", "merchant", "name", "currency", "price")
NAME_LENGTH_MAX = 20


@dataclass(frozen=True, slots=True)
class Item:
    code: str
    merchant: str
    name: str
    price: Money


def read_catalogue(
    text: str, file: str, currency: str
) -> tuple[Mapping[str, Item], list[FileFault]]:
    """The items by code, and every fault. With faults, use none of it."""
    reader = csv.DictReader(io.StringIO(text), restkey="rest")
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return {}, [FileFault(file, 1, f"the first line must be: {','.join(COLUMNS)}")]

    items: dict[str, Item] = {}
    faults: list[FileFault] = []
    for row in reader:
        fault = too_many(row) or _add(items, currency, *(row[name] or "" for name in COLUMNS))
        if fault:
            faults.append(FileFault(file, reader.line_num, fault))
    return items, faults


def _add(
    items: dict[str, Item], ours: str, code: str, merchant: str, name: str, *priced: str
) -> str | None:
    currency, price = priced
    if not code or code in items:
        return "each row needs a code of its own"
    if not (merchant.isascii() and merchant.isdigit()):
        return f"merchant is {merchant!r}: write its number"
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        return f"name is {name!r}: write 1 to {NAME_LENGTH_MAX} characters"
    if currency != ours:
        return f"currency is {currency!r}: the books are kept in {ours}"
    amount = parse_typed(price, currency)
    if amount is None:
        return f"price is {price!r}: write an amount such as 20.00"
    items[code] = Item(code, merchant, name, amount)
    return None
