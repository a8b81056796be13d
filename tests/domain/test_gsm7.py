import pytest
from anyascii import anyascii

from ussd_gateway.domain import gsm7


def test_extension_characters_cost_two() -> None:
    assert gsm7.septets("abc") == 3
    assert gsm7.septets("a{b}") == 6
    assert gsm7.septets("€5") == 3


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Nyeri", "Nyeri"),
        ("é è ñ Ä", "é è ñ Ä"),
        ("Mũthoni", "Muthoni"),
        ("“KES” – it’s…", '"KES" - it\'s...'),
        ("ç", "c"),
        ("Ç", "Ç"),
        ("`", "'"),
        ("王", "?"),
        ("Ɓala", "?ala"),
    ],
)
def test_only_what_is_not_in_the_set_is_folded(text: str, folded: str) -> None:
    assert gsm7.fold(text) == folded
    assert gsm7.is_gsm7(folded)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Ɓala Ƙofa", "Bala Kofa"),  # Hausa
        ("Đặng", "Dang"),
        ("Ольга", "Ol'ga"),
        ("王", "Wang"),
        ("Ngʼangʼa", "Ng'ang'a"),
        ("ñ Mũthoni €", "ñ Muthoni €"),
        ("😀", "?"),  # a name for a picture is no help
    ],
)
def test_a_letter_without_a_bare_one_is_spelled(text: str, spelled: str) -> None:
    assert gsm7.fold(text, anyascii) == spelled
    assert gsm7.is_gsm7(spelled)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        # An escape and its character are not split: 76 pairs are all that fit into 153.
        ("{" * 81, 2),
        ("{" * 153, 3),
        ("ũ" * 70, 1),
        ("ũ" * 71, 2),
        ("ũ" * 134, 2),
        ("ũ" * 135, 3),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, parts: int) -> None:
    assert gsm7.segments(text) == parts
