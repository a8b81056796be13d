"""Limits by tier: `menus/limits.yaml`, which operators write, checked before they are used.

schema: 1
currency: KES
tiers:
  minimum: {transaction: 10000.00, day: 20000.00, month: 100000.00, balance: 50000.00}

Each wider span has room for the narrower one, and a higher tier has no less than a lower one.
Amounts have no commas: between braces YAML would take what is behind one for the next key.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

from ussd_gateway.domain.limits import TIERS, Limit, Limits
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.tariff import PriceBook, Tariff
from ussd_gateway.files import fields, strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Node
from ussd_gateway.services.terms.amounts import plain

SCHEMA = "1"

SPANS = ("transaction", "day", "month", "balance")
# Of one tier, the first is never more than the second: else it could not be used up.
_WITHIN = (("transaction", "day"), ("day", "month"), ("transaction", "balance"))

# What people pay, or bring, up to their limit. Airtime and content end where they are sold.
_UP_TO_LIMIT = ("send", "withdraw", "deposit", "pay_bill", "buy_goods")

_WITH_COMMAS = re.compile(r"[0-9]+(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9])")

_Amounts = Mapping[str, tuple[Node, Money]]  # by span; those that can be read


def read_limits(source: str, file: str, currency: str) -> tuple[Limits, list[Fault]]:
    """The limits of every tier, and every fault. With faults, use none of it."""
    faults = Faults(file)
    found = _read(source, currency, faults)
    _compare(found, faults)
    return ({}, faults.errors) if faults.errors else (_limits(found), [])


def beyond_tariffs(
    source: str, file: str, currency: str, prices: PriceBook, today: date
) -> Iterator[Fault]:
    """Warnings of what limits allow, and tariffs that hold now or later refuse."""
    tops: dict[Money, list[str]] = {}
    for service in _UP_TO_LIMIT:
        for tariff in _to_come(prices, service, today):
            later = f" from {tariff.since} on" if tariff.since > today else ""
            tops.setdefault(tariff.highest, []).append(f"{service}{later}")
    told: set[Money] = set()
    for tier, amounts in _read(source, currency, Faults(file)).items():
        node, limit = amounts["transaction"]
        for top, services in tops.items() if limit not in told else ():
            if top < limit:
                allows = f"{tier}: a transaction of {plain(limit)}"
                says = f"{allows}, but the highest of {', '.join(services)} is {plain(top)}"
                yield Fault("W51", file, node.line, says, "raise that band, or lower the limit")
        told.add(limit)


def _to_come(prices: PriceBook, service: str, today: date) -> Iterator[Tariff]:
    holds = prices.tariff(service, today)
    return (each for each in prices.tariffs[service] if each is holds or each.since > today)


def _read(source: str, currency: str, faults: Faults) -> Mapping[str, _Amounts]:
    for line, text in enumerate(source.splitlines(), 1):
        for amount in _WITH_COMMAS.findall(text.partition("#")[0]):
            faults.add("E44", line, amount, f"write no commas: {amount.replace(',', '')}")
    if faults.errors:
        return {}
    root = strict_yaml.read(source.encode(), faults)
    if root is None:
        if not faults.errors:
            faults.add("E00", 1, "an empty file", "write schema, currency and tiers")
        return {}

    header = fields.mapping(
        root, faults, where="the file", required=("schema", "currency", "tiers")
    )
    fields.expect(header.get("schema"), SCHEMA, faults, where="schema")
    fields.expect(header.get("currency"), currency, faults, where="currency")
    if "tiers" not in header:
        return {}
    tiers = fields.mapping(header["tiers"], faults, where="tiers", required=TIERS)
    return {tier: _amounts(tier, node, currency, faults) for tier, node in tiers.items()}


def _amounts(tier: str, node: Node, currency: str, faults: Faults) -> _Amounts:
    nodes = fields.mapping(node, faults, where=tier, required=SPANS)
    read = {span: (each, _amount(each, currency, faults)) for span, each in nodes.items()}
    return {span: (each, amount) for span, (each, amount) in read.items() if amount}


def _amount(node: Node, currency: str, faults: Faults) -> Money | None:
    text = fields.word(node, faults, where="an amount")
    amount = parse_typed(text, currency)
    if text and amount is None:
        faults.add("E44", node.line, text, "write an amount such as 250000.00")
    return amount


def _compare(found: Mapping[str, _Amounts], faults: Faults) -> None:
    for tier, amounts in found.items():
        for less, more in _WITHIN:
            says = f"{tier}: a {more} under a {less}"
            _has(amounts.get(more), amounts.get(less), says, faults)
    for lower, upper in pairwise(tier for tier in TIERS if tier in found):
        for span in SPANS:
            says = f"{upper}: a {span} under that of tier {lower}"
            _has(found[upper].get(span), found[lower].get(span), says, faults)


def _has(
    more: tuple[Node, Money] | None, less: tuple[Node, Money] | None, says: str, faults: Faults
) -> None:
    if more is None or less is None:
        return
    (node, amount), (_, least) = more, less
    if amount < least:
        faults.add("E50", node.line, says, f"write {plain(least)} or more")


def _limits(found: Mapping[str, _Amounts]) -> Limits:
    def most(tier: str, span: str) -> Money:
        return found[tier][span][1]

    return {tier: Limit(*(most(tier, span) for span in SPANS)) for tier in found}
