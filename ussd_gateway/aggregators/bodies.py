"""What was sent, as fields: of a form, a query or a JSON object.

A body that is none of them, holds a field twice, or too many, is nothing (None): nobody can say
which was meant. So is one with a number beyond all numbers (`1e999`): nothing could send it
back. A field of an object inside another goes by both names: `payload.request_id`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

fields_max = 32

Plain = str | int | float | bool | None
Fields = Mapping[str, Plain]
AnyPlain = TypeVar("AnyPlain", str, Plain)
Reads = Callable[[bytes], Fields | None]


def form_fields(octets: bytes) -> Mapping[str, str] | None:
    """Of a urlencoded body, or of the query of an address."""
    try:
        pairs = parse_qsl(
            octets.decode(), keep_blank_values=True, errors="strict", max_num_fields=fields_max
        )
    except ValueError:
        return None
    return _once(pairs)


def json_fields(octets: bytes) -> Fields | None:
    """Of an object. What stands in lists is left out."""
    try:
        read = json.loads(
            octets, object_pairs_hook=tuple, parse_float=_finite, parse_constant=_refuse
        )
        if not isinstance(read, tuple):
            return None
        pairs = list(_flat(read, ""))
    except (ValueError, RecursionError):
        return None
    return _once(pairs) if len(pairs) <= fields_max else None


def _once(pairs: Sequence[tuple[str, AnyPlain]]) -> Mapping[str, AnyPlain] | None:
    """By name; a field without one could be taken for a field that is not sent."""
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) and "" not in fields else None


def _finite(number: str) -> float:
    read = float(number)
    if not math.isfinite(read):
        raise ValueError("no JSON could say it")
    return read


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _flat(pairs: Sequence[tuple[str, object]], within: str) -> Iterator[tuple[str, Plain]]:
    for name, value in pairs:
        if isinstance(value, tuple):
            yield from _flat(value, f"{within}{name}.")
        elif value is None or isinstance(value, str | int | float):
            if isinstance(value, str) and not value.isascii():
                # Half a character, which JSON can write, could be sent to nobody.
                value.encode()
            yield within + name, value
