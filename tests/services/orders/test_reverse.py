"""Reversals, one row a no, in the order of `Objection`: each differs from a good one in one
place. What happens to the rows is in tests/store/orders."""

from dataclasses import replace

import pytest

from tests.services.orders.at_the_desk import (
    AMINAS,
    CHECKER,
    EARNED,
    HELD,
    HOLD,
    JUMAS,
    MAKER,
    NOW_MS,
    RECORDED,
    SENT,
    book,
    kes,
    wallet,
)
from ussd_gateway.domain.accounts import (
    CLAWBACK,
    COMMISSION_PAID,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, HoldDecided, HoldPlaced, Spent, Status
from ussd_gateway.domain.journal import HoldState, Leg
from ussd_gateway.domain.money import Money
from ussd_gateway.services.orders.ask_reversal import ASKED_FOR_MS, Ask, ask
from ussd_gateway.services.orders.decide_reversal import Approve, approve, refuse
from ussd_gateway.services.orders.desk import Objected, Objection

ASK = Ask(RECORDED, 5, None, whole=False, by=MAKER)
APPROVE = Approve(HELD, RECORDED, None, CHECKER)
WHOLE_HOLD = replace(HOLD, kind="reversal")
WHOLE = replace(APPROVE, held=replace(HELD, hold=WHOLE_HOLD))
PARTLY = replace(SENT, taken_back={AMINAS: -200, JUMAS: 200})
WHOLLY = replace(SENT, taken_back={AMINAS: -507, JUMAS: 500}, reversed=True)

EXCISE_ID = house_id(EXCISE, "KES")

IN_HAND = replace(SENT, in_hand=HOLD.id)
BY_PHONE = replace(HOLD, kind="asked_back")
NO_TO_ASKING = [
    (Objection.IN_HAND, ASK, book(posted=replace(SENT, in_hand=4))),
    (Objection.IN_HAND, ASK, book(posted=IN_HAND, hold=HOLD)),
    (
        Objection.AS_ASKED,
        replace(ASK, amount=kes(100)),
        book(posted=IN_HAND, hold=BY_PHONE),
    ),
    (Objection.AS_ASKED, replace(ASK, whole=True), book(posted=IN_HAND, hold=BY_PHONE)),
    (Objection.OTHER_CURRENCY, replace(ASK, amount=Money(5, "UGX")), book()),
    (
        Objection.NOT_REVERSIBLE,
        replace(ASK, recorded=replace(RECORDED, kind="airtime")),
        book(),
    ),
    (
        Objection.NOT_REVERSIBLE,
        replace(ASK, recorded=replace(RECORDED, kind="content")),
        book(),
    ),
    (
        Objection.NOT_REVERSIBLE,
        replace(ASK, recorded=replace(RECORDED, kind="refund")),
        book(),
    ),
    (Objection.CASH, replace(ASK, recorded=replace(RECORDED, kind="withdraw")), book()),
    (Objection.CASH, replace(ASK, recorded=replace(RECORDED, kind="deposit")), book()),
    (Objection.SOURCE_BARRED, ASK, book(wallet(JUMAS, 0, status=Status.CLOSED))),
    (Objection.TARGET_BARRED, ASK, book(wallet(AMINAS, 0, status=Status.FROZEN_IN))),
    (Objection.TAKEN_BACK, ASK, book(posted=WHOLLY)),
    (Objection.TAKEN_BACK, replace(ASK, whole=True), book(posted=PARTLY)),
    (Objection.SPENT, ASK, book(has=0)),
    (Objection.SPENT, replace(ASK, whole=True), book(has=499)),
    (Objection.TARGET_FULL, ASK, book(wallet(AMINAS, 9_501))),
]
NO_TO_APPROVING = [
    (Objection.OTHER_CURRENCY, replace(APPROVE, amount=Money(5, "UGX")), book(hold=HOLD)),
    (Objection.OWN_ORDER, replace(APPROVE, by=MAKER), book(hold=HOLD)),
    (Objection.ALL_OR_NOTHING, replace(WHOLE, amount=kes(500)), book(hold=WHOLE_HOLD)),
    (Objection.DECIDED, APPROVE, book(hold=replace(HOLD, state=HoldState.VOIDED))),
    (Objection.OVERDUE, APPROVE, book(hold=replace(HOLD, expires_at_ms=NOW_MS))),
    (Objection.OVER_HELD, replace(APPROVE, amount=kes(501)), book(hold=HOLD)),
    (
        Objection.SOURCE_BARRED,
        APPROVE,
        book(wallet(JUMAS, 500, status=Status.CLOSED), hold=HOLD),
    ),
    (
        Objection.TARGET_BARRED,
        APPROVE,
        book(wallet(AMINAS, 0, status=Status.DORMANT), hold=HOLD),
    ),
    (Objection.TAKEN_BACK, APPROVE, book(hold=HOLD, posted=PARTLY)),
    (Objection.TAKEN_BACK, APPROVE, book(hold=HOLD, posted=WHOLLY)),
    (Objection.TAKEN_BACK, WHOLE, book(hold=WHOLE_HOLD, posted=PARTLY)),
    (Objection.TARGET_FULL, WHOLE, book(wallet(AMINAS, 9_494), hold=WHOLE_HOLD)),
]


def test_a_good_ask_holds_the_payees_money_for_two_days() -> None:
    decision = ask(ASK, book())

    assert isinstance(decision, Decision)
    assert decision.posting is None
    [placed] = decision.changes
    assert placed.hold == replace(HOLD, expires_at_ms=NOW_MS + ASKED_FOR_MS)  # type: ignore[union-attr]
    assert [(told.to, told.template) for told in decision.messages] == [("j", "reversal_asked")]


@pytest.mark.parametrize(
    ("kind", "told"), [("asked_back", ["reversal_asked"]), ("disputed", [])]
)
def test_what_was_asked_on_the_phone_is_taken_on_for_no_longer_and_told_who_did_not_answer(
    kind: str, told: list[str]
) -> None:
    hold = replace(HOLD, kind=kind)
    decision = ask(replace(ASK, hold_id=6), book(posted=IN_HAND, hold=hold))

    assert isinstance(decision, Decision)
    assert decision.changes == (
        HoldDecided(HOLD.id, HoldState.VOIDED),
        HoldPlaced(replace(HOLD, id=6)),
    )
    assert [(each.to, each.template) for each in decision.messages] == [
        ("j", template) for template in told
    ]
    assert decision.posting is None
    assert decision.values["takes_on"] == HOLD.id


def test_what_was_asked_on_the_phone_is_not_taken_on_when_its_time_is_over() -> None:
    over = replace(BY_PHONE, expires_at_ms=NOW_MS)
    found = ask(ASK, book(posted=IN_HAND, hold=over))
    assert isinstance(found, Objected)
    assert found.objection is Objection.OVERDUE


@pytest.mark.parametrize(
    ("objection", "command", "rows"),
    NO_TO_ASKING,
)
def test_each_no_to_asking(objection: Objection, command: Ask, rows: Book) -> None:
    found = ask(command, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


@pytest.mark.parametrize(
    ("objection", "command", "rows"),
    NO_TO_APPROVING,
)
def test_each_no_to_approving(objection: Objection, command: Approve, rows: Book) -> None:
    found = approve(command, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


@pytest.mark.parametrize("table", [NO_TO_ASKING, NO_TO_APPROVING], ids=["ask", "approve"])
def test_objections_are_checked_in_their_order(
    table: list[tuple[Objection, object, Book]],
) -> None:
    told = list(dict.fromkeys(objection for objection, _, _ in table))
    assert told == [objection for objection in Objection if objection in told]


def test_a_refund_moves_what_is_held_and_says_of_what() -> None:
    decision = approve(APPROVE, book(hold=HOLD))

    assert isinstance(decision, Decision)
    assert decision.posting is not None
    assert decision.posting.legs == (Leg(JUMAS, 500), Leg(AMINAS, -500))
    assert (decision.posting.kind, decision.posting.reverses_id) == ("refund", 7)
    assert decision.posting.hold_id == 5


@pytest.mark.parametrize("minor", [500, 200])
def test_a_refund_gives_the_day_its_limit_back_as_far_as_it_goes(minor: int) -> None:
    decision = approve(replace(APPROVE, amount=kes(minor)), book(hold=HOLD))

    assert isinstance(decision, Decision)
    assert decision.spent == Spent(AMINAS, minor, back_of=SENT.business_date)


def test_a_part_that_is_approved_tells_the_payee_what_is_free_again() -> None:
    decision = approve(replace(APPROVE, amount=kes(200)), book(hold=HOLD))

    assert isinstance(decision, Decision)
    told = [(each.to, each.template, each.params["amount"]) for each in decision.messages]
    assert told == [
        ("a", "refunded", kes(200)),
        ("j", "taken_back", kes(200)),
        ("j", "hold_released", kes(300)),
    ]


def test_a_whole_reversal_tells_the_payer_the_same_amount_and_the_fee() -> None:
    decision = approve(WHOLE, book(hold=WHOLE_HOLD))

    assert isinstance(decision, Decision)
    back, taken = decision.messages
    assert (back.template, back.params["amount"], back.params["fee"]) == (
        "refunded_with_fee",
        *(kes(500), kes(7)),
    )
    assert back.params["balance"] == kes(4_493 + 507)
    assert (taken.template, taken.params["amount"]) == ("taken_back", kes(500))


def test_of_a_shared_fee_the_payer_is_told_and_given_back_what_they_were_shown() -> None:
    """The payer paid 503 and a fee of 4; the payee had 500 of it, and paid 3 of the fee."""
    shown = replace(RECORDED, kind="pay_bill", paid=kes(503))
    decision = approve(replace(WHOLE, recorded=shown), book(hold=WHOLE_HOLD))

    assert isinstance(decision, Decision)
    back, taken = decision.messages
    assert (back.params["amount"], back.params["fee"]) == (kes(503), kes(4))
    assert taken.params["amount"] == kes(500)
    assert decision.spent == Spent(AMINAS, 503, back_of=SENT.business_date)


@pytest.mark.parametrize(("due", "swept"), [(7, 0), (100, 0), (4, 3), (0, 7)])
def test_a_fee_that_was_swept_comes_back_into_the_trust(due: int, swept: int) -> None:
    owed, mirror, trust, bank = (
        house_id(code, "KES")
        for code in (DUE_TO_OPERATING, DUE_FROM_TRUST, TRUST_BANK, OPERATING_BANK)
    )
    legs = (Leg(AMINAS, 507), Leg(JUMAS, -500), Leg(owed, -7), Leg(mirror, 7))
    posted = replace(SENT, legs=(*legs, Leg(EXCISE_ID, -7)))
    rows = book(replace(wallet(owed, due), floor=None), hold=WHOLE_HOLD, posted=posted)
    decision = approve(WHOLE, rows)

    assert isinstance(decision, Decision)
    assert decision.posting is not None
    moved = {leg.account_id: leg.minor for leg in decision.posting.legs}
    assert (moved.get(owed, 0), moved.get(trust, 0)) == (7 - swept, swept)
    assert (moved.get(mirror, 0), moved.get(bank, 0)) == (swept - 7, -swept)
    assert decision.values["from_bank"] == kes(swept)


def test_a_reversal_moves_every_leg_and_gives_the_day_its_limit_back() -> None:
    decision = approve(WHOLE, book(hold=WHOLE_HOLD))

    assert isinstance(decision, Decision)
    assert decision.posting is not None
    assert decision.posting.legs == tuple(Leg(leg.account_id, -leg.minor) for leg in SENT.legs)
    assert decision.spent == Spent(AMINAS, 500, back_of=SENT.business_date)


@pytest.mark.parametrize(
    ("there", "legs"),
    [
        (10, [(EARNED, 10)]),
        (4, [(EARNED, 4), (house_id(CLAWBACK, "KES"), 6)]),
        (0, [(house_id(CLAWBACK, "KES"), 10)]),
    ],
)
@pytest.mark.parametrize("status", [Status.ACTIVE, Status.FROZEN_BOTH])
def test_commission_is_taken_from_the_agent_as_far_as_it_goes(
    there: int, legs: list[tuple[int, int]], status: Status
) -> None:
    paid = house_id(COMMISSION_PAID, "KES")
    earned = replace(SENT, legs=(*SENT.legs, Leg(paid, 10), Leg(EARNED, -10)))
    rows = book(wallet(EARNED, there, status=status), hold=WHOLE_HOLD, posted=earned)
    decision = approve(WHOLE, rows)

    assert isinstance(decision, Decision)
    assert decision.posting is not None
    moved = [(leg.account_id, leg.minor) for leg in decision.posting.legs]
    if status is Status.FROZEN_BOTH:
        legs = [(house_id(CLAWBACK, "KES"), 10)]
    assert moved[3:] == [(paid, -10), *legs]


def test_who_is_not_reachable_is_not_told() -> None:
    silent = replace(HELD, source=replace(HELD.source, msisdn=None))
    decision = refuse(silent, CHECKER, book(hold=HOLD))

    assert isinstance(decision, Decision)
    assert [told.template for told in decision.messages] == ["reversal_refused"]


def test_what_is_decided_is_not_refused() -> None:
    found = refuse(HELD, CHECKER, book(hold=replace(HOLD, state=HoldState.EXPIRED)))
    assert isinstance(found, Objected)
    assert (found.objection, found.values) == (Objection.DECIDED, {"state": "expired"})
