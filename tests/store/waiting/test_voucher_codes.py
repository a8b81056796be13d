"""A code and a ticket say which voucher, and to whom; wrong codes are counted."""

from sqlalchemy import text

from tests.store.waiting.shop import (
    AMINA,
    BARRED,
    GRACE,
    NOBODY,
    UNKNOWN,
    WANJIRU,
    WEEK,
    Shop,
    kes,
)
from tests.world import at_once
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Value
from ussd_gateway.store.database import reading


def test_the_code_is_kept_in_one_row_and_nowhere_else(shop: Shop) -> None:
    shop.sends()
    (code,) = shop.codes
    shop.cashes(shop.finds(code).values["ticket"])

    kept = []
    with reading(shop.engine) as connection:
        for table in ("voucher", "idempotency", "outbox", "journal"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            kept += [table for row in rows if code in str(tuple(row))]
    assert kept == ["outbox"]


def test_wrong_codes_are_counted_and_bar_it_until_it_goes_back(shop: Shop) -> None:
    shop.sends()
    (code,) = shop.codes
    wrong = f"{(int(code) + 1) % 10**8:08}"
    ticket = shop.finds(code).values["ticket"]
    answers = [shop.finds(wrong).outcome for _ in range(4)]
    assert answers == [UNKNOWN, UNKNOWN, BARRED, BARRED]
    assert shop.vouchers() == [("open", 3)]
    assert shop.finds(code).outcome == BARRED
    # Whoever had found it before is too late as well.
    assert shop.cashes(ticket).outcome == BARRED

    shop.clock.at += WEEK
    assert shop.overdue.give_back() == 1
    assert (shop.balance(AMINA), shop.wrong()) == (4_940_00, [])


def test_wrong_codes_of_two_at_once_are_all_counted(shop: Shop) -> None:
    shop.sends()
    args: dict[str, Value] = {"number": NOBODY}
    at_once(
        lambda: shop.asks("voucher.find", WANJIRU, args, secret="0" * 8, by=0),
        lambda: shop.asks("voucher.find", WANJIRU, args, secret="0" * 8, by=1),
    )
    assert shop.vouchers() == [("open", 2)]


def test_of_several_for_one_number_the_code_says_which(shop: Shop) -> None:
    shop.sends(200)
    shop.sends(300)
    first, second = shop.codes
    found = shop.finds(second)
    assert found.values["amount"] == kes(300)
    assert shop.cashes(found.values["ticket"]).outcome == "ok"
    assert shop.vouchers() == [("open", 0), ("cashed", 0)]
    assert shop.finds(first).values["amount"] == kes(200)
    assert shop.wrong() == []


def test_an_older_one_is_not_hidden_by_however_many_newer_ones(shop: Shop) -> None:
    shop.sends(200)
    args: dict[str, Value] = {"to": NOBODY, "amount": kes(200), "fee": kes(60)}
    for _ in range(50):
        shop.clock.wait(1)
        assert shop.asks("voucher.send", GRACE, args, secret="5937").outcome == "ok"
    found = shop.finds(shop.codes[0])
    assert (found.outcome, found.values["amount"]) == ("ok", kes(200))
    assert shop.cashes(found.values["ticket"]).outcome == "ok"


def test_nobody_learns_whether_there_is_a_voucher(shop: Shop) -> None:
    shop.sends()
    assert shop.finds("00000000") == shop.finds("00000000", to=Msisdn("+254711000008"))


def test_a_ticket_is_good_for_a_few_minutes_and_for_its_own_phone(shop: Shop) -> None:
    shop.sends()
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    assert shop.cashes(f"{ticket}0").outcome == "expired"
    shop.clock.wait(301)
    assert shop.cashes(ticket).outcome == "expired"
    assert shop.vouchers() == [("open", 0)]
