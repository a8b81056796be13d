"""Limits by tier: `menus/limits.yaml`, which operators write, checked before they are used.

schema: 1
currency: KES
tiers:
  minimum: {transaction: 10000.00, balance: 50000.00}
"""

from ussd_gateway.domain.limits import TIERS, Limit, Limits
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node

SCHEMA = "1"


def read_limits(source: str, file: str, currency: str) -> tuple[Limits, list[Fault]]:
    """The limits of every tier, and every fault. With faults, use none of it."""
    faults = Faults(file)
    root = strict_yaml.read(source.encode(), faults)
    if root is None:
        empty = Fault("E00", file, 1, "an empty file", "write schema, currency and tiers")
        return {}, faults.errors or [empty]

    header = fields.mapping(
        root, faults, where="the file", required=("schema", "currency", "tiers")
    )
    fields.expect(header.get("schema"), SCHEMA, faults, where="schema")
    fields.expect(header.get("currency"), currency, faults, where="currency")
    limits = {}
    if "tiers" in header:
        tiers = fields.mapping(header["tiers"], faults, where="tiers", required=TIERS)
        limits = {tier: _limit(tier, node, currency, faults) for tier, node in tiers.items()}
    return ({}, faults.errors) if faults.errors else (limits, [])


def _limit(tier: str, node: Node, currency: str, faults: Faults) -> Limit:
    found = fields.mapping(node, faults, where=tier, required=("transaction", "balance"))
    return Limit(
        _amount(found.get("transaction"), currency, faults),
        _amount(found.get("balance"), currency, faults),
    )


def _amount(node: Node | None, currency: str, faults: Faults) -> Money:
    text = fields.word(node, faults, where="an amount")
    amount = parse_typed(text, currency)
    if node is not None and text and amount is None:
        faults.add("E44", node.line, text, "write an amount such as 250000.00")
    return amount or Money(0, currency)
