"""What is remembered of what a session has sent: lengths and keyed hashes; never the text.

Some aggregators send every input so far with each callback, so each later text repeats a PIN.
What was typed in secret is overwritten before it is hashed: nothing that is kept depends on a
PIN but its length. By length and hash a repeat is told from the next hop, and both from a text
that does not follow: another session's, another phone's, or one that goes back.

    text     1*0711000002*500*4826        hidden  ((17, 4),)
    hashed   1*0711000002*500*????

Where only the newest input comes, there is nothing that it could follow from: a repeat is what
has the aggregator's name of an answered hop; or, where hops have no names, what has the hash of
the last input and comes within a moment of the reply (`marks`).
"""

import hmac

from msgspec import Struct

from ussd_gateway.ports import Knock, Request, Route

JOINT = "*"

# Without names of hops: what comes again within this time of the reply is the same again. A
# person does not read a screen and answer it in so short a time.
repeat_within_ms = 1_000

_HIDE = "\0"
_mac_octets = 16

Span = tuple[int, int]  # offset and length


class Heard(Struct, frozen=True, array_like=True):
    length: int
    hidden: tuple[Span, ...]
    mac: bytes


def knock(key: bytes, request: Request, route: Route) -> Knock:
    """By what the callback is told from the last."""
    begins = request.begins is True
    if route.accumulates:
        return Knock(len(request.text), (), 0, names_hops=False, begins=begins)
    if request.hop_id:
        return Knock(-1, (request.hop_id,), 0, names_hops=True, begins=begins)
    marks = (_input_mark(key, request, secret=False), _input_mark(key, request, secret=True))
    return Knock(-1, marks, repeat_within_ms, names_hops=False, begins=begins)


def mark(key: bytes, request: Request, route: Route, *, secret: bool) -> str:
    """What is kept of an answered callback, for its repeats to be known by."""
    if route.accumulates:
        return ""
    return request.hop_id or _input_mark(key, request, secret=secret)


def remember(key: bytes, request: Request, route: Route, hidden: tuple[Span, ...]) -> Heard:
    if not route.accumulates:
        return Heard(0, (), _mac(key, request, 0, ()))
    length = len(request.text)
    return Heard(length, hidden, _mac(key, request, length, hidden))


def repeats(key: bytes, request: Request, route: Route, heard: Heard) -> bool:
    """Whether this is the callback that was answered last, come again."""
    same = not route.accumulates or len(request.text) == heard.length
    return same and _begins(key, request, heard)


def extends(key: bytes, request: Request, route: Route, heard: Heard) -> bool:
    """Whether more was typed after what was heard."""
    if not route.accumulates:
        return _begins(key, request, heard)
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
    return _hash(key, _whose(request) + text)


def _input_mark(key: bytes, request: Request, *, secret: bool) -> str:
    kept = _HIDE * len(request.text) if secret else request.text
    return _hash(key, f"{_whose(request)}input\n{kept}").hex()


def _whose(request: Request) -> str:
    return f"{request.route}\n{request.session_id}\n{request.msisdn}\n"


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:_mac_octets]
