"""Texts as the octets that an SMSC takes.

GSM 03.38, one septet to an octet (3GPP TS 23.038, 6.2.1 and 6.2.1.1); what it cannot say goes
out as UCS-2. smpplib's own table lacks the section sign, writes a backtick in its place, and
splits an escape from its character.
"""

from collections.abc import Mapping

from ussd_gateway.domain import gsm7

GSM = 0
UCS2 = 8

_ESCAPE = 0x1B
_ESCAPES = bytes((_ESCAPE,))
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
    "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip

_OCTETS: Mapping[str, bytes] = {
    **{char: bytes((code,)) for code, char in enumerate(_BASIC) if code != _ESCAPE},
    **{char: bytes((_ESCAPE, code)) for char, code in _EXTENSION.items()},
}


_CHARS = {octets: char for char, octets in _OCTETS.items()}


def encoded(text: str) -> tuple[int, bytes]:
    """The data_coding and the octets of a text."""
    if gsm7.is_gsm7(text):
        return GSM, b"".join(_OCTETS[char] for char in text)
    return UCS2, text.encode("utf-16-be", "surrogatepass")


def decoded(data_coding: int, octets: bytes) -> str:
    """What a phone shows of them; a code that is none is a space. Raises UnicodeDecodeError."""
    if data_coding == UCS2:
        return octets.decode("utf-16-be", "surrogatepass")
    chars, escaped = [], b""
    for octet in octets:
        code = escaped + bytes((octet,))
        escaped = code if code == _ESCAPES else b""
        if not escaped:
            chars.append(_CHARS.get(code, " "))
    return "".join(chars)
