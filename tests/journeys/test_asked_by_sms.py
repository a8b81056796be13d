"""SMS to us that come at once, and beside payments: each is answered once, and truly."""

from functools import partial

from tests.world import AMINA, JUMA, Line, at_once, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.services.answer_sms import ANSWERS_A_DAY_MAX
from ussd_gateway.store.codec import decode_values
from ussd_gateway.store.verify import verify

COMMIT = ("1", "0711000002", "10")
AT_ONCE = 12


def text(world: GatewayWorld, words: str, *, named: str, sender: str = AMINA) -> int:
    """What the door says to it."""
    form = {"from": sender, "id": named, "to": "20384", "text": words}
    url = world.callback_url.replace("/ussd/", "/sms/")
    return world.http().post(f"{url}/inbound", form).status_code


def test_one_that_knocks_twelve_times_at_once_is_answered_once(world: GatewayWorld) -> None:
    knock = partial(text, world, "BAL", named="ATXid_1")

    assert set(at_once(*[knock] * AT_ONCE)) == {200}
    assert world.sms() == [(AMINA, "Balance KES 5,000.00 21/11/26 09:05.")]
    assert all(finding.ok for finding in verify(world.gateway.engine))


def test_a_flood_at_once_is_bounded_by_who_was_let_in_together(world: GatewayWorld) -> None:
    for round_ in range(4):
        knocks = [partial(text, world, "HELP", named=f"{round_}-{n}") for n in range(AT_ONCE)]
        assert set(at_once(*knocks)) == {200}

    ((answers,),) = rows(world, "SELECT count(*) FROM outbox WHERE msisdn = :who", who=AMINA)
    assert ANSWERS_A_DAY_MAX < answers <= ANSWERS_A_DAY_MAX + AT_ONCE


def test_balances_that_are_asked_beside_payments_stand_in_their_chain(
    world: GatewayWorld,
) -> None:
    lines = [Line(world, f"paying-{each}") for each in range(6)]
    for line in lines:
        line.walks(*COMMIT)
    pays = [partial(line.sends, *COMMIT, "4826") for line in lines]
    asks = [
        partial(text, world, "BAL", named=f"{sender}-{each}", sender=sender)
        for each in range(6)
        for sender in (AMINA, JUMA)
    ]
    at_once(*pays, *asks)

    for sender, opening in ((AMINA, 5_000_00), (JUMA, 250_00)):
        balance, asked = opening, 0
        owed = "SELECT template, params FROM outbox WHERE msisdn = :who ORDER BY id"
        for template, params in rows(world, owed, who=sender):
            told = decode_values(params)
            change = {"sent": -1, "received": 1}.get(template, 0)
            if change:
                cost = told["fee"].minor if "fee" in told else 0
                balance += change * told["amount"].minor - cost
            asked += template == "asked_balance"
            assert told["balance"].minor == balance
        assert asked == 6
