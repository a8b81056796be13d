"""How outcomes and message parameters are written in a text column: JSON, money as an
object."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ussd_gateway.domain.book import Outcome
from ussd_gateway.domain.money import Money

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


def encode_values(values: Mapping[str, Any]) -> str:
    return _encode(values).decode()


def decode_values(text: str) -> dict[str, Any]:
    return _with_money(_decode(text))


def encode_outcome(name: str, values: Mapping[str, Any]) -> str:
    return _encode([name, values]).decode()


def decode_outcome(text: str) -> Outcome:
    name, values = _decode(text)
    return Outcome(name, _with_money(values))


def _with_money(values: dict[str, Any]) -> dict[str, Any]:
    return {k: Money(**v) if isinstance(v, dict) else v for k, v in values.items()}
