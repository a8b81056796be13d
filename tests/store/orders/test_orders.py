"""Dues that are swept, statuses and caps that staff set, through the writer: with who and why,
and with the trust ring exact at every commit."""

from dataclasses import replace

from sqlalchemy import insert, select

from tests.store.orders.staffed import (
    AMINAS,
    FEE,
    FLOAT,
    JUMAS,
    KES_1000,
    Office,
    by,
    house,
    kes,
    opened,
)
from tests.store.people import AMINA, JUMA
from tests.world import at_once
from ussd_gateway.domain.accounts import (
    AIRTIME_ON_ORDER,
    CONTENT_MERCHANT,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
)
from ussd_gateway.domain.book import Decision, Message, Purchase, Spent, Status, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import account, assistant


def test_what_is_due_goes_from_the_trust_bank_to_the_operating_bank(office: Office) -> None:
    office.sends()
    office.sends(100_00)
    in_trust = office.balance(house(TRUST_BANK))
    done = office.sweeps.sweep(Money(10_00, "KES"), by())

    assert (done.name, done.values["amount"]) == ("ok", kes(10_00))
    assert done.values["due"] == kes(2 * FEE - 10_00)
    assert (done.values["by"], done.values["why"]) == ("njeri", "wrong number")
    assert office.balance(house(TRUST_BANK)) == in_trust - 10_00
    assert office.balance(house(OPERATING_BANK)) == 10_00
    for due in (DUE_TO_OPERATING, DUE_FROM_TRUST):
        assert office.balance(house(due)) == 2 * FEE - 10_00


def test_without_an_amount_all_that_is_due_is_swept_and_then_nothing_is(office: Office) -> None:
    office.sends()
    swept = office.sweeps.sweep(None, by())
    assert (swept.values["amount"], swept.values["due"]) == (kes(FEE), kes(0))

    again = office.sweeps.sweep(None, by())
    assert (again.name, again.values["due"]) == ("not_due", kes(0))


def test_no_more_is_swept_than_is_due_whoever_sweeps_at_once(office: Office) -> None:
    office.sends()
    names = at_once(*(lambda: office.sweeps.sweep(kes(FEE), by()).name,) * 3)

    assert sorted(names) == ["not_due", "not_due", "ok"]
    assert office.sweeps.sweep(kes(1), by()).name == "not_due"


def test_an_account_is_frozen_and_active_again(office: Office) -> None:
    frozen = office.statuses.set_status((JUMA,), Status.FROZEN_BOTH, by())
    assert (frozen.values["status"], frozen.values["before"]) == ("frozen_both", "active")
    assert status(office, JUMAS) == "frozen_both"
    assert office.does("pay", (Leg(AMINAS, 1), Leg(JUMAS, -1)), 1) == "timeout"

    office.statuses.set_status((JUMA,), Status.ACTIVE, by())
    assert office.does("pay", (Leg(AMINAS, 1), Leg(JUMAS, -1)), 1) != "timeout"


def test_accounts_that_are_not_active_are_listed_with_the_last_who_and_why(
    office: Office,
) -> None:
    orders = office.statuses
    orders.set_status((JUMA,), Status.FROZEN_IN, by("njeri", "asked by the police"))
    orders.set_status((JUMA,), Status.FROZEN_BOTH, by("odhiambo", 'said "status" again'))
    orders.set_status((JUMA,), Status.FROZEN_BOTH, by("njeri", "no change"))
    orders.set_cap((JUMA,), kes(1), by("njeri", "another order"))

    [one] = office.at.records.barred(count_max=5)
    assert office.at.records.barred_count() == 1
    assert (one.holder.ref, one.holder.name) == (JUMA, "Juma Otieno")
    assert (one.status, one.balance) == (Status.FROZEN_BOTH, kes(0))
    assert (one.by, one.why) == ("odhiambo", 'said "status" again')
    assert one.at_ms == office.at.now_ms()


def test_only_an_empty_account_is_closed_and_for_good(office: Office) -> None:
    orders = office.statuses
    assert orders.set_status((AMINA,), Status.CLOSED, by()).name == "not_empty"
    assert orders.set_status((JUMA,), Status.CLOSED, by()).name == "ok"
    assert orders.set_status((JUMA,), Status.ACTIVE, by()).name == "closed"
    assert orders.set_cap((JUMA,), kes(5), by()).name == "closed"


