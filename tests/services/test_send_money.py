"""What `decide` says, one row a Reason, in their order: each differs from a good payment in one
place."""

from dataclasses import replace
from pathlib import Path

import pytest

from ussd_gateway.domain.book import Account, Book, Subscriber
from ussd_gateway.domain.limits import Limit
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.domain.tariff import Tariff
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.send_money import SendMoney, decide
from ussd_gateway.services.tariffs import read_tariffs

TARIFF: Tariff = read_tariffs(Path("menus/tariffs/KE-2023-07.csv").read_text(), "KE")[0]["send"]

LIMIT = Limit(Money(250_000_00, "KES"), Money(500_000_00, "KES"))

AMINA = Subscriber(
    id=1,
    msisdn=Msisdn("+254711000001"),
    name="Amina Wafula",
    language="en",
    tier="standard",
    active=True,
    wallet_id=1,
    pin_kid="k1",
    pin_salt=b"salt",
    pin_tag=b"right",
    wrong_tries=0,
)
JUMA = replace(
    AMINA,
    id=2,
    msisdn=Msisdn("+254711000002"),
    name="Juma Otieno",
    language="sw",
    wallet_id=2,
)


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def wallet(number: int, shillings: int) -> Account:
    return Account(
        id=number,
        currency="KES",
        sign=-1,
        debits=0,
        credits=shillings * 100,
        debits_pending=0,
        credits_pending=0,
        floor=0,
        cap=500_000_00,
        seq=1,
    )


GOOD = SendMoney(AMINA, JUMA, kes(500), kes(7), Proof(1, b"right"))


def book(
    amina: Subscriber = AMINA, juma: Subscriber = JUMA, *, has: int = 5_000, juma_has: int = 250
) -> Book:
    return Book({1: amina, 2: juma}, {1: wallet(1, has), 2: wallet(2, juma_has)})


def test_a_good_payment_moves_amount_and_fee_and_tells_both() -> None:
    decision = decide(GOOD, TARIFF, LIMIT, book())

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (1, 507_00),
        (2, -500_00),
        (1_000_004_042_440, -7_00),
        (1_000_004_041_320, 7_00),
        (1_000_004_044_010, -6_09),
        (1_000_004_042_310, -91),
    ]
    assert decision.posting.tariff == "KE-2023-07"
    assert [(told.to, told.template, told.language) for told in decision.messages] == [
        (AMINA.msisdn, "sent", "en"),
        (JUMA.msisdn, "received", "sw"),
    ]
    assert [told.params["balance"] for told in decision.messages] == [kes(4_493), kes(750)]


def test_a_payment_without_a_fee_has_two_legs() -> None:
    free = replace(GOOD, amount=kes(100), fee=kes(0))
    decision = decide(free, TARIFF, LIMIT, book())

    assert decision.posting is not None
    assert len(decision.posting.legs) == 2


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, GOOD, book(amina=replace(AMINA, active=False))),
    (Reason.PIN_LOCKED, GOOD, book(amina=replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=Proof(1, b"wrong")), book()),
    (Reason.OWN_NUMBER, replace(GOOD, payee=AMINA), book()),
    (Reason.UNKNOWN_PAYEE, GOOD, book(juma=replace(JUMA, active=False))),
    (Reason.UNDER_MINIMUM, replace(GOOD, amount=Money(99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(GOOD, amount=kes(250_001)), book()),
    (Reason.FEE_CHANGED, replace(GOOD, fee=kes(6)), book()),
    (Reason.PAYEE_FULL, GOOD, book(juma_has=499_501)),
    (Reason.LOW_BALANCE, GOOD, book(has=506)),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_moves_nothing(
    reason: Reason, command: SendMoney, rows: Book
) -> None:
    decision = decide(command, TARIFF, LIMIT, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None


def test_reasons_are_checked_in_their_order() -> None:
    told = [reason for reason, _, _ in REFUSALS]
    assert told == [reason for reason in Reason if reason in told]


def test_the_last_shilling_can_be_sent() -> None:
    assert decide(GOOD, TARIFF, LIMIT, book(has=507)).outcome == "ok"


def test_a_wrong_pin_is_counted_and_the_right_one_starts_again() -> None:
    wrong = decide(replace(GOOD, proof=Proof(1, b"wrong")), TARIFF, LIMIT, book())
    assert wrong.pin is not None
    assert (wrong.pin.wrong_tries, wrong.values["tries_left"]) == (1, 2)

    right = decide(GOOD, TARIFF, LIMIT, book(amina=replace(AMINA, wrong_tries=2)))
    assert right.pin is not None
    assert right.pin.wrong_tries == 0


def test_a_right_pin_of_a_refused_payment_starts_the_count_again_too() -> None:
    poor = book(amina=replace(AMINA, wrong_tries=2), has=1)
    decision = decide(GOOD, TARIFF, LIMIT, poor)

    assert decision.outcome == "low_balance"
    assert decision.pin is not None
    assert decision.pin.wrong_tries == 0


def test_only_the_try_that_locks_is_told_by_sms() -> None:
    wrong = replace(GOOD, proof=Proof(1, b"wrong"))
    told = [
        [
            message.template
            for message in decide(wrong, TARIFF, LIMIT, book(amina=person)).messages
        ]
        for person in (replace(AMINA, wrong_tries=tries) for tries in range(4))
    ]
    assert told == [[], [], ["pin_locked"], []]
