"""What people text to us over SMPP: a deliver_sm that is no delivery receipt.

It has no id, and an SMSC sends it again until it hears that it was taken. So it has a `mark`
instead: all that says which message it is, and the same when it comes again. A long text comes
in parts; a command stands in the first, and the others are taken and left.
"""

import re
from dataclasses import dataclass, field

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.sms.smpp.reports import ascii_of, msisdn_of
from ussd_gateway.sms.smpp.words import decoded

# The text begins with a header (esm_class, 5.2.12).
_HAS_HEADER = 0x40
_ASCII, _LATIN_1 = 1, 3
# Concatenated short messages, with a reference of 8 and of 16 bits (3GPP TS 23.040, 9.2.3.24).
_PARTS = {0x00: 1, 0x08: 2}
# A short code or a number of ours, as far as who wants no more can be noted by it.
_DESTINATION = re.compile(r"[A-Za-z0-9 ._+-]{1,16}")


@dataclass(frozen=True, slots=True)
class Texted:
    """`mark` holds the text, as octets: neither is shown, kept or logged."""

    sender: Msisdn
    to: str  # the short code
    text: str = field(repr=False)
    mark: bytes = field(repr=False)
    first: bool = True  # False: a later part of a long one


def read_texted(
    *,
    source: bytes,
    destination: bytes,
    esm_class: int,
    data_coding: int,
    octets: bytes,
    reference: int | None,
) -> Texted | None:
    """None where the text cannot be read, or where it comes from no phone number: a short code
    or a name would be answered without an end. `reference`: the phone's own count."""
    sender, to = msisdn_of(ascii_of(source)), ascii_of(destination)
    head, body = _split(octets) if esm_class & _HAS_HEADER else (b"", octets)
    if sender is None or body is None or not _DESTINATION.fullmatch(to):
        return None
    try:
        text = _text(data_coding, body)
    except UnicodeDecodeError:
        return None
    mark = b"\0".join(
        (sender.encode(), to.encode(), str(reference).encode(), bytes((data_coding,)), octets)
    )
    return Texted(sender, to, text, mark, _part(head) == 1)


def _split(octets: bytes) -> tuple[bytes, bytes | None]:
    """The header without its length, and what follows it."""
    if not octets or len(octets) <= octets[0]:
        return b"", None
    end = 1 + octets[0]
    return octets[1:end], octets[end:]


def _part(head: bytes) -> int:
    """Which of a long text it is; 1 of a short one."""
    at = 0
    while at + 2 <= len(head):
        kind, length = head[at], head[at + 1]
        element = head[at + 2 : at + 2 + length]
        if kind in _PARTS and len(element) == _PARTS[kind] + 2:
            return element[-1]
        at += 2 + length
    return 1


def _text(data_coding: int, octets: bytes) -> str:
    if data_coding in (_ASCII, _LATIN_1):
        return octets.decode("latin-1")
    return decoded(data_coding, octets)
