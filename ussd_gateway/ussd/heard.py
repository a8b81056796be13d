"""What is remembered of the text of a session: its length, and a keyed hash; never the text.

An aggregator sends every input so far with each callback, so each later text repeats a PIN.
What was typed in secret is overwritten before it is hashed: nothing that is kept depends on a
PIN but its length. By length and hash a repeat is told from the next hop, and both from a text
that does not follow: another session's, another phone's, or one that goes back.

    text     1*0711000002*500*4826        hidden  ((17, 4),)
    hashed   1*0711000002*500*????
"""

import hmac

from msgspec import Struct

from ussd_gateway.ports import Request

JOINT = "*"

_HIDE = "\0"
_mac_octets = 16

Span = tuple[int, int]  # offset and length


class Heard(Struct, frozen=True, array_like=True):
    length: int
    hidden: tuple[Span, ...]
    mac: bytes


def remember(key: bytes, request: Request, hidden: tuple[Span, ...]) -> Heard:
    text = request.text
    return Heard(len(text), hidden, _mac(key, request, len(text), hidden))


def repeats(key: bytes, request: Request, heard: Heard) -> bool:
    """Whether this is the callback that was answered last, come again."""
    return len(request.text) == heard.length and _begins(key, request, heard)


def extends(key: bytes, request: Request, heard: Heard) -> bool:
    """Whether more was typed after what was heard."""
    if len(request.text) <= heard.length or not _begins(key, request, heard):
        return False
    return heard.length == 0 or request.text[heard.length] == JOINT


def fresh_from(heard: Heard) -> int:
    """Where in a text that extends it the new input begins."""
    return heard.length + 1 if heard.length else 0


def _begins(key: bytes, request: Request, heard: Heard) -> bool:
    return hmac.compare_digest(_mac(key, request, heard.length, heard.hidden), heard.mac)


def _mac(key: bytes, request: Request, length: int, hidden: tuple[Span, ...]) -> bytes:
    text = request.text[:length]
    for offset, hides in hidden:
        text = text[:offset] + _HIDE * hides + text[offset + hides :]
    whose = f"{request.route}\n{request.session_id}\n{request.msisdn}\n{request.service_code}\n"
    return hmac.digest(key, (whose + text).encode("utf-8", "surrogatepass"), "sha256")[
        :_mac_octets
    ]
