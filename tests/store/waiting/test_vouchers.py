"""Vouchers are sent and cashed, each once, whoever races; or refused, and nothing moves."""

import pytest
from sqlalchemy import update

from tests.store.waiting.shop import AMINA, GRACE, NOBODY, UNKNOWN, WANJIRU, Shop, kes
from tests.world import at_once
from ussd_gateway.domain.book import Status
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import account, subscriber


def test_a_voucher_is_sent_and_cashed_and_everybody_is_told(shop: Shop) -> None:
    float_before = shop.balance("100200")
    sent = shop.sends()
    assert (sent.outcome, sent.values["balance"]) == ("ok", kes(4_440))
    assert "code" not in sent.values
    assert (shop.balance("KES-2410"), shop.used()) == (500_00, 500_00)
    assert shop.wrong() == []

    found = shop.finds(shop.codes[0])
    assert (found.outcome, found.values["amount"]) == ("ok", kes(500))
    paid = shop.cashes(found.values["ticket"])
    assert (paid.outcome, paid.values["number"]) == ("ok", NOBODY)
    assert shop.balance("100200") == float_before + 500_00
    assert (shop.balance("KES-2410"), shop.vouchers()) == (0, [("cashed", 0)])
    assert shop.told == [
        (AMINA, "voucher_sent"),
        (NOBODY, "voucher_code"),
        (NOBODY, "voucher_cashed"),
        (WANJIRU, "voucher_paid"),
    ]
    assert shop.finds(shop.codes[0]).outcome == UNKNOWN
    assert shop.cashes(found.values["ticket"]).outcome == UNKNOWN
    assert shop.wrong() == []


def test_a_repeat_of_a_key_sends_and_cashes_nothing_again(shop: Shop) -> None:
    assert shop.sends(key="a:b:1") == shop.sends(key="a:b:1")
    assert len(shop.codes) == 1
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    assert shop.cashes(ticket, key="a:b:2") == shop.cashes(ticket, key="a:b:2", by=1)
    assert shop.sends(600, key="a:b:1").outcome == "conflict"
    assert (shop.balance("KES-2410"), shop.wrong()) == (0, [])


def test_of_two_agents_who_cash_it_at_once_one_wins(shop: Shop) -> None:
    shop.sends()
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    answers = at_once(
        lambda: shop.cashes(ticket, by=0).outcome, lambda: shop.cashes(ticket, by=1).outcome
    )
    assert sorted(answers) == ["ok", UNKNOWN]
    assert shop.wrong() == []


@pytest.mark.parametrize("status", [Status.FROZEN_BOTH, Status.DORMANT])
def test_what_a_barred_wallet_has_sent_is_not_cashed_while_it_is_barred(
    shop: Shop, status: Status
) -> None:
    shop.sends()
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    shop.statuses.set_status((AMINA,), status, shop.by("odhiambo"))
    assert shop.cashes(ticket).outcome == "voucher_stopped"
    assert (shop.vouchers(), shop.balance("KES-2410")) == ([("open", 0)], 500_00)

    for takes_out in (Status.ACTIVE, Status.FROZEN_IN):
        shop.statuses.set_status((AMINA,), takes_out, shop.by("odhiambo"))
    assert shop.cashes(ticket).outcome == "ok"
    assert shop.wrong() == []


@pytest.mark.parametrize(
    ("amount", "fee", "pin", "outcome"),
    [
        (500, 60, "1111", "wrong_pin"),
        (100, 60, None, "under_minimum"),
        (35_001, 250, None, "over_limit"),
        (500, 59, None, "fee_changed"),
        (4_941, 95, None, "low_balance"),
    ],
)
def test_a_refused_one_moves_nothing_and_makes_no_voucher(
    shop: Shop, amount: int, fee: int, pin: str | None, outcome: str
) -> None:
    assert shop.sends(amount, fee=fee, pin=pin).outcome == outcome
    assert (shop.vouchers(), shop.balance(AMINA), shop.used()) == ([], 5_000_00, 0)
    assert shop.wrong() == []


def test_limits_count_it_as_they_count_any_payment(shop: Shop) -> None:
    with writing(shop.engine) as connection:
        mine = subscriber.c.msisdn == AMINA
        capped = {"cap_payment": 1_000_00, "cap_day": 1_000_00}
        connection.execute(update(subscriber).where(mine).values(capped))
    assert shop.sends(600).outcome == "ok"
    assert shop.sends(401).outcome == "over_own_cap"
    assert shop.sends(400).outcome == "ok"


def test_a_barred_number_looks_unregistered_until_the_pin_and_is_charged_nothing(
    shop: Shop,
) -> None:
    def quote(to: Msisdn) -> Answer:
        return shop.asks("voucher.quote", AMINA, {"to": to, "amount": kes(500)})

    assert quote(GRACE).outcome == "already_registered"
    assert shop.sends(to=GRACE).outcome == "already_registered"
    with writing(shop.engine) as connection:
        hers = account.c.public_ref == GRACE
        connection.execute(update(account).where(hers).values(status="frozen_both"))
    assert quote(GRACE) == quote(NOBODY)
    assert shop.sends(to=GRACE, pin="1111").outcome == "wrong_pin"
    assert shop.sends(to=GRACE).outcome == "unknown_payee"
    assert (shop.vouchers(), shop.balance(AMINA)) == ([], 5_000_00)


def test_a_number_that_registers_meanwhile_has_it_cashed(shop: Shop) -> None:
    shop.sends()
    with writing(shop.engine) as connection:
        hers = subscriber.c.msisdn == GRACE
        connection.execute(update(subscriber).where(hers).values(msisdn=NOBODY))
    found = shop.finds(shop.codes[0])
    assert shop.cashes(found.values["ticket"]).outcome == "ok"
