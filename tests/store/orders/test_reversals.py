"""Payments that are taken back, through the writer: what the rows say, that one of all who
decide wins, and that the checker finds nothing wrong afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, literal, select
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import SetClock, started
from tests.store.orders.staffed import (
    AMINAS,
    EARNED,
    FEE,
    FLOAT,
    JUMAS,
    KES_1000,
    Office,
    by,
    house,
    staffed,
    wrong,
)
from tests.store.people import AMINA, JUMA
from tests.world import at_once
from ussd_gateway.app import messages as texts
from ussd_gateway.domain.accounts import (
    CLAWBACK,
    COMMISSION_PAID,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    OPERATING_BANK,
    TRANSFER_FEES,
    TRUST_BANK,
)
from ussd_gateway.domain.book import Outcome, Status
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.ask_reversal import ASKED_FOR_MS
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.settings import Settings
from ussd_gateway.store.codec import decode_values
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import account, hold, journal, outbox


@pytest.fixture
def office(engine: Engine, clock: SetClock) -> Iterator[Office]:
    with staffed(engine, clock) as office:
        yield office
    assert wrong(engine) == []


def test_what_is_asked_for_is_held_and_comes_back_when_somebody_else_approves(
    office: Office,
) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    assert (asked.name, asked.values["amount"]) == ("ok", kes(500_00))
    assert office.pending(JUMAS) == (500_00, 0)
    assert office.pending(AMINAS) == (0, 500_00)

    done = approve(office, asked)

    assert done.name == "ok"
    assert office.balance(JUMAS) == 0
    assert office.balance(AMINAS) == KES_1000 - FEE  # the fee stays paid
    assert office.pending(JUMAS) == office.pending(AMINAS) == (0, 0)
    assert held(office, asked) == ("posted", 500_00)
    original, refund = journals(office, "send_money"), journals(office, "refund")
    assert [(one.reverses_id, one.hold_id) for one in refund] == [
        (original[0].id, asked.values["hold"])
    ]
    assert refund[0].receipt == done.values["receipt"] != receipt


def test_both_sides_are_told_with_both_receipts(office: Office) -> None:
    receipt = office.sends(500_00)
    done = approve(office, ask(office, receipt))

    asked, back, taken = told(office, "reversal_asked", "refunded", "taken_back")
    assert asked == (JUMA, {"original": receipt, "amount": kes(500_00), "name": "Amina Wafula"})
    own = {"receipt": done.values["receipt"], "original": receipt, "amount": kes(500_00)}
    assert back == (AMINA, own | {"name": "Juma Otieno", "balance": kes(KES_1000 - FEE)})
    assert taken == (JUMA, own | {"name": "Amina Wafula", "balance": kes(0)})


def test_what_they_are_told_reads_well_in_every_language(office: Office) -> None:
    receipt = office.sends(500_00)
    refuse(office, ask(office, receipt))
    done = approve(office, ask(office, receipt))
    messages = texts(Settings())

    def said(template: str, language: str) -> str:
        [(_, params)] = told(office, template)
        return messages.render(template, language, {**params, "at": "21/11/26 09:00"})

    own = done.values["receipt"]
    assert [said("reversal_asked", language) for language in messages.languages] == [
        (
            f"KES 500.00 of {receipt} is held 21/11/26 09:00: that payment of Amina Wafula is "
            "looked into. It is decided within 48 hours."
        ),
        (
            f"KES 500.00 za {receipt} zimezuiliwa 21/11/26 09:00: malipo hayo ya Amina Wafula "
            "yanachunguzwa. Itaamuliwa ndani ya saa 48."
        ),
        (
            f"KES 500.00 de {receipt} bloqués 21/11/26 09:00 : ce paiement de Amina Wafula est "
            "examiné. Décision sous 48 heures."
        ),
    ]
    assert said("refunded", "en") == (
        f"{own} KES 500.00 came back to you from Juma Otieno 21/11/26 09:00: "
        f"reversal of {receipt}. Balance KES 993.00."
    )
    assert said("taken_back", "sw") == (
        f"{own} KES 500.00 zimerudishwa kwa Amina Wafula 21/11/26 09:00: "
        f"marejesho ya {receipt}. Salio KES 0.00."
    )
    assert said("hold_released", "en") == (
        f"KES 500.00 that was held of {receipt} is yours to use again 21/11/26 09:00."
    )
    assert said("reversal_refused", "fr") == (
        f"{receipt} : KES 500.00 ne vous reviennent pas 21/11/26 09:00 : demande refusée, ou "
        "restée sans décision. Rien n'a bougé."
    )


def test_who_asked_who_approved_and_why_stand_in_the_outcomes(office: Office) -> None:
    asked = ask(office, office.sends())
    done = approve(office, asked)

    assert (asked.values["by"], asked.values["why"]) == ("njeri", "wrong number")
    assert (done.values["by"], done.values["asked_by"]) == ("odhiambo", "njeri")
    assert done.values["why"] == "wrong number"


def test_only_what_is_still_there_is_held(office: Office) -> None:
    receipt = office.sends(500_00)
    spends(office, 380_00)

    assert ask(office, receipt).values["amount"] == kes(120_00)
    assert office.pending(JUMAS) == (120_00, 0)


def test_no_more_is_held_than_was_paid_or_asked_for(office: Office) -> None:
    office.sends(300_00)
    receipt = office.sends(200_00)

    assert ask(office, receipt, 50_00).values["amount"] == kes(50_00)


def test_a_part_can_be_approved_and_the_rest_is_free_again(office: Office) -> None:
    asked = ask(office, office.sends(500_00))
    done = approve(office, asked, 200_00)

    assert done.values["amount"] == kes(200_00)
    assert held(office, asked) == ("part_posted", 200_00)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (300_00, (0, 0))
    [(to, params)] = told(office, "hold_released")
    assert (to, params["amount"]) == (JUMA, kes(300_00))


def test_refunds_of_one_payment_are_never_more_than_it(office: Office) -> None:
    receipt = office.sends(500_00)
    office.sends(300_00)
    approve(office, ask(office, receipt), 350_00)

    again = ask(office, receipt)
    assert again.values["amount"] == kes(150_00)
    assert approve(office, again).name == "ok"
    assert ask(office, receipt).name == "taken_back"
    assert office.balance(JUMAS) == 300_00


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


def test_a_refund_gives_the_limit_of_its_day_back(office: Office) -> None:
    asked = ask(office, office.sends(500_00))
    assert used(office) == (500_00, 500_00)
    approve(office, asked, 200_00)

    assert used(office) == (300_00, 300_00)


def test_a_fee_that_was_swept_is_covered_again_when_it_is_given_back(office: Office) -> None:
    receipt = office.sends(500_00)
    office.sweeps.sweep(None, by("odhiambo"))
    asked = office.reversals.ask(receipt, None, by(), whole=True)
    done = approve(office, asked)

    assert (done.name, done.values["from_bank"]) == ("ok", kes(FEE))
    assert office.balance(house(DUE_TO_OPERATING)) == office.balance(house(DUE_FROM_TRUST)) == 0
    assert office.balance(house(OPERATING_BANK)) == 0
    assert office.balance(house(TRUST_BANK)) == 2 * KES_1000
    assert office.balance(AMINAS) == KES_1000
    [(to, params)] = told(office, "refunded_with_fee")
    assert (to, params["amount"], params["fee"]) == (AMINA, kes(500_00), kes(FEE))


def test_a_payment_is_in_one_pair_of_hands(office: Office) -> None:
    receipt = office.sends()
    asked = ask(office, receipt)

    again = ask(office, receipt)
    assert (again.name, again.values["hold"]) == ("in_hand", asked.values["hold"])


def test_who_asked_does_not_approve(office: Office) -> None:
    asked = ask(office, office.sends())

    own = office.reversals.approve(number(asked), None, by("njeri"))
    assert own.name == "own_order"
    assert held(office, asked) == ("pending", 0)


def test_what_is_refused_is_free_again_and_both_are_told(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    refused = office.reversals.refuse(number(asked), by("odhiambo", "it was a debt"))

    assert refused.name == "ok"
    assert held(office, asked) == ("voided", 0)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (500_00, (0, 0))
    said = {"original": receipt, "amount": kes(500_00)}
    assert told(office, "hold_released", "reversal_refused") == [(JUMA, said), (AMINA, said)]


def test_what_nobody_decides_in_time_is_not_approved_even_if_nobody_said_so_yet(
    office: Office, clock: SetClock
) -> None:
    asked = ask(office, office.sends())
    clock.wait(ASKED_FOR_MS / 1000)

    assert approve(office, asked).name == "overdue"
    assert held(office, asked) == ("pending", 0)


def test_the_scheduler_lets_go_what_is_overdue_and_nothing_before(
    office: Office, clock: SetClock
) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt)
    clock.wait(ASKED_FOR_MS / 1000 - 1)
    assert office.overdue.expire() == 0
    clock.wait(1)

    assert office.overdue.expire() == 1
    assert office.overdue.expire() == 0
    assert held(office, asked) == ("expired", 0)
    assert (office.balance(JUMAS), office.pending(JUMAS)) == (500_00, (0, 0))
    assert [to for to, _ in told(office, "hold_released", "reversal_refused")] == [JUMA, AMINA]
    assert approve(office, asked).values["state"] == "expired"


def test_of_all_who_decide_at_once_one_wins(office: Office, clock: SetClock) -> None:
    asked = ask(office, office.sends())
    deeds = (lambda: approve(office, asked).name, lambda: refuse(office, asked).name)
    answers = at_once(*deeds, *deeds)
    assert sorted(answers) == ["decided", "decided", "decided", "ok"]

    late = ask(office, office.sends(100_00))
    clock.wait(ASKED_FOR_MS / 1000)
    at_once(office.overdue.expire, office.overdue.expire, office.overdue.expire)
    assert held(office, late) == ("expired", 0)


def test_of_two_processes_that_decide_at_once_one_wins(office: Office, clock: SetClock) -> None:
    """Approved, refused and let go by the scheduler, at the end of its time."""
    asked = [ask(office, office.sends(20_00)) for _ in range(8)]
    clock.wait(ASKED_FOR_MS / 1000 - 1)
    with started(office.engine, clock) as writer:
        other = Office(office.engine, office.writer, replace(office.at, ledger=writer))

        def decide(one: Outcome) -> list[str]:
            return at_once(lambda: approve(office, one).name, lambda: refuse(other, one).name)

        answers = [decide(one) for one in asked[:4]]
        late = at_once(
            *(lambda one=one: approve(office, one).name for one in asked[4:]),
            lambda: clock.wait(1),
            lambda: [str(other.overdue.expire()) for _ in range(20)],
        )
    assert {tuple(sorted(answer)) for answer in answers} == {("decided", "ok")}
    clock.wait(60)  # what a slow machine gave up is asked for again in the next minute
    other.overdue.expire()
    states = [held(office, one)[0] for one in asked]
    assert set(states[:4]) <= {"posted", "voided"}
    for answer, state in zip(late, states[4:], strict=False):
        assert (answer == "ok") == (state == "posted")
        assert state in ("posted", "expired")
    assert office.pending(JUMAS) == (0, 0)


def test_what_is_held_of_a_frozen_account_is_let_go_all_the_same(
    office: Office, clock: SetClock
) -> None:
    for decide in (lambda one: refuse(office, one), lambda _one: office.overdue.expire()):
        asked = ask(office, office.sends(100_00))
        office.statuses.set_status((JUMA,), Status.FROZEN_BOTH, by())
        clock.wait(ASKED_FOR_MS / 1000)
        decide(asked)

        assert held(office, asked)[0] in ("voided", "expired")
        assert office.pending(JUMAS) == (0, 0)
        office.statuses.set_status((JUMA,), Status.ACTIVE, by())


def test_our_own_fault_is_taken_back_to_the_last_leg(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt, whole=True)
    done = approve(office, asked)

    assert (done.name, done.values["back"]) == ("ok", kes(507_00))
    assert (office.balance(AMINAS), office.balance(JUMAS)) == (KES_1000, 0)
    codes = (DUE_TO_OPERATING, DUE_FROM_TRUST, TRANSFER_FEES, EXCISE)
    assert [office.balance(house(code)) for code in codes] == [0, 0, 0, 0]
    with reading(office.engine) as connection:
        used = select(account.c.used_day, account.c.used_month).where(account.c.id == AMINAS)
        assert tuple(connection.execute(used).one()) == (0, 0)
    assert ask(office, receipt).name == "taken_back"


def test_a_whole_reversal_is_none_where_a_part_came_back_before(office: Office) -> None:
    receipt = office.sends(500_00)
    approve(office, ask(office, receipt, 100_00))

    assert ask(office, receipt, whole=True).name == "taken_back"


def test_a_whole_reversal_needs_all_of_it(office: Office) -> None:
    receipt = office.sends(500_00)
    spends(office, 1)

    assert ask(office, receipt, whole=True).name == "spent"


def test_cash_is_taken_back_whole_and_the_commission_with_it(office: Office) -> None:
    receipt = office.withdraws(100_00, earned=10_00)
    assert ask(office, receipt).name == "cash"

    assert approve(office, ask(office, receipt, whole=True)).name == "ok"
    assert (office.balance(AMINAS), office.balance(FLOAT)) == (KES_1000, KES_1000)
    assert office.balance(EARNED) == office.balance(house(COMMISSION_PAID)) == 0
    assert office.balance(house(CLAWBACK)) == 0


def test_commission_that_is_gone_is_claimed(office: Office) -> None:
    receipt = office.withdraws(100_00, earned=10_00)
    paid_out = (Leg(EARNED, 4_00), Leg(house(COMMISSION_PAID), -4_00))
    office.does("commission_paid_out", paid_out, 4_00)

    assert approve(office, ask(office, receipt, whole=True)).name == "ok"
    assert office.balance(EARNED) == 0
    assert office.balance(house(CLAWBACK)) == 4_00


def test_who_got_it_back_may_not_hold_more_than_their_cap(office: Office) -> None:
    receipt = office.sends(500_00)
    asked = ask(office, receipt, whole=True)
    low = Money(KES_1000 - FEE, "KES")  # the hold fits, the fee beside it does not
    assert office.statuses.set_cap((AMINA,), low, by()).name == "ok"

    assert approve(office, asked).name == "target_full"


@pytest.mark.parametrize(
    ("status", "answer"), [(Status.FROZEN_IN, "ok"), (Status.FROZEN_BOTH, "source_barred")]
)
def test_an_account_that_is_frozen_gives_only_what_it_may(
    office: Office, status: Status, answer: str
) -> None:
    receipt = office.sends()
    office.statuses.set_status((JUMA,), status, by())

    assert ask(office, receipt).name == answer


def test_what_is_frozen_after_it_was_asked_for_waits(office: Office) -> None:
    asked = ask(office, office.sends())
    office.statuses.set_status((AMINA,), Status.FROZEN_IN, by())
    assert approve(office, asked).name == "target_barred"

    office.statuses.set_status((AMINA,), Status.ACTIVE, by())
    assert approve(office, asked).name == "ok"


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

    assert (one.hold.id, one.original, one.hold.minor) == (number(asked), receipt, 500_00)
    assert (one.source.name, one.target.name) == ("Juma Otieno", "Amina Wafula")
    assert (one.by, one.why) == ("njeri", "wrong number")

    refuse(office, asked)
    assert office.at.records.waiting(("refund", "reversal"), count_max=5) == []


def test_an_order_that_comes_twice_is_carried_out_once(office: Office) -> None:
    receipt, order = office.sends(), by()
    once = office.reversals.ask(receipt, None, order, whole=False)
    assert once.name == "ok"

    checked = by("odhiambo")
    twice = [office.reversals.approve(number(once), None, checked) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(journals(office, "refund")) == 1


# --- what is done and seen -----------------------------------------------------------------


def ask(
    office: Office, receipt: str, minor: int | None = None, *, whole: bool = False
) -> Outcome:
    amount = None if minor is None else kes(minor)
    return office.reversals.ask(receipt, amount, by("njeri"), whole=whole)


def approve(office: Office, asked: Outcome, minor: int | None = None) -> Outcome:
    amount = None if minor is None else kes(minor)
    return office.reversals.approve(number(asked), amount, by("odhiambo"))


def refuse(office: Office, asked: Outcome) -> Outcome:
    return office.reversals.refuse(number(asked), by("odhiambo"))


def number(asked: Outcome) -> int:
    assert asked.name == "ok", asked
    return int(asked.values["hold"])


def spends(office: Office, minor: int) -> None:
    """Juma, so that it is not there any more."""
    office.does("spend", (Leg(JUMAS, minor), Leg(AMINAS, -minor)), minor)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def held(office: Office, asked: Outcome) -> tuple[str, int]:
    found = select(hold.c.state, hold.c.posted).where(hold.c.id == number(asked))
    with reading(office.engine) as connection:
        state, posted = connection.execute(found).one()
        return state, posted


def used(office: Office) -> tuple[int, int]:
    """What limits count of Amina's day and month."""
    found = select(account.c.used_day, account.c.used_month).where(account.c.id == AMINAS)
    with reading(office.engine) as connection:
        day, month = connection.execute(found).one()
    return day, month


def journals(office: Office, kind: str) -> list[Any]:
    with reading(office.engine) as connection:
        return list(connection.execute(select(journal).where(journal.c.kind == kind)))


def told(office: Office, *templates: str) -> list[tuple[str, dict[str, Any]]]:
    found = select(outbox.c.template, outbox.c.msisdn, outbox.c.params)
    with reading(office.engine) as connection:
        rows = {row.template: row for row in connection.execute(found)}
    return [(rows[each].msisdn, decode_values(rows[each].params)) for each in templates]
