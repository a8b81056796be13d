"""Whom a version is for, while it is not for everybody.

Share(10)        one number in ten, by a hash: the same ones when it is widened to Share(50)
Numbers({...})   these phones
Through({...})   whoever comes over these routes
"""

import hashlib
import json
from dataclasses import dataclass

from ussd_gateway.domain.msisdn import Msisdn, masked

numbers_max = 1_000

_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """Of all numbers, by a hash that each version draws anew: it is not always the same people
    who are first."""

    percent: int

    def __post_init__(self) -> None:
        assert 0 < self.percent < 100, "a share is more than nobody and less than everybody"

    def includes(self, digest: str, *, msisdn: str, route: str) -> bool:  # noqa: ARG002
        drawn = hashlib.sha256(f"{digest} {msisdn}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") % _PARTS < self.percent * _PARTS // 100

    def __str__(self) -> str:
        return f"{self.percent} %"


@dataclass(frozen=True, slots=True)
class Numbers:
    msisdns: frozenset[str]

    def __post_init__(self) -> None:
        assert 0 < len(self.msisdns) <= numbers_max, "some numbers, not too many"

    def includes(self, digest: str, *, msisdn: str, route: str) -> bool:  # noqa: ARG002
        return msisdn in self.msisdns

    def __str__(self) -> str:
        first, *others = sorted(masked(Msisdn(msisdn)) for msisdn in self.msisdns)
        return f"{first} and {len(others)} more" if others else first


@dataclass(frozen=True, slots=True)
class Through:
    routes: frozenset[str]

    def __post_init__(self) -> None:
        assert self.routes, "some route"

    def includes(self, digest: str, *, msisdn: str, route: str) -> bool:  # noqa: ARG002
        return route in self.routes

    def __str__(self) -> str:
        return f"route {', '.join(sorted(self.routes))}"


Rollout = Share | Numbers | Through


def packed(rollout: Rollout | None) -> str | None:
    match rollout:
        case None:
            return None
        case Share(percent):
            return json.dumps({"percent": percent})
        case Numbers(msisdns):
            return json.dumps({"numbers": sorted(msisdns)})
        case Through(routes):
            return json.dumps({"routes": sorted(routes)})


def unpacked(text: str | None) -> Rollout | None:
    if text is None:
        return None
    match json.loads(text):
        case {"percent": percent}:
            return Share(percent)
        case {"numbers": numbers}:
            return Numbers(frozenset(numbers))
        case {"routes": routes}:
            return Through(frozenset(routes))
        case other:
            raise AssertionError(f"no rollout: {other}")