def test_a_wallet_with_airtime_on_order_is_not_closed(office: Office) -> None:
    on_order = house(AIRTIME_ON_ORDER)
    legs = (Leg(JUMAS, 100_00), Leg(on_order, -100_00))
    bought = Purchase("b1", "airtime", 2, JUMA, kes(100_00), "", "", 1)
    ordered = Decision(
        "ok",
        {},
        Posting("airtime", legs),
        (Message(JUMA, "airtime_bought", "sw", {}),),
        changes=(bought,),
        spent=Spent(JUMAS, 100_00),
    )
    office.does("pay", (Leg(AMINAS, 100_00), Leg(JUMAS, -100_00)), 100_00)
    buys = Work("b1", "b1", 1, (2,), (JUMAS, on_order), lambda _book: ordered)
    assert office.writer.run(buys, within_s=5).name == "ok"

    assert office.statuses.set_status((JUMA,), Status.CLOSED, by()).name == "in_use"


def test_an_account_that_is_used_while_it_is_looked_up_is_not_closed(office: Office) -> None:
    looked = office.at.records.needed(JUMAS)
    for legs in (Leg(AMINAS, 1), Leg(JUMAS, -1)), (Leg(JUMAS, 1), Leg(AMINAS, -1)):
        office.does("pay", legs, 1)

    assert office.at.records.needed(JUMAS) == replace(looked, seq=looked.seq + 2)


def test_what_somebody_works_with_is_not_closed_and_says_what(office: Office) -> None:
    with writing(office.engine) as connection:
        connection.execute(insert(assistant).values(subscriber_id=2, store="100200"))
    store = office.at.records.needed(FLOAT)
    assert store.serves == "it is of the store 100200 Jirani Agencies"

    his = office.statuses.set_status((JUMA,), Status.CLOSED, by())
    assert (his.name, his.values["serves"]) == (
        "serves",
        "its holder serves the store 100200 Jirani Agencies",
    )


def test_the_account_of_a_business_is_not_closed(office: Office) -> None:
    with writing(office.engine) as connection:
        connection.execute(insert(account), [opened(9, "700700", CONTENT_MERCHANT)])

    closed = office.statuses.set_status(("700700",), Status.CLOSED, by())
    assert (closed.name, closed.values["serves"]) == ("serves", "it is of a content merchant")


def test_a_commission_account_cannot_be_barred_so_cash_goes_on(office: Office) -> None:
    orders = office.statuses
    frozen = orders.set_status(("100200-2210",), Status.FROZEN_IN, by())
    assert frozen.name == "commission_account"
    assert orders.set_cap(("100200-2210",), kes(0), by()).name == "commission_account"
    assert office.withdraws() != "timeout"


def test_the_houses_own_accounts_are_left_alone(office: Office) -> None:
    orders = office.statuses
    assert orders.set_status(("KES-2440",), Status.DORMANT, by()).name == "house_account"
    assert orders.set_cap(("KES-2440",), kes(5), by()).name == "house_account"


def test_an_account_is_found_by_the_first_of_its_names(office: Office) -> None:
    assert office.statuses.set_status(("0711", JUMA), Status.DORMANT, by()).name == "ok"
    assert status(office, JUMAS) == "dormant"
    assert office.statuses.set_status(("0711",), Status.DORMANT, by()).name == "no_account"


def test_a_cap_bounds_what_comes_in_from_then_on(office: Office) -> None:
    pays = (Leg(AMINAS, 100_00), Leg(JUMAS, -100_00))
    assert office.statuses.set_cap((JUMA,), kes(150_00), by()).name == "ok"
    assert office.does("pay", pays, 100_00) != "timeout"
    assert office.does("pay", pays, 100_00) == "timeout"

    assert office.statuses.set_cap((JUMA,), None, by()).values["cap"] == "none"
    assert office.does("pay", pays, 100_00) != "timeout"


def test_a_cap_is_never_under_what_is_there_or_on_its_way(office: Office) -> None:
    receipt = office.sends(500_00)
    office.reversals.ask(receipt, None, by(), whole=False)

    low = office.statuses.set_cap((AMINA,), kes(KES_1000 - FEE - 1), by())
    assert (low.name, low.values["most"]) == ("under_balance", kes(KES_1000 - FEE))
    assert office.statuses.set_cap((AMINA,), kes(KES_1000 - FEE), by()).name == "ok"


def test_a_cap_in_other_money_is_refused(office: Office) -> None:
    other = office.statuses.set_cap((AMINA,), Money(5, "UGX"), by())
    assert (other.name, other.values) == ("other_currency", {"currency": "KES"})


# --- what is seen --------------------------------------------------------------------------


def status(office: Office, account_id: int) -> str:
    with reading(office.engine) as connection:
        found = select(account.c.status).where(account.c.id == account_id)
        return str(connection.execute(found).scalar_one())
