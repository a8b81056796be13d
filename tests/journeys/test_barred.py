"""Accounts that are barred: their owners are told after the PIN, and to everybody else they
look as if they were not there."""

import json

import pytest
from sqlalchemy import update

from tests.world import AMINA, GRACE, JUMA, Line, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.book import Status
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import account

WANJIRU = "+254722000001"
CODES = "SELECT params FROM outbox WHERE template = 'voucher_code'"
BLOCKED = (
    "END Your account is blocked. Visit an agent with your ID. Nothing was charged.",
    "END Akaunti yako imefungwa. Nenda kwa wakala na kitambulisho chako. Hukutozwa.",
)


def bar(world: GatewayWorld, ref: str, status: Status) -> None:
    with writing(world.gateway.engine) as connection:
        barred = update(account).where(account.c.public_ref == ref)
        connection.execute(barred.values(status=status.value))


@pytest.mark.parametrize("status", [Status.FROZEN_IN, Status.FROZEN_BOTH, Status.DORMANT])
def test_a_barred_wallet_looks_like_a_number_that_nobody_has(
    world: GatewayWorld, status: Status
) -> None:
    bar(world, GRACE, status)

    way, other_way = ("1", "0711000003", "500"), ("1", "0711000009", "500")
    for more in ((), ("1",), ("2",)):
        to_grace = Line(world, f"grace{more}").walks(*way, *more)
        to_nobody = Line(world, f"nobody{more}").walks(*other_way, *more)
        assert to_grace == to_nobody.replace("0711000009", "0711000003")
    assert Line(world, "poor", JUMA).walks(*way, "1", "7391") == (
        "END Haikutumwa: msimbo hauwezi kutumwa kwa namba hii. Hakikisha namba. Hukutozwa."
    )
    assert Line(world, "amina").walks(*way, "1", "4826") == (
        "END Not sent: no code can be sent to this number. Check the number. "
        "Nothing was charged."
    )
    assert world.sms() == []


def test_a_wallet_that_is_barred_while_the_pin_is_asked_gets_nothing(
    world: GatewayWorld,
) -> None:
    stopped = Line(world, "nobody").walks("1", "0711000009", "500", "2")
    line = Line(world, "amina")
    line.walks("1", "0711000003", "500")
    bar(world, GRACE, Status.FROZEN_IN)

    assert line.sends("1", "0711000003", "500", "4826") == stopped
    assert world.sms() == []


@pytest.mark.parametrize("status", [Status.FROZEN_BOTH, Status.DORMANT])
def test_whose_own_wallet_is_barred_is_told_so_after_the_pin(
    world: GatewayWorld, status: Status
) -> None:
    bar(world, AMINA, status)
    bar(world, JUMA, status)

    asked = Line(world, "amina").walks("1", "0711000003", "500")
    assert "Enter PIN" in asked
    assert Line(world, "amina").sends("1", "0711000003", "500", "4826") == BLOCKED[0]
    for session, way in {
        "till": ("3", "2", "500500", "50"),
        "bill": ("3", "1", "600600", "12345678", "50"),
        "cash": ("2", "100200", "50"),
        "airtime": ("4", "50"),
    }.items():
        assert Line(world, session, JUMA).walks(*way, "7391") == BLOCKED[1]
    assert world.sms() == []


def test_a_wallet_that_takes_nothing_in_still_pays(world: GatewayWorld) -> None:
    bar(world, AMINA, Status.FROZEN_IN)
    assert "Sent KES 500.00" in Line(world, "amina").walks("1", "0711000003", "500", "4826")


def test_a_code_of_a_barred_wallet_is_not_paid_and_the_agent_is_not_told_why(
    world: GatewayWorld,
) -> None:
    Line(world, "amina").walks("1", "0711000009", "500", "1", "4826")
    (code,) = (json.loads(params)["code"] for (params,) in rows(world, CODES))
    bar(world, AMINA, Status.FROZEN_BOTH)

    told = []
    for language in ("en", "sw", "fr"):
        world.speak("Wanjiru", language)
        line = Line(world, language, WANJIRU)
        answer = ""
        way = ("5", "1", "0711000009", code, "6174")
        for typed in range(len(way) + 1):
            answer = line.sends(*way[:typed], code="*385#")
        told.append(answer)
    assert told == [
        "END Not paid: this code cannot be paid now. Give no cash. Nothing was moved.",
        (
            "END Haikulipwa: msimbo huu hauwezi kulipwa sasa. Usitoe taslimu. "
            "Hakuna kilichohamishwa."
        ),
        (
            "END Pas de paiement : ce code n'est pas payé pour le moment. Ne donnez rien. "
            "Rien n'a bougé."
        ),
    ]


@pytest.mark.parametrize(
    ("ref", "way", "unknown"),
    [
        ("500500", ("3", "2", "500500", "50"), ("3", "2", "999999", "50")),
        ("600600", ("3", "1", "600600"), ("3", "1", "999999")),
        ("100200", ("2", "100200", "50"), ("2", "999999", "50")),
    ],
    ids=["till", "biller", "store"],
)
def test_a_barred_business_looks_like_a_number_that_no_business_has(
    world: GatewayWorld, ref: str, way: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    bar(world, ref, Status.FROZEN_IN)

    answer = Line(world, "barred").walks(*way)
    assert answer == Line(world, "unknown").walks(*unknown)
    assert answer.startswith("END Not ")


@pytest.mark.parametrize(
    ("ref", "way", "says"),
    [
        ("500500", ("3", "2", "500500", "50"), "no business has this till number"),
        ("600600", ("3", "1", "600600", "12345678", "50"), "no business has this number"),
        ("100200", ("2", "100200", "50"), "no agent has this till number"),
    ],
    ids=["till", "biller", "store"],
)
def test_a_business_that_is_barred_while_the_pin_is_asked_gets_nothing(
    world: GatewayWorld, ref: str, way: tuple[str, ...], says: str
) -> None:
    line = Line(world, "amina")
    assert "Enter PIN" in line.walks(*way)
    bar(world, ref, Status.FROZEN_BOTH)

    assert says in line.sends(*way, "4826")
    assert world.sms() == []


def test_an_agent_pays_into_no_barred_wallet_and_out_of_no_barred_float(
    world: GatewayWorld,
) -> None:
    def deposits(session: str, *inputs: str) -> str:
        line = Line(world, session, WANJIRU)
        line.sends(code="*385#")
        answers = [
            line.sends(*inputs[:typed], code="*385#") for typed in range(1, len(inputs) + 1)
        ]
        return answers[-1]

    bar(world, GRACE, Status.FROZEN_IN)
    to_grace = deposits("grace", "1", "0711000003", "500")
    assert to_grace == deposits("nobody", "1", "0711000009", "500")
    assert to_grace.startswith("END Not deposited: this number is not registered.")

    bar(world, "100200", Status.FROZEN_BOTH)
    assert deposits("amina", "1", "0711000001", "500", "6174") == (
        "END Your account is blocked. Go to your head office with your ID. Nothing was moved."
    )
    assert world.sms() == []


def test_content_of_a_barred_merchant_is_not_on_offer(world: GatewayWorld) -> None:
    line = Line(world, "amina")
    assert "Enter PIN" in line.walks("3", "3")
    bar(world, "700700", Status.FROZEN_IN)

    assert "not on offer any more" in line.sends("3", "3", "4826")
    assert "not on offer any more" in Line(world, "again").walks("3", "3")
    assert world.sms() == []
