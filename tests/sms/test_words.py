"""Texts as octets: each character of the set, and what is not in it."""

import pytest

from ussd_gateway.domain import gsm7
from ussd_gateway.sms.smpp.words import GSM, UCS2, decoded, encoded


@pytest.mark.parametrize(
    ("char", "octets"),
    [
        ("@", b"\x00"),
        ("$", b"\x02"),
        ("Ç", b"\x09"),
        ("\n", b"\x0a"),
        ("Δ", b"\x10"),
        ("É", b"\x1f"),
        ("¤", b"\x24"),
        ("0", b"\x30"),
        ("?", b"\x3f"),
        ("¡", b"\x40"),
        ("A", b"\x41"),
        ("Ä", b"\x5b"),
        ("§", b"\x5f"),
        ("¿", b"\x60"),
        ("z", b"\x7a"),
        ("à", b"\x7f"),
        ("\f", b"\x1b\x0a"),
        ("^", b"\x1b\x14"),
        ("{", b"\x1b\x28"),
        ("}", b"\x1b\x29"),
        ("\\", b"\x1b\x2f"),
        ("[", b"\x1b\x3c"),
        ("~", b"\x1b\x3d"),
        ("]", b"\x1b\x3e"),
        ("|", b"\x1b\x40"),
        ("€", b"\x1b\x65"),
    ],
)
def test_a_character_is_the_octets_of_the_table(char: str, octets: bytes) -> None:
    """3GPP TS 23.038, 6.2.1 and 6.2.1.1."""
    assert encoded(char) == (GSM, octets)


def test_every_character_of_the_set_comes_back() -> None:
    text = "".join(sorted(gsm7.BASIC | gsm7.EXTENSION))
    coding, octets = encoded(text)

    assert coding == GSM
    assert len(octets) == gsm7.septets(text)
    assert decoded(coding, octets) == text


@pytest.mark.parametrize("text", ["ሰላም", "ç", "a`b", "😀 sawa"])
def test_what_the_set_has_not_goes_as_ucs2(text: str) -> None:
    coding, octets = encoded(text)

    assert coding == UCS2
    assert len(octets) == 2 * gsm7.ucs2_units(text)
    assert decoded(coding, octets) == text


def test_a_code_of_no_character_is_a_space() -> None:
    assert decoded(GSM, b"a\x1b\x00b\x80c") == "a b c"
