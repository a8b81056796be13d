"""PIN verifiers: what is stored in the place of a PIN.

    tag = HMAC-SHA256(key named kid, version, subscriber, salt, PIN)

A PIN of four digits has ten thousand values, so no hash of it alone is safe from one who holds
the table: a slow one falls in minutes. The key stands outside the database; without it the
table says nothing.
"""

import hmac
from collections.abc import Callable

from ussd_gateway.ports import Secret

VERSION = 1
SALT_OCTETS = 16


class HmacPinVerifier:
    """`ports.PinVerifier`. `key` gives the key named `kid`, and raises KeyError for no such."""

    def __init__(self, key: Callable[[str], bytes]) -> None:
        self._key = key

    def tag(self, *, kid: str, subscriber_id: int, salt: bytes, pin: Secret) -> bytes:
        head = VERSION.to_bytes(1, "big") + subscriber_id.to_bytes(8, "big") + salt
        return hmac.digest(self._key(kid), head + pin.reveal().encode(), "sha256")
