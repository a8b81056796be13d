"""However often and however close a callback knocks, it is answered alike and done once."""

from collections import Counter

import pytest

from tests.world import AMINA, JUMA, Line, at_once, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.store.verify import verify

COMMIT = ("1", "0711000002", "500")
WRONG, RIGHT = "4827", "4826"


def test_a_pin_that_knocks_twenty_times_at_once_pays_once(world: GatewayWorld) -> None:
    line = Line(world, "twenty")
    line.walks(*COMMIT)

    answers = at_once(*[lambda: line.sends(*COMMIT, RIGHT)] * 20)

    assert len(set(answers)) == 1
    assert answers[0].endswith(
        " Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00."
    )
    assert [str(world.balances()[name]) for name in ("Amina", "Juma")] == [
        "KES 4,493.00",
        "KES 750.00",
    ]
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'send_money'") == [(1,)]
    assert sorted(to for to, _ in world.sms()) == [AMINA, JUMA]
    assert all(finding.ok for finding in verify(world.gateway.engine))


@pytest.mark.parametrize("inputs", [(), ("1",), COMMIT, (*COMMIT, WRONG)])
def test_every_hop_that_knocks_at_once_is_answered_alike(
    world: GatewayWorld, inputs: tuple[str, ...]
) -> None:
    line = Line(world, "hop")
    for count in range(len(inputs)):
        line.sends(*inputs[:count])

    answers = at_once(*[lambda: line.sends(*inputs)] * 8)

    assert len(set(answers)) == 1
    assert rows(world, "SELECT max(wrong_tries) FROM subscriber") == [(inputs[3:] == (WRONG,),)]


def test_wrong_pins_of_fifty_sessions_at_once_are_compared_three_times(
    world: GatewayWorld,
) -> None:
    lines = [Line(world, f"fifty-{each}") for each in range(50)]
    for line in lines:
        assert line.sends(*COMMIT).startswith("CON Send KES 500.00 to Juma Otieno")

    answers = at_once(*[lambda line=line: line.sends(*COMMIT, WRONG) for line in lines])

    # Two are wrong, the third locks; the others are not compared and learn nothing.
    assert Counter(answer.split("\n")[0] for answer in answers) == {
        "CON Wrong PIN. Tries left: 2": 1,
        "CON Wrong PIN. Tries left: 1": 1,
        "END Your PIN is locked: too many wrong tries. Visit an agent with your ID. "
        "Nothing was charged.": 48,
    }
    assert rows(world, "SELECT wrong_tries FROM subscriber WHERE msisdn = :m", m=AMINA) == [
        (3,)
    ]
    outcomes = rows(world, "SELECT outcome FROM idempotency WHERE session_id IS NOT NULL")
    assert Counter("pin_locked" in outcome for (outcome,) in outcomes) == {True: 48, False: 2}
    [(to, text)] = world.sms()
    assert (to, text[:19]) == (AMINA, "Your PIN was locked")
    assert "locked" in Line(world, "later").walks(*COMMIT, RIGHT)
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'send_money'") == [(0,)]


def test_payments_of_many_sessions_at_once_never_spend_more_than_there_is(
    world: GatewayWorld,
) -> None:
    lines = [Line(world, f"many-{each}") for each in range(20)]
    for line in lines:
        line.sends(*COMMIT)

    answers = at_once(*[lambda line=line: line.sends(*COMMIT, RIGHT) for line in lines])

    # 9 times 507.00 is what KES 5,000.00 pays for.
    assert sum(" Sent KES 500.00 " in answer for answer in answers) == 9
    assert sum("not enough money" in answer for answer in answers) == 11
    assert str(world.balances()["Amina"]) == "KES 437.00"
    assert all(finding.ok for finding in verify(world.gateway.engine))
