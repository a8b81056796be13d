"""Money that was sent to the wrong person, where staff and the clock have a hand in it too."""

from datetime import timedelta

import pytest

from tests.journeys.missent import (
    BACK,
    DECIDED,
    GIVE,
    KEEP,
    PINS,
    answers,
    asks,
    by,
    desk,
    holds,
    in_order,
    sends,
    told,
)
from tests.world import AMINA, GRACE, JUMA, Line, rows
from ussd_gateway.app import orders
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.book import Outcome, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.decide_reversal import let_go
from ussd_gateway.services.orders.hold_money import HoldsOverdue
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.orders.taking_back import BY_PHONE, KINDS
from ussd_gateway.settings import Settings
from ussd_gateway.store.inquiry import SqlRecords


def test_what_is_kept_is_taken_on_by_one_of_the_staff_and_decided_by_another(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    answers(world, KEEP)
    office = ReverseService(desk(world, settings))
    [(disputed,)] = rows(world, "SELECT id FROM hold WHERE state = 'pending'")

    alone = office.approve(disputed, None, by("odhiambo", "alone"))
    assert (alone.name, alone.values["original"]) == ("by_phone", receipt)
    assert office.refuse(disputed, by("odhiambo", "no")).name == "by_phone"
    part = office.ask(receipt, Money(100, "KES"), by("njeri", "part"), whole=False)
    assert part.name == "as_asked"
    assert office.ask(receipt, None, by("njeri", "whole"), whole=True).name == "as_asked"
    taken_on = office.ask(receipt, None, by("njeri", "on"), whole=False)
    assert (taken_on.name, taken_on.values["amount"]) == ("ok", Money(500_00, "KES"))
    again = office.ask(receipt, None, by("otieno", "on too"), whole=False)
    assert (again.name, again.values["hold"]) == ("in_hand", taken_on.values["hold"])
    own = office.approve(taken_on.values["hold"], None, by("njeri", "own"))
    assert own.name == "own_order"

    done = office.approve(taken_on.values["hold"], None, by("odhiambo", "yes"))

    assert (done.name, done.values["back"]) == ("ok", Money(500_00, "KES"))
    assert [kind for kind, *_ in holds(world)].count("refund") == 1
    # Two of the staff have decided it: so the payer's limits get it back.
    assert rows(world, "SELECT used_day FROM account WHERE public_ref = :who", who=AMINA) == [
        (0,)
    ]
    assert (told(world, "refunded"), told(world, "taken_back")) == ([AMINA], [GRACE])
    assert in_order(world)


def test_staff_may_take_on_what_nobody_has_answered_and_then_the_payee_cannot(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    line = Line(world, "slow", GRACE)
    line.walks(*BACK, GIVE)
    office = ReverseService(desk(world, settings))
    taken_on = office.ask(receipt, None, by("njeri", "on"), whole=False)

    assert line.sends(*BACK, GIVE, "5937") == DECIDED["en"]
    refused = office.refuse(taken_on.values["hold"], by("odhiambo", "no"))
    assert refused.name == "ok"
    assert told(world, "reversal_refused") == [AMINA]
    assert told(world, "hold_released") == [GRACE]
    assert asks(world, receipt, "again").startswith("END Not asked again")
    assert in_order(world)


@pytest.mark.parametrize("answer", [GIVE, KEEP])
def test_whoever_goes_on_answers_what_they_were_asked_and_nothing_else(
    world: GatewayWorld, settings: Settings, answer: str
) -> None:
    first = sends(world)
    asks(world, first)
    said = Line(world, "sends-too", JUMA).walks("1", "0711000003", "100", PINS[JUMA])
    second = said.removeprefix("END ").partition(" ")[0]
    Line(world, "asks-too", JUMA).walks(*BACK, second, PINS[JUMA])
    phone = world.phone(GRACE)
    shown = phone.dial("*384#")
    for typed in (*BACK, answer):
        shown = phone.enter(typed)
    assert first in shown.text
    ReverseService(desk(world, settings)).ask(first, None, by("njeri", "on"), whole=False)
    phone.hang_up()

    phone.dial("*384#")
    shown = phone.enter("1")
    while not shown.ends and shown.text.endswith("Enter PIN"):
        assert second not in shown.text
        shown = phone.enter(PINS[GRACE])

    assert f"END {shown.text}" == DECIDED["en"]
    assert ("asked_back", "pending", 100_00) in holds(world)


@pytest.mark.parametrize("answer", [(), (KEEP,)], ids=["silent", "kept"])
def test_what_nobody_decides_is_free_again_after_two_days_however_often_it_changed_hands(
    world: GatewayWorld, settings: Settings, answer: tuple[str, ...]
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    office = desk(world, settings)
    world.wait(timedelta(hours=30))
    for each in answer:
        answers(world, each)
    taken_on: list[Outcome] = [
        ReverseService(office).ask(receipt, None, by("njeri", "on"), whole=False)
    ]
    overdue = HoldsOverdue(office, dict.fromkeys((*KINDS, *BY_PHONE), let_go))

    overdue.expire()
    assert [one.name for one in taken_on] == ["ok"]
    assert [state for _, state, _ in holds(world)].count("pending") == 1
    world.wait(timedelta(hours=18, seconds=1))
    overdue.expire()

    assert [state for _, state, _ in holds(world)].count("expired") == 1
    assert told(world, "reversal_refused") == [AMINA]
    assert told(world, "hold_released") == [GRACE]
    assert "Held" not in Line(world, "balance", GRACE).walks("5", "1", "5937")
    assert in_order(world)


def test_what_was_asked_on_the_phone_runs_out_by_itself(
    world: GatewayWorld, settings: Settings
) -> None:
    asks(world, sends(world))
    line = Line(world, "slow", GRACE)
    world.wait(timedelta(hours=47, minutes=59))
    line.walks(*BACK, GIVE)
    world.wait(timedelta(minutes=1))

    assert line.sends(*BACK, GIVE, "5937") == DECIDED["en"]
    assert "Enter the receipt" in Line(world, "late", GRACE).walks(*BACK)
    everything = dict.fromkeys((*KINDS, *BY_PHONE), let_go)
    assert HoldsOverdue(desk(world, settings), everything).expire() == 1
    assert holds(world) == [("asked_back", "expired", 500_00)]
    assert in_order(world)


def test_of_what_the_staff_have_refunded_in_part_the_rest_is_asked_back(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    office = ReverseService(desk(world, settings))
    part = office.ask(receipt, Money(200_00, "KES"), by("njeri", "part"), whole=False)
    assert office.approve(part.values["hold"], None, by("odhiambo", "yes")).name == "ok"

    line = Line(world, "rest")
    assert "Ask KES 300.00 back" in line.walks(*BACK, receipt)
    assert "Asked: KES 300.00" in line.sends(*BACK, receipt, PINS[AMINA])
    assert "Gave KES 300.00 back" in answers(world, GIVE)
    assert str(world.balances()["Grace"]) == "KES 120,000.00"
    assert in_order(world)


def test_staff_who_hold_it_are_not_in_the_payers_way_and_the_payer_not_in_theirs(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    line = Line(world, "amina")
    line.walks(*BACK, receipt)
    office = ReverseService(desk(world, settings))
    held = office.ask(receipt, None, by("njeri", "held"), whole=False)

    said = "END Not asked again: this payment has been asked back before"
    assert line.sends(*BACK, receipt, "4826").startswith(said)
    assert Line(world, "again").walks(*BACK, receipt).startswith(said)
    world.phone(AMINA).text(f"REVERSE {receipt}")
    assert told(world, "asked_reverse_again") == [AMINA]
    office.refuse(held.values["hold"], by("odhiambo", "no"))
    # That was not her own ask: she has one.
    assert "Asked: KES 500.00" in asks(world, receipt, "then")
    assert in_order(world)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "END Not given back: the account of the other one takes nothing in now."),
        ("sw", "END Haikurudishwa: akaunti ya mwenzako haipokei sasa."),
        ("fr", "END Pas rendu : le compte de l'autre n'accepte rien en ce moment."),
    ],
)
def test_nothing_goes_back_to_an_account_that_takes_nothing_in(
    world: GatewayWorld, settings: Settings, language: str, says: str
) -> None:
    world.speak("Grace", language)
    asks(world, sends(world))
    status = StatusService(desk(world, settings))
    frozen = status.set_status((AMINA,), Status.FROZEN_IN, by("njeri", "frozen"))
    assert frozen.name == "ok"

    assert answers(world, GIVE).startswith(says)
    assert holds(world) == [("asked_back", "pending", 500_00)]
    assert in_order(world)


def test_whose_own_account_is_barred_asks_nothing_and_gives_nothing(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    status = StatusService(desk(world, settings))
    status.set_status((AMINA,), Status.FROZEN_IN, by("njeri", "amina"))
    assert asks(world, receipt).startswith("END Your account is blocked.")
    status.set_status((AMINA,), Status.ACTIVE, by("odhiambo", "free"))
    assert asks(world, receipt, "then").startswith("END Asked:")
    status.set_status((GRACE,), Status.FROZEN_BOTH, by("njeri", "grace"))

    assert answers(world, GIVE).startswith("END Your account is blocked.")
    assert in_order(world)


@pytest.mark.parametrize("status", [Status.FROZEN_IN, Status.FROZEN_BOTH, Status.DORMANT])
def test_what_is_held_changes_hands_whatever_its_payer_may_take_by_now(
    world: GatewayWorld, settings: Settings, status: Status
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    office = desk(world, settings)
    barred = StatusService(office).set_status((AMINA,), status, by("odhiambo", "barred"))
    assert barred.name == "ok"

    assert answers(world, KEEP).startswith("END You keep KES 500.00")
    reversing = ReverseService(office)
    taken_on = reversing.ask(receipt, None, by("njeri", "on"), whole=False)
    assert taken_on.name == "ok"
    hold = taken_on.values["hold"]
    assert reversing.approve(hold, None, by("odhiambo", "yes")).name == "target_barred"
    assert reversing.refuse(hold, by("odhiambo", "no")).name == "ok"
    assert in_order(world)


def test_staff_see_first_what_waits_for_them(world: GatewayWorld, settings: Settings) -> None:
    asked, kept, taken_on = (sends(world, name) for name in ("one", "two", "three"))
    for turn, receipt in enumerate((kept, asked, taken_on)):
        asks(world, receipt, f"asks-{turn}")
        world.wait(timedelta(minutes=1))
        if receipt == kept:
            answers(world, KEEP)
    ReverseService(desk(world, settings)).ask(taken_on, None, by("njeri", "on"), whole=False)

    records = SqlRecords(world.gateway.engine)
    listed, more = orders.reversals(records)
    assert [one.original for one in listed] == [taken_on, kept, asked]
    assert more == 0


def test_staff_see_whose_turn_it_is(world: GatewayWorld, settings: Settings) -> None:
    asks(world, sends(world))
    records = SqlRecords(world.gateway.engine)
    office = desk(world, settings)
    assert office.records.waiting_count(BY_PHONE) == 1
    [asked] = records.waiting(BY_PHONE, count_max=5)
    answers(world, KEEP)
    [kept] = records.waiting(BY_PHONE, count_max=5)

    assert [(one.hold.kind, one.by, one.why) for one in (asked, kept)] == [
        ("asked_back", "", ""),
        ("disputed", "", ""),
    ]
    assert asked.hold.expires_at_ms == kept.hold.expires_at_ms
    assert str(kept.paid) == "KES 500.00"
