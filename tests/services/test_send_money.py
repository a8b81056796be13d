"""What `decide` says, one row a Reason, in their order: each differs from a good payment in one
place."""

from dataclasses import replace

import pytest

from tests.services.cast import (
    AMINA,
    JUMA,
    LIMIT,
    PRICES,
    RIGHT,
    WRONG,
    barred,
    book,
    kes,
    used,
)
from ussd_gateway.domain.book import Book, Spent, Status, Subscriber
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.services.send_money import SendMoney, decide

GOOD = SendMoney(AMINA, JUMA, kes(500), kes(7), RIGHT)


def test_a_good_payment_moves_amount_and_fee_and_tells_both() -> None:
    decision = decide(GOOD, PRICES, LIMIT, book())

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
    assert decision.posting.tariff == PRICES.id
    assert [(told.to, told.template, told.language) for told in decision.messages] == [
        (AMINA.msisdn, "sent", "en"),
        (JUMA.msisdn, "received", "sw"),
    ]
    assert [told.params["balance"] for told in decision.messages] == [kes(4_493), kes(750)]


def test_a_payment_without_a_fee_has_two_legs() -> None:
    free = replace(GOOD, amount=kes(100), fee=kes(0))
    decision = decide(free, PRICES, LIMIT, book())

    assert decision.posting is not None
    assert len(decision.posting.legs) == 2


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, GOOD, book(replace(AMINA, active=False))),
    (Reason.ACCOUNT_BLOCKED, GOOD, barred(AMINA.wallet_id)),
    (Reason.PIN_LOCKED, GOOD, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(GOOD, proof=WRONG), book()),
    (Reason.OWN_NUMBER, replace(GOOD, payee=AMINA), book()),
    (Reason.UNKNOWN_PAYEE, GOOD, book(replace(JUMA, active=False))),
    (Reason.UNKNOWN_PAYEE, GOOD, barred(JUMA.wallet_id, by=Status.FROZEN_IN)),
    (Reason.UNDER_MINIMUM, replace(GOOD, amount=Money(99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(GOOD, amount=kes(250_001)), book()),
    (Reason.OVER_DAY, GOOD, used(day=500_001 - 500)),
    (Reason.OVER_MONTH, GOOD, used(month=3_000_001 - 500)),
    (Reason.OVER_OWN_CAP, GOOD, book(replace(AMINA, cap_payment=500_00 - 1))),
    (Reason.OVER_OWN_CAP, GOOD, book(replace(AMINA, cap_day=500_00 - 1))),
    (Reason.FEE_CHANGED, replace(GOOD, fee=kes(6)), book()),
    (Reason.PAYEE_FULL, GOOD, book(juma=499_501)),
    (Reason.LOW_BALANCE, GOOD, book(amina=506)),
]


@pytest.mark.parametrize(("reason", "command", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_moves_nothing(
    reason: Reason, command: SendMoney, rows: Book
) -> None:
    decision = decide(command, PRICES, LIMIT, rows)

    assert decision.outcome == reason.value
    assert decision.posting is None


def test_reasons_are_checked_in_their_order() -> None:
    told = list(dict.fromkeys(reason for reason, _, _ in REFUSALS))
    assert told == [reason for reason in Reason if reason in told]


def test_the_last_shilling_can_be_sent() -> None:
    assert decide(GOOD, PRICES, LIMIT, book(amina=507)).outcome == "ok"


def test_a_wrong_pin_is_counted_and_the_right_one_starts_again() -> None:
    wrong = decide(replace(GOOD, proof=WRONG), PRICES, LIMIT, book())
    assert wrong.pin is not None
    assert (wrong.pin.wrong_tries, wrong.values["tries_left"]) == (1, 2)

    right = decide(GOOD, PRICES, LIMIT, book(replace(AMINA, wrong_tries=2)))
    assert right.pin is not None
    assert right.pin.wrong_tries == 0


def test_a_right_pin_of_a_refused_payment_starts_the_count_again_too() -> None:
    poor = book(replace(AMINA, wrong_tries=2), amina=1)
    decision = decide(GOOD, PRICES, LIMIT, poor)

    assert decision.outcome == "low_balance"
    assert decision.pin is not None
    assert decision.pin.wrong_tries == 0


def test_only_the_try_that_locks_is_told_by_sms() -> None:
    wrong = replace(GOOD, proof=WRONG)
    told = [
        [message.template for message in decide(wrong, PRICES, LIMIT, book(person)).messages]
        for person in (replace(AMINA, wrong_tries=tries) for tries in range(4))
    ]
    assert told == [[], [], ["pin_locked"], []]


def test_the_amount_is_counted_and_its_fee_is_not() -> None:
    decision = decide(GOOD, PRICES, LIMIT, used(day=499_500))

    assert decision.outcome == "ok"
    assert decision.spent == Spent(AMINA.wallet_id, 500_00)


@pytest.mark.parametrize(
    ("person", "day", "left"),
    [
        (AMINA, 0, 499_500),
        (AMINA, 499_500, 0),
        (replace(AMINA, cap_day=700_00), 100, 100),
    ],
    ids=["of the tier's day", "nothing", "of the own cap"],
)
def test_an_outgoing_sms_tells_what_is_left_of_the_day(
    person: Subscriber, day: int, left: int
) -> None:
    rows = replace(used(day=day), subscribers={AMINA.id: person, JUMA.id: JUMA})
    sent, received = decide(GOOD, PRICES, LIMIT, rows).messages

    assert sent.params["left"] == kes(left)
    assert "left" not in received.params


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.FROZEN_IN, "ok"),
        (Status.FROZEN_BOTH, "account_blocked"),
        (Status.DORMANT, "account_blocked"),
        (Status.CLOSED, "account_blocked"),
    ],
)
def test_a_wallet_that_only_takes_nothing_in_still_pays(status: Status, outcome: str) -> None:
    rows = barred(AMINA.wallet_id, by=status)
    assert decide(GOOD, PRICES, LIMIT, rows).outcome == outcome


@pytest.mark.parametrize("rows", [used(day=500_000), book(replace(AMINA, cap_payment=1))])
def test_who_does_not_know_the_pin_learns_of_no_limit(rows: Book) -> None:
    assert decide(replace(GOOD, proof=WRONG), PRICES, LIMIT, rows).outcome == "wrong_pin"
