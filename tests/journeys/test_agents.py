"""Cash at a store, when somebody changes something between the quote and the PIN."""

from sqlalchemy import text

from tests.world import Line, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.money import Money
from ussd_gateway.store.database import writing
from ussd_gateway.store.verify import verify

WANJIRU = "+254722000001"
DEPOSIT = ("1", "0711000002", "1000")
PIN = "6174"
NOT_AGENT = "works for no agent"


def test_an_assistant_who_is_dismissed_at_the_pin_deposits_nothing(world: GatewayWorld) -> None:
    assert "Juma" in at_the_pin(world, "dismissed")
    run(world, "DELETE FROM assistant")

    assert NOT_AGENT in Line(world, "dismissed", WANJIRU).sends(*DEPOSIT, PIN, code="*385#")
    assert deposits(world) == 0


def test_an_assistant_who_is_moved_at_the_pin_deposits_from_neither_store(
    world: GatewayWorld,
) -> None:
    assert "Juma" in at_the_pin(world, "moved")
    open_store(world, "100999")
    run(world, "UPDATE assistant SET store = '100999'")

    assert NOT_AGENT in Line(world, "moved", WANJIRU).sends(*DEPOSIT, PIN, code="*385#")
    assert deposits(world) == 0
    assert [str(world.balances()[each]) for each in ("100200", "100999", "Juma")] == [
        "KES 50,000.00",
        "KES 10,000.00",
        "KES 250.00",
    ]


def test_an_assistant_who_was_moved_deposits_from_the_new_store(world: GatewayWorld) -> None:
    open_store(world, "100999")
    run(world, "UPDATE assistant SET store = '100999'")
    at_the_pin(world, "later")

    answer = Line(world, "later", WANJIRU).sends(*DEPOSIT, PIN, code="*385#")
    assert "Deposited KES 1,000.00" in answer
    assert str(world.balances()["100999"]) == "KES 9,000.00"
    assert all(finding.ok for finding in verify(world.gateway.engine))


def at_the_pin(world: GatewayWorld, session_id: str) -> str:
    """What Wanjiru reads out before she types her PIN."""
    line = Line(world, session_id, WANJIRU)
    for typed in range(len(DEPOSIT)):
        line.sends(*DEPOSIT[:typed], code="*385#")
    return line.sends(*DEPOSIT, code="*385#")


def deposits(world: GatewayWorld) -> int:
    [(count,)] = rows(world, "SELECT count(*) FROM journal WHERE kind = 'deposit'")
    return int(count)


def open_store(world: GatewayWorld, number: str) -> None:
    """With a float of KES 10,000.00."""
    for account_id, public_ref, code, floor in (
        (900, number, 2020, 0),
        (901, f"{number}-2210", 2210, 0),
    ):
        run(
            world,
            "INSERT INTO account (id, public_ref, code, currency, side, debits, credits, "
            "debits_pending, credits_pending, floor, cap, seq) "
            "VALUES (:id, :ref, :code, 'KES', -1, 0, 0, 0, 0, :floor, NULL, 0)",
            id=account_id,
            ref=public_ref,
            code=code,
            floor=floor,
        )
    run(
        world,
        "INSERT INTO business SELECT :number, trade, 'Other Store', '+254722000055', "
        "language, 900, 901, account_digits, head_office_commission_id FROM business "
        "WHERE number = '100200'",
        number=number,
    )
    world.give(number, Money(10_000_00, "KES"))


def run(world: GatewayWorld, statement: str, **values: object) -> None:
    with writing(world.gateway.engine) as connection:
        connection.execute(text(statement), values)
