"""What is asked for is held: never more than was paid, or is still there, and once."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, literal, select
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import SetClock, started
from tests.store.orders.reversing import approve, ask, number, refuse, spends
from tests.store.orders.staffed import AMINAS, JUMAS, Office, by, kes
from tests.world import at_once
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import hold


def test_only_what_is_still_there_is_held(office: Office) -> None:
    receipt = office.sends(500_00)
    spends(office, 380_00)

    assert ask(office, receipt).values["amount"] == kes(120_00)
    assert office.pending(JUMAS) == (120_00, 0)


def test_no_more_is_held_than_was_paid_or_asked_for(office: Office) -> None:
    office.sends(300_00)
    receipt = office.sends(200_00)

    assert ask(office, receipt, 50_00).values["amount"] == kes(50_00)


def test_of_two_who_ask_at_once_no_more_is_taken_than_was_paid(office: Office) -> None:
    receipt = office.sends(300_00)
    office.sends(300_00)
    asked = [one for one in at_once(*(lambda: ask(office, receipt),) * 2) if one.name == "ok"]
    done = [approve(office, each).name for each in asked]

    assert done == ["ok"]
    assert office.balance(JUMAS) == 300_00


def test_of_two_processes_that_ask_at_once_one_holds_the_payment(
    office: Office, clock: SetClock
) -> None:
    receipt = office.sends(300_00)
    office.sends(300_00)
    with started(office.engine, clock) as other:
        there = ReverseService(replace(office.at, ledger=other))
        names = at_once(
            *(lambda: ask(office, receipt).name,) * 2,
            *(lambda: there.ask(receipt, None, by("otieno"), whole=False).name,) * 2,
        )

    assert sorted(names) == ["in_hand", "in_hand", "in_hand", "ok"]
    assert office.pending(JUMAS) == (300_00, 0)


def test_the_database_too_holds_a_payment_once(office: Office) -> None:
    ask(office, office.sends())
    again = select(hold).with_only_columns(
        literal(9_999).label("id"),
        literal("another").label("key"),
        *(each for each in hold.c if each.name not in ("id", "key")),
    )
    with pytest.raises(IntegrityError), writing(office.engine) as connection:
        connection.execute(insert(hold).from_select(again.selected_columns.keys(), again))


def test_a_payment_is_in_one_pair_of_hands(office: Office) -> None:
    receipt = office.sends()
    asked = ask(office, receipt)

    again = ask(office, receipt)
    assert (again.name, again.values["hold"]) == ("in_hand", asked.values["hold"])


def test_a_whole_reversal_is_none_where_a_part_came_back_before(office: Office) -> None:
    receipt = office.sends(500_00)
    approve(office, ask(office, receipt, 100_00))

    assert ask(office, receipt, whole=True).name == "taken_back"


def test_a_whole_reversal_needs_all_of_it(office: Office) -> None:
    receipt = office.sends(500_00)
    spends(office, 1)

    assert ask(office, receipt, whole=True).name == "spent"


@pytest.mark.parametrize("kind", ["opening", "commission_paid_out"])
def test_other_kinds_are_not_taken_back(office: Office, kind: str) -> None:
    receipt = office.does(kind, (Leg(AMINAS, 100), Leg(JUMAS, -100)), 100)

    assert ask(office, receipt, whole=True).name == "not_reversible"


def test_what_is_not_there_is_told(office: Office) -> None:
    assert ask(office, "NOTTHERE22").name == "no_journal"
    assert office.reversals.approve(99, None, by("odhiambo")).name == "no_hold"
    assert office.reversals.refuse(99, by("odhiambo")).name == "no_hold"
    other = office.reversals.ask(office.sends(), Money(5, "UGX"), by(), whole=False)
    assert (other.name, other.values["currency"]) == ("other_currency", "KES")


def test_those_that_wait_are_listed_with_who_and_why(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    [one] = office.at.records.waiting(("refund", "reversal"), count_max=5)
    assert office.at.records.waiting_count(("refund", "reversal")) == 1
    assert office.at.records.waiting_count(("parked",)) == 0

    assert (one.hold.id, one.original, one.hold.minor) == (number(asked), receipt, 500_00)
    assert (one.source.name, one.target.name) == ("Juma Otieno", "Amina Wafula")
    assert (one.by, one.why) == ("njeri", "wrong number")

    refuse(office, asked)
    assert office.at.records.waiting(("refund", "reversal"), count_max=5) == []
