"""What nobody came for goes back, once, whoever else comes in that moment."""

from datetime import timedelta

from sqlalchemy import select, update

from tests.store.waiting.shop import AMINA, EXPIRED, UNKNOWN, WEEK, Shop
from tests.world import at_once
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import account


def test_what_nobody_came_for_goes_back_once_and_keeps_the_fee(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK - timedelta(seconds=1)
    assert shop.overdue.give_back() == 0
    shop.clock.wait(1)
    assert [shop.overdue.give_back() for _ in range(2)] == [1, 0]

    assert (shop.balance(AMINA), shop.balance("KES-2410")) == (4_940_00, 0)
    assert shop.vouchers() == [("returned", 0)]
    assert shop.told[2:] == [(AMINA, "voucher_returned")]
    assert shop.finds(shop.codes[0]).outcome == EXPIRED
    assert shop.finds("00000000").outcome == UNKNOWN
    assert shop.wrong() == []


def test_what_is_given_back_on_its_day_does_not_count_any_more(shop: Shop) -> None:
    """The day is the sending's: a week later another one is counted."""
    shop.sends()
    shop.clock.at += WEEK
    shop.sends(700, fee=60)
    assert shop.used() == 700_00
    assert shop.overdue.give_back() == 1
    assert shop.used() == 700_00
    with reading(shop.engine) as connection:
        month = select(account.c.used_month).where(account.c.public_ref == AMINA)
        assert connection.execute(month).scalar_one() == 700_00


def test_of_those_who_cash_and_give_back_one_wins(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK - timedelta(minutes=1)
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    shop.clock.at += timedelta(minutes=1, milliseconds=-1)

    def strikes() -> str:
        """The week ends while the agents' commands are on their way."""
        shop.clock.wait(0.001)
        return str(shop.overdue.give_back())

    first, second, _ = at_once(
        lambda: shop.cashes(ticket, by=0).outcome,
        lambda: shop.cashes(ticket, by=1).outcome,
        strikes,
    )
    ((state, _),) = shop.vouchers()
    assert [first, second].count("ok") == (state == "cashed")
    assert state in ("cashed", "returned")
    assert shop.balance("KES-2410") == 0
    assert shop.wrong() == []


def test_a_wallet_that_takes_nothing_in_gets_it_back_when_it_does(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK

    def amina(**values: object) -> None:
        with writing(shop.engine) as connection:
            hers = account.c.public_ref == AMINA
            connection.execute(update(account).where(hers).values(values))

    for bar, free in (
        ({"status": "frozen_in"}, {"status": "active"}),
        ({"cap": 4_939_99}, {"cap": 4_940_00}),
    ):
        amina(**bar)
        assert shop.overdue.give_back() == 0
        amina(**free)
    assert shop.overdue.give_back() == 1
    assert shop.vouchers() == [("returned", 0)]
