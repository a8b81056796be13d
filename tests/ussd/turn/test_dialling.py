"""What is dialled is fed as if it was typed, but never into a PIN."""

import pytest

from tests.ussd.stand_in import Bank
from tests.ussd.turn.turning import COMMIT, TO_PIN, Phone
from ussd_gateway.ports import Reply
from ussd_gateway.ussd.turn import Turn


def test_a_dialled_string_lands_on_the_commit_screen(turn: Turn) -> None:
    phone = Phone(turn)
    assert phone.dials("1*0711000002*500") == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001 Sent KES 500.00")


def test_what_is_dialled_is_fed_as_if_it_was_typed(turn: Turn) -> None:
    assert Phone(turn).dials("5").text.startswith("My account\n1. Balance\n")
    phone = Phone(turn)
    assert phone.dials("1*0711000002").text == "Enter amount"
    assert phone.types("0").text == "Enter phone number"


@pytest.mark.parametrize(
    "inputs",
    [
        ("5",),
        ("5", "0"),
        ("5", "0", "1"),
        ("1", "0711000002", "0", "00", "5"),
        (*TO_PIN[:2], "5"),
    ],
)
def test_one_dialled_string_shows_what_as_many_hops_would(
    turn: Turn, inputs: tuple[str, ...]
) -> None:
    typing = Phone(turn)
    typing.dials()
    assert Phone(turn).dials("*".join(inputs)) == typing.types(*inputs)


def test_dialling_stops_at_bad_input_and_drops_the_rest(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    assert phone.dials("1*none*500*4826").text == (
        "Not a phone number. Try again.\nEnter phone number"
    )
    assert phone.types("0711000002").text == "Enter amount"
    assert bank.calls == []


@pytest.mark.parametrize("text", ["1*0711000002*500*4826", "5*1*4826", "1*0711000002*500*0"])
def test_a_pin_is_never_taken_from_a_dialled_string(turn: Turn, bank: Bank, text: str) -> None:
    phone = Phone(turn)
    reply = phone.dials(text)
    assert reply.ends
    assert reply.text.endswith("Never put your PIN in the code you dial.")
    assert phone.repeats() == reply
    assert all(call.secret is None for call in bank.calls)
