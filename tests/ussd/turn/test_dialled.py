"""What is dialled behind the service code."""

from dataclasses import replace

import pytest

from tests.ussd.stand_in import AMINA, JUMA, kes, shipped_pack
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Jump
from ussd_gateway.ussd.turn import dialled

PROGRAM = shipped_pack()
SESSION = engine.begin(PROGRAM, AMINA)


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        ("1", Jump("send_to", {})),
        ("1*0711000002*500", Jump("send_quote", {"to": JUMA.msisdn, "amount": kes(500)})),
        ("1*0711000002", None),
        ("1*0711000002*none", None),
        ("1*none*500", None),
        ("1*0711000002*500*4826", None),
        ("2*0711000002*500", None),
        ("5", None),
        ("", None),
        ("**", None),
    ],
)
def test_a_shortcut_fits_all_of_what_was_dialled(text: str, jump: Jump | None) -> None:
    assert dialled.shortcut(PROGRAM, SESSION, text) == jump


def test_a_shortcut_opens_no_way_that_the_menu_hides() -> None:
    barred = replace(AMINA, can_send=False)
    session = engine.begin(PROGRAM, barred)
    assert dialled.shortcut(PROGRAM, session, "1*0711000002*500") is None


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("1", [(0, "1")]),
        ("1*22*3", [(0, "1"), (2, "22"), (5, "3")]),
        ("1**3", [(0, "1"), (2, ""), (3, "3")]),
    ],
)
def test_inputs_are_told_with_their_places(text: str, tokens: list[tuple[int, str]]) -> None:
    assert list(dialled.tokens(text)) == tokens
