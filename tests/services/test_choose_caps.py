"""Caps of one's own: set, removed, told, and never without the PIN."""

from dataclasses import replace

import pytest

from tests.services.cast import AMINA, LIMIT, RIGHT, TODAY, WRONG, book, kes, used
from tests.services.stand_in import World, call, with_pin
from ussd_gateway.domain.book import Book, CapsChosen
from ussd_gateway.domain.limits import Usage
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.services.choose_caps import (
    Cap,
    ChooseCap,
    ChooseCapsService,
    decide,
    look,
)

CAPPED = replace(AMINA, cap_payment=700_00, cap_day=900_00)


@pytest.mark.parametrize(
    ("cap", "amount", "chosen", "template"),
    [
        (Cap.PAYMENT, kes(50), CapsChosen(AMINA.id, 50_00, 900_00), "cap_payment_set"),
        (Cap.DAY, kes(50), CapsChosen(AMINA.id, 700_00, 50_00), "cap_day_set"),
        (Cap.PAYMENT, None, CapsChosen(AMINA.id, None, 900_00), "cap_payment_removed"),
        (Cap.DAY, None, CapsChosen(AMINA.id, 700_00, None), "cap_day_removed"),
    ],
)
def test_one_cap_changes_the_other_stays_and_an_sms_says_so(
    cap: Cap, amount: Money | None, chosen: CapsChosen, template: str
) -> None:
    decision = decide(ChooseCap(cap, amount, RIGHT), book(CAPPED))

    assert decision.outcome == "ok"
    assert decision.changes == (chosen,)
    assert [told.template for told in decision.messages] == [template]
    assert decision.posting is None


@pytest.mark.parametrize("cap", list(Cap))
def test_a_cap_that_is_not_set_is_not_taken_away_and_no_sms_says_so(cap: Cap) -> None:
    decision = decide(ChooseCap(cap, None, RIGHT), book())

    assert (decision.outcome, decision.changes, decision.messages) == ("not_set", (), ())


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, RIGHT, book(replace(AMINA, active=False))),
    (Reason.PIN_LOCKED, RIGHT, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, WRONG, book()),
]


@pytest.mark.parametrize(("reason", "proof", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_to_change_and_to_show(
    reason: Reason, proof: object, rows: Book
) -> None:
    assert proof in (RIGHT, WRONG)
    given = RIGHT if proof is RIGHT else WRONG
    changed = decide(ChooseCap(Cap.DAY, kes(50), given), rows)
    shown = look(given, LIMIT, rows)

    assert (changed.outcome, shown.outcome) == (reason.value, reason.value)
    assert changed.changes == ()
    assert not {"day", "month", "cap_day"} & shown.values.keys()


def test_a_look_says_what_was_paid_of_how_much() -> None:
    rows = used(day=300, month=1_200)

    shown = look(RIGHT, LIMIT, rows)
    assert shown.outcome == "ok"
    assert shown.values == {
        "paid_today": kes(300),
        "day": kes(500_000),
        "paid_this_month": kes(1_200),
        "month": kes(3_000_000),
    }


@pytest.mark.parametrize(
    ("payment", "day", "outcome", "told"),
    [
        (700_00, None, "payment_capped", {"cap_payment": kes(700)}),
        (None, 900_00, "day_capped", {"cap_day": kes(900)}),
        (700_00, 900_00, "capped", {"cap_payment": kes(700), "cap_day": kes(900)}),
    ],
)
def test_a_look_tells_the_caps_that_are_set_and_no_others(
    payment: int | None, day: int | None, outcome: str, told: dict[str, Money]
) -> None:
    shown = look(RIGHT, LIMIT, book(replace(AMINA, cap_payment=payment, cap_day=day)))

    assert shown.outcome == outcome
    assert {name: shown.values[name] for name in shown.values if "cap" in name} == told


def test_a_look_on_the_next_day_counts_the_month_alone() -> None:
    rows = replace(used(day=300, month=1_200), today=TODAY.replace(day=22))
    assert rows.accounts[AMINA.wallet_id].used == Usage(TODAY, 300_00, 1_200_00)

    values = look(RIGHT, LIMIT, rows).values
    assert (values["paid_today"], values["paid_this_month"]) == (kes(0), kes(1_200))


def test_a_cap_is_kept_removed_and_the_same_for_a_repeat() -> None:
    world = World(book(with_pin(AMINA, "4826")))
    actions = {each.name: each for each in ChooseCapsService(world.teller).actions()}

    def acts(name: str, key: str, amount: Money | None = None) -> str:
        args = {"amount": amount} if amount else {}
        return actions[name].run(call(args, key=key, pin="4826")).outcome

    assert acts("caps.payment", "k1", kes(50)) == "ok"
    assert acts("caps.day", "k2", kes(80)) == "ok"
    kept = world.ledger.people[AMINA.id]
    assert (kept.cap_payment, kept.cap_day) == (50_00, 80_00)

    assert acts("caps.no_day", "k3") == "ok"
    assert acts("caps.payment", "k1", kes(50)) == "ok"
    assert acts("caps.payment", "k1", kes(60)) == "conflict"
    kept = world.ledger.people[AMINA.id]
    assert (kept.cap_payment, kept.cap_day) == (50_00, None)
    assert acts("caps.no_payment", "k4") == "ok"
    assert world.ledger.templates == [
        "cap_payment_set",
        "cap_day_set",
        "cap_day_removed",
        "cap_payment_removed",
    ]


def test_a_stranger_has_neither_limits_nor_caps() -> None:
    world = World(book())
    stranger = Msisdn("+254711000009")
    for action in ChooseCapsService(world.teller).actions():
        asked = call({"amount": kes(5)}, msisdn=stranger, pin="4826")
        assert action.run(asked).outcome == "not_registered"
