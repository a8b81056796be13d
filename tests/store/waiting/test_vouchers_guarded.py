"""Vouchers that somebody would change: the database refuses it, or the checker tells."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.store.verify.crowbar import tamper
from tests.store.waiting.shop import AMINA, Shop
from ussd_gateway.domain.book import Status
from ussd_gateway.store.database import writing
from ussd_gateway.store.verify import verify


def test_staff_take_no_voucher_back(shop: Shop) -> None:
    receipts = [str(shop.sends().values["receipt"])]
    found = shop.finds(shop.codes[0])
    receipts.append(str(shop.cashes(found.values["ticket"]).values["receipt"]))
    for whole in (False, True):
        for receipt in receipts:
            asked = shop.reversals.ask(receipt, None, shop.by(), whole=whole)
            assert asked.name == "voucher"


def test_a_wallet_is_not_closed_while_a_voucher_may_come_back_to_it(shop: Shop) -> None:
    shop.sends(4_905, fee=95)

    def closes() -> str:
        return shop.statuses.set_status((AMINA,), Status.CLOSED, shop.by("odhiambo")).name

    assert (shop.balance(AMINA), closes()) == (0, "in_use")
    shop.cashes(shop.finds(shop.codes[0]).values["ticket"])
    assert closes() == "ok"


def test_the_database_keeps_a_voucher_as_it_ended(shop: Shop) -> None:
    shop.sends()
    refused = pytest.raises(DBAPIError)
    for change in ("minor = 1", "msisdn = '+254711000008'", "expires_at_ms = 0"):
        with refused, writing(shop.engine) as connection:
            connection.execute(text(f"UPDATE voucher SET {change}"))
    shop.finds("00000000")
    with refused, writing(shop.engine) as connection:
        connection.execute(text("UPDATE voucher SET wrong_tries = 0"))
    shop.cashes(shop.finds(shop.codes[0]).values["ticket"])
    for change in (
        "UPDATE voucher SET state = 'open', ended_by = NULL",
        "UPDATE voucher SET state = 'returned'",
        "DELETE FROM voucher",
    ):
        with refused, writing(shop.engine) as connection:
            connection.execute(text(change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM voucher WHERE state = 'open'", "it is of no voucher"),
        ("UPDATE voucher SET minor = minor + 1", "aside"),
        (
            "UPDATE voucher SET state = 'open', ended_by = NULL WHERE state = 'cashed'",
            "unclaimed is 30000 KES; open vouchers are 50000",
        ),
        ("UPDATE voucher SET state = 'returned' WHERE state = 'cashed'", "no journal moved"),
        ("UPDATE voucher SET state = 'lost' WHERE state = 'cashed'", "nothing that a voucher"),
        ("UPDATE voucher SET wrong_tries = 4", "4 wrong codes"),
        (
            "UPDATE account SET status = 'closed' WHERE code = 2010",
            "would go back to is closed",
        ),
        (
            "UPDATE outbox SET msisdn = '+254711000008' WHERE template = 'voucher_code'",
            "(voucher_code) goes to another number",
        ),
        (
            "UPDATE outbox SET msisdn = '+254711000008' WHERE template = 'voucher_cashed'",
            "(voucher_cashed) goes to another number",
        ),
        ("UPDATE voucher SET expires_at_ms = 1 WHERE state = 'cashed'", "after its time"),
    ],
)
def test_the_checker_sees_what_is_done_to_vouchers(shop: Shop, change: str, told: str) -> None:
    shop.sends(200)
    shop.sends(300)
    shop.cashes(shop.finds(shop.codes[0]).values["ticket"])
    assert shop.wrong() == []
    tamper(shop.engine, [change])

    faults = [each for one in verify(shop.engine) if not one.ok for each in one.shown]
    assert any(told in each for each in faults), faults


def test_the_digests_cover_vouchers(shop: Shop) -> None:
    shop.sends(200)
    tamper(shop.engine, ["UPDATE voucher SET msisdn = '+254711000008'"])
    found = {one.number: str(one.shown) for one in verify(shop.engine) if not one.ok}
    assert found.keys() == {14, None}
    assert "or its voucher" in found[14]
    assert "goes to another number" in found[None]
