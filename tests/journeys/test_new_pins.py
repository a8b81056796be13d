"""A new PIN, while somebody else is at the phone's account too."""

from datetime import timedelta

import pytest

from tests.world import AMINA, Line, rows
from ussd_gateway.cli.stage.world import GatewayWorld

OLD, NEW = "4826", "8264"
CHANGE = ("5", "4", OLD)


def test_a_pin_that_is_locked_meanwhile_is_not_freed_by_a_change_begun_before(
    world: GatewayWorld,
) -> None:
    owner, thief = Line(world, "owner"), Line(world, "thief")
    owner.walks(*CHANGE, NEW)
    assert "locked" in thief.walks("5", "1", "1111", "2222", "3333")

    assert "locked" in owner.sends(*CHANGE, NEW, NEW)
    assert rows(world, "SELECT wrong_tries FROM subscriber WHERE msisdn = :m", m=AMINA) == [
        (3,)
    ]
    assert "locked" in Line(world, "with-the-old").walks("5", "1", OLD)
    assert "locked" in Line(world, "with-the-new").walks("5", "1", NEW)


@pytest.mark.parametrize("tried", [OLD, "7351"], ids=["the right one", "another"])
def test_a_proof_of_long_ago_says_nothing_of_the_pin_that_is_typed(
    world: GatewayWorld, tried: str
) -> None:
    """Whoever finds the phone would else learn whether it is the PIN of today."""
    line = Line(world, "slow")
    line.walks(*CHANGE)
    world.wait(timedelta(seconds=170))
    assert "Too easy to guess" in line.sends(*CHANGE, "1234")
    world.wait(timedelta(seconds=170))

    assert line.sends(*CHANGE, "1234", tried) == (
        "END Not changed: it took too long. Dial again. Your PIN is as it was."
    )


def test_a_pin_that_was_changed_in_another_session_is_no_proof_any_more(
    world: GatewayWorld,
) -> None:
    one, other = Line(world, "one"), Line(world, "other")
    one.walks(*CHANGE)
    other.walks(*CHANGE, NEW, NEW)

    assert one.sends(*CHANGE, "7351").startswith("END Not changed: it took too long.")
