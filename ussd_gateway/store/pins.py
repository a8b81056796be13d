"""PIN verifiers: what is stored in the place of a PIN; and tickets, for a PIN in several hops.

    tag = HMAC-SHA256(key named kid, version, subscriber, salt, PIN)

A PIN of four digits has ten thousand values, so no hash of it alone is safe from one who holds
the table: a slow one falls in minutes. The key stands outside the database; without it the
table says nothing.

    ticket = HMAC-SHA256(key, fields), fields

A ticket is handed to the session, and comes back with a later hop: it may be read there, and
not be written.
"""

import hmac
from collections.abc import Callable
from urllib.parse import quote, unquote

from ussd_gateway.ports import Secret

VERSION = 1


class HmacPinVerifier:
    """`ports.PinVerifier`. `key` gives the key named `kid`, and raises KeyError for no such."""

    def __init__(self, key: Callable[[str], bytes]) -> None:
        self._key = key

    def tag(self, *, kid: str, subscriber_id: int, salt: bytes, pin: Secret) -> bytes:
        head = VERSION.to_bytes(1, "big") + subscriber_id.to_bytes(8, "big") + salt
        return hmac.digest(self._key(kid), head + pin.reveal().encode(), "sha256")


class HmacTickets:
    """`ports.Tickets`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, *fields: str) -> str:
        told = "&".join(quote(each, safe="") for each in fields)
        return f"{self._mac(told)}.{told}"

    def open(self, ticket: str) -> tuple[str, ...] | None:
        mac, _, told = ticket.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(told).encode()):
            return None
        return tuple(map(unquote, told.split("&")))

    def _mac(self, told: str) -> str:
        return hmac.digest(self._key, told.encode(), "sha256").hex()
