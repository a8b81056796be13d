"""What comes back to the payer, out of whose account, who is told of it, and how."""

from sqlalchemy import select

from tests.store.orders.reversing import approve, ask, held, journals, refuse, told, used
from tests.store.orders.staffed import (
    AMINAS,
    BILLS,
    EARNED,
    FEE,
    FLOAT,
    JUMAS,
    KES_1000,
    Office,
    by,
    house,
    kes,
    wrong,
)
from tests.store.people import AMINA, JUMA
from tests.store.verify.crowbar import tamper
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
from ussd_gateway.domain.journal import Leg
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account


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


def test_a_bill_comes_back_whole_as_its_payer_saw_it(office: Office) -> None:
    asked = ask(office, office.pays_a_bill(500_00, kept=5_00), whole=True)
    assert (asked.values["amount"], asked.values["paid"]) == (kes(495_00), kes(500_00))
    [listed] = office.at.records.waiting(("reversal",), count_max=5)
    assert listed.paid == kes(500_00)

    assert approve(office, asked).name == "ok"
    [(_, back), (_, taken)] = told(office, "refunded_with_fee", "taken_back")
    assert (back["amount"], back["fee"], taken["amount"]) == (
        *(kes(500_00), kes(FEE)),
        kes(495_00),
    )
    assert (office.balance(AMINAS), office.balance(BILLS)) == (KES_1000, 0)
    assert used(office) == (0, 0)


def test_the_checker_holds_what_a_payer_is_told_to_what_came_back(office: Office) -> None:
    approve(office, ask(office, office.pays_a_bill(500_00, kept=5_00), whole=True))
    more = """
        UPDATE outbox SET params = replace(params, '"minor":50000,', '"minor":50001,')
            WHERE template = 'refunded_with_fee'
    """
    less = more.replace("50000", "-").replace("50001", "50000").replace("-", "50001")
    tamper(office.engine, [more])
    [found] = wrong(office.engine)
    assert found.shown[0].endswith("says 50701 KES in all; its key says 50700 KES")
    tamper(office.engine, [less])


def test_a_refund_of_a_bill_leaves_out_what_its_business_paid_of_the_fee(
    office: Office,
) -> None:
    done = approve(office, ask(office, office.pays_a_bill(500_00, kept=5_00)))
    assert done.values["back"] == kes(495_00)
    assert used(office) == (5_00, 5_00)


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
