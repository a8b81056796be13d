"""Limits by tier: `menus/limits.yaml`, which operators write, checked before they are used.

schema: 1
currency: KES
tiers:
  minimum: {transaction: 10000.00, balance: 50000.00}
"""

from collections.abc import Iterator

import yaml

from ussd_gateway.domain.limits import TIERS, Limit, Limits
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.services.tariffs import FileFault

_HEADER = ("schema", "currency", "tiers")
_AMOUNTS = ("transaction", "balance")


class _Wrong(Exception):
    """`line` from 1, and what to do."""

    def __init__(self, node: yaml.Node | None, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1 if node else 1


def read_limits(source: str, file: str, currency: str) -> tuple[Limits, list[FileFault]]:
    """The limits of every tier, and the first fault. With a fault, use none of it."""
    try:
        root = yaml.compose(source, yaml.CSafeLoader)
        return dict(_tiers(root, currency)), []
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "a character that no text has"
        return {}, [FileFault(file, mark.line + 1 if mark else 1, f"no YAML: {why}")]
    except _Wrong as wrong:
        return {}, [FileFault(file, wrong.line, str(wrong))]


def _tiers(root: yaml.Node | None, currency: str) -> Iterator[tuple[str, Limit]]:
    if root is None:
        raise _Wrong(None, "an empty file: write schema, currency and tiers")
    header = _mapping(root, _HEADER)
    _expect(header["schema"], "1")
    _expect(header["currency"], currency)
    for tier, node in _mapping(header["tiers"], TIERS).items():
        amounts = {
            name: _amount(each, currency) for name, each in _mapping(node, _AMOUNTS).items()
        }
        yield tier, Limit(amounts["transaction"], amounts["balance"])


def _mapping(node: yaml.Node, names: tuple[str, ...]) -> dict[str, yaml.Node]:
    """Just these keys, each once."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    found = {str(key.value): value for key, value in pairs}
    if set(found) != set(names) or len(found) != len(pairs):
        raise _Wrong(node, f"write each of these once, and nothing else: {', '.join(names)}")
    return found


def _expect(node: yaml.Node, value: str) -> None:
    if node.value != value:
        raise _Wrong(node, f"write {value}")


def _amount(node: yaml.Node, currency: str) -> Money:
    found = parse_typed(node.value, currency) if isinstance(node.value, str) else None
    if found is None:
        raise _Wrong(node, "write an amount such as 250000.00")
    return found
