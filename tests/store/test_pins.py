"""Verifiers and tickets: what they depend on, and what they never say."""

import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd_gateway.ports import Secret
from ussd_gateway.store.pins import HmacPinVerifier, HmacTickets

KEYS = {"k1": b"1" * 32, "k2": b"2" * 32}
VERIFIER = HmacPinVerifier(KEYS.__getitem__)
TICKETS = HmacTickets(b"3" * 32)


def tag(
    kid: str = "k1", subscriber_id: int = 1, salt: bytes = b"salt", pin: str = "4826"
) -> bytes:
    return VERIFIER.tag(kid=kid, subscriber_id=subscriber_id, salt=salt, pin=Secret(pin))


def test_the_same_pin_of_the_same_person_has_the_same_tag() -> None:
    assert tag() == tag()
    assert len(tag()) == 32


@pytest.mark.parametrize(
    "other",
    [tag(kid="k2"), tag(subscriber_id=2), tag(salt=b"pepper"), tag(pin="4827")],
    ids=["key", "person", "salt", "pin"],
)
def test_another_key_person_salt_or_pin_has_another_tag(other: bytes) -> None:
    assert other != tag()


def test_a_key_that_is_not_on_the_ring_is_no_key() -> None:
    with pytest.raises(KeyError):
        tag(kid="k3")


def test_a_pin_is_neither_printed_nor_pickled() -> None:
    secret = Secret("4826")

    assert "4826" not in f"{secret} {secret!r}"
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(secret)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_a_ticket_says_what_was_sealed(fields: list[str]) -> None:
    assert TICKETS.open(TICKETS.seal(*fields)) == tuple(fields)


@given(
    st.lists(st.text(max_size=10), min_size=1, max_size=4),
    st.integers(min_value=0),
    st.sampled_from(string.printable),
)
def test_a_ticket_with_one_character_changed_is_none(
    fields: list[str], place: int, char: str
) -> None:
    ticket = TICKETS.seal(*fields)
    at = place % len(ticket)
    spoilt = f"{ticket[:at]}{char}{ticket[at + 1 :]}"

    assert TICKETS.open(spoilt) == (tuple(fields) if spoilt == ticket else None)


def test_fields_cannot_be_moved_from_one_to_the_next() -> None:
    assert TICKETS.seal("ab", "c") != TICKETS.seal("a", "bc")
    assert TICKETS.seal("a&b") != TICKETS.seal("a", "b")


def test_a_ticket_of_another_key_is_none() -> None:
    assert HmacTickets(b"4" * 32).open(TICKETS.seal("proof", "1")) is None


@pytest.mark.parametrize("text", ["", ".", "é.x", "a.b", "x" * 5_000])
def test_what_was_never_a_ticket_is_none(text: str) -> None:
    assert TICKETS.open(text) is None


def test_a_ticket_goes_through_a_url_and_a_form_as_it_is() -> None:
    written = set(TICKETS.seal("+254711000001", "a b", "é"))
    assert written <= {*string.ascii_letters, *string.digits, *"-._~%&"}
