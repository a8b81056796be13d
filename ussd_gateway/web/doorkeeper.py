"""Who may knock: the secret token in the path, and the address behind it.

Nothing that an aggregator sends is signed. So the path holds a token (two live ones while it is
changed), compared in constant time and never logged, and only listed addresses are let in.
Behind a proxy the caller's address is the last one in X-Forwarded-For that no trusted proxy
wrote.
"""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

known_callers_max = 1_000

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Doorkeeper:
    def __init__(
        self, *, tokens: Sequence[str], allowed: Sequence[Network], proxies: Sequence[Network]
    ) -> None:
        self._tokens = [token.encode() for token in tokens]
        self._allowed = tuple(allowed)
        self._proxies = tuple(proxies)
        # An aggregator knocks from a few addresses, thousands of times.
        self.lets_in = lru_cache(known_callers_max)(self._lets_in)

    def knows(self, token: str) -> bool:
        given = token.encode()
        return any(hmac.compare_digest(given, known) for known in self._tokens)

    def _lets_in(self, remote: str, forwarded_for: str) -> bool:
        """`remote` is the peer of the connection, `forwarded_for` the header, or empty."""
        address = self._caller(remote, forwarded_for)
        return address is not None and any(address in network for network in self._allowed)

    def _caller(self, remote: str, forwarded_for: str) -> Address | None:
        address = _address(remote)
        hops = [hop for hop in forwarded_for.split(",") if hop.strip()]
        while address is not None and hops and self._is_proxy(address):
            address = _address(hops.pop())
        return address

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
