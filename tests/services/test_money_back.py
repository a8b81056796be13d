"""Money asked back on the phone, one row a no, in the order of `Reason`: each differs from a
good one in one place. What becomes of the rows is in tests/journeys."""

from dataclasses import replace

import pytest

from tests.services import cast
from tests.services.cast import AMINA, JUMA, NOW_MS, RIGHT, WRONG, kes
from tests.services.choosing import Counted
from tests.services.orders.at_the_desk import HELD, HOLD, RECEIPT, RECORDED, SENT
from tests.services.stand_in import MARKET, InMemoryPayments, World, call, with_pin
from ussd_gateway.domain.book import Book, Decision, HoldDecided, HoldPlaced, Status
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posted
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import OnHold
from ussd_gateway.services.money_back import ask_back
from ussd_gateway.services.money_back.answer_ask import (
    AnswerAskService,
    GiveBack,
    Keep,
    give,
    keep,
)
from ussd_gateway.services.money_back.ask_back import WITHIN_MS, AskBack, AskBackService
from ussd_gateway.services.orders.ask_reversal import ASKED_FOR_MS
from ussd_gateway.services.pins import Proof

AMINAS, JUMAS = AMINA.wallet_id, JUMA.wallet_id
PAID = replace(
    SENT, event_at_ms=NOW_MS, legs=(Leg(AMINAS, 507_00), Leg(JUMAS, -500_00), Leg(9, -7_00))
)
WHOLLY = replace(PAID, taken_back={JUMAS: 500_00})
RECORD = replace(RECORDED, event_at_ms=NOW_MS, paid=kes(500))
UNTIL_MS = NOW_MS + ASKED_FOR_MS
ASKED = replace(HOLD, kind="asked_back", minor=500_00, expires_at_ms=UNTIL_MS)
ON_HOLD = replace(HELD, hold=ASKED, by="", why="", paid=kes(500))
JUMAS_RIGHT, JUMAS_WRONG = Proof(JUMA.id, b"right"), Proof(JUMA.id, b"wrong")


def rows(
    *,
    posted: Posted = PAID,
    hold: Hold | None = None,
    has: int = 750,
    aminas: Status = Status.ACTIVE,
    jumas: Status = Status.ACTIVE,
    cap: int = cast.BALANCE_MAX,
    now_ms: int = NOW_MS,
) -> Book:
    """Juma has so many shillings, of which `hold` is held if it is pending."""
    book = cast.book(juma=has)
    amina, juma = book.accounts[AMINAS], book.accounts[JUMAS]
    amina.status, juma.status, amina.cap = aminas, jumas, cap * 100
    if hold is not None and hold.state is HoldState.PENDING:
        juma.debits_pending += hold.minor
        amina.credits_pending += hold.minor
    return replace(
        book,
        holds={} if hold is None else {hold.id: hold},
        journals={posted.id: posted},
        now_ms=now_ms,
    )


def ask(book: Book, proof: Proof = RIGHT) -> Decision:
    return ask_back.decide(AskBack(RECORD, ASKED.id, proof), MARKET, book)


NO_TO_ASKING = [
    (Reason.ACCOUNT_BLOCKED, ask(rows(aminas=Status.FROZEN_IN))),
    (Reason.WRONG_PIN, ask(rows(), WRONG)),
    (Reason.TOO_LATE, ask(rows(now_ms=NOW_MS + WITHIN_MS + 1))),
    (Reason.TAKEN_BACK, ask(rows(posted=WHOLLY))),
    (Reason.ALREADY_ASKED, ask(rows(posted=replace(PAID, held_as=frozenset({"disputed"}))))),
    (Reason.ALREADY_ASKED, ask(rows(posted=replace(PAID, in_hand=4)))),
    (Reason.SPENT, ask(rows(has=0))),
    (Reason.SPENT, ask(rows(jumas=Status.CLOSED))),
    (Reason.PAYEE_FULL, ask(rows(cap=5_000))),
]
NO_TO_GIVING = [
    (Reason.ACCOUNT_BLOCKED, rows(hold=ASKED, jumas=Status.FROZEN_BOTH), JUMAS_RIGHT),
    (Reason.WRONG_PIN, rows(hold=ASKED), JUMAS_WRONG),
    (
        Reason.ALREADY_DECIDED,
        rows(hold=replace(ASKED, state=HoldState.VOIDED)),
        JUMAS_RIGHT,
    ),
    (Reason.ALREADY_DECIDED, rows(hold=ASKED, now_ms=UNTIL_MS), JUMAS_RIGHT),
    (Reason.PAYEE_FULL, rows(hold=ASKED, aminas=Status.FROZEN_IN), JUMAS_RIGHT),
]


def test_what_is_there_is_held_for_two_days_and_both_are_told() -> None:
    decision = ask(rows(has=300))

    assert decision.outcome == "ok"
    assert decision.posting is None
    held = replace(ASKED, minor=300_00)
    assert decision.changes == (HoldPlaced(held),)
    assert [(told.to, told.template) for told in decision.messages] == [
        (AMINA.msisdn, "asked_back"),
        ("j", "asked_to_give_back"),
    ]
    payers, payees = (told.params for told in decision.messages)
    assert payers["amount"] == payees["amount"] == kes(300)
    assert payees["number"] == "0711***001"


@pytest.mark.parametrize(("reason", "decision"), NO_TO_ASKING)
def test_each_no_to_asking(reason: Reason, decision: Decision) -> None:
    assert decision.outcome == reason.value
    assert (decision.changes, decision.messages, decision.posting) == ((), (), None)


@pytest.mark.parametrize(("reason", "book", "proof"), NO_TO_GIVING)
def test_each_no_to_giving_back(reason: Reason, book: Book, proof: Proof) -> None:
    decision = give(GiveBack(ON_HOLD, proof), book)
    assert decision.outcome == reason.value
    assert (decision.changes, decision.messages, decision.posting) == ((), (), None)


@pytest.mark.parametrize("table", [NO_TO_ASKING, NO_TO_GIVING], ids=["ask", "give"])
def test_reasons_are_checked_in_their_order(table: list[tuple[Reason, object]]) -> None:
    told = list(dict.fromkeys(reason for reason, *_ in table))
    assert told == [reason for reason in Reason if reason in told]


def test_giving_back_moves_what_is_held_and_says_of_what() -> None:
    decision = give(GiveBack(ON_HOLD, JUMAS_RIGHT), rows(hold=ASKED))

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert decision.posting.kind == "given_back"
    assert decision.posting.legs == (Leg(JUMAS, 500_00), Leg(AMINAS, -500_00))
    assert (decision.posting.reverses_id, decision.posting.hold_id) == (PAID.id, ASKED.id)
    assert decision.changes == (HoldDecided(ASKED.id, HoldState.POSTED, 500_00),)
    # Or two customers would get round a limit by paying and giving back.
    assert decision.spent is None
    assert [(told.to, told.template) for told in decision.messages] == [
        ("a", "refunded"),
        ("j", "taken_back"),
    ]
    assert decision.values["balance"] == kes(250)


def test_keeping_passes_it_on_for_no_longer_and_the_payer_is_told() -> None:
    decision = keep(Keep(ON_HOLD, 6, JUMAS_RIGHT), MARKET, rows(hold=ASKED))

    assert (decision.outcome, decision.posting) == ("ok", None)
    assert decision.changes == (
        HoldDecided(ASKED.id, HoldState.VOIDED),
        HoldPlaced(replace(ASKED, id=6, kind="disputed")),
    )
    assert [(told.to, told.template) for told in decision.messages] == [("a", "not_given_back")]


@pytest.mark.parametrize(
    ("reason", "book", "proof"),
    [row for row in NO_TO_GIVING if row[0] in (Reason.WRONG_PIN, Reason.ALREADY_DECIDED)],
)
def test_each_no_to_keeping(reason: Reason, book: Book, proof: Proof) -> None:
    decision = keep(Keep(ON_HOLD, 6, proof), MARKET, book)
    assert decision.outcome == reason.value
    assert (decision.changes, decision.messages) == ((), ())


def test_whoever_keeps_it_may_be_barred_from_paying() -> None:
    frozen = rows(hold=ASKED, jumas=Status.FROZEN_BOTH)
    assert keep(Keep(ON_HOLD, 6, JUMAS_RIGHT), MARKET, frozen).outcome == "ok"


@pytest.mark.parametrize(
    "held",
    [
        replace(ON_HOLD, hold=replace(ASKED, source_id=3)),
        replace(ON_HOLD, hold=replace(ASKED, kind="disputed")),
        replace(ON_HOLD, hold=replace(ASKED, kind="refund")),
        None,
    ],
    ids=["another's", "kept before", "the staff's", "none"],
)
def test_nobody_answers_what_is_not_asked_of_them(held: OnHold | None) -> None:
    world = World(cast.book(with_pin(JUMA, "7391")))
    payments = InMemoryPayments(holds=(held,) if held else ())
    service = AnswerAskService(world.teller, payments, Counted())
    asked = call({"hold": str(ASKED.id)}, msisdn=JUMA.msisdn, pin="7391")

    assert service.give(asked).outcome == Reason.ALREADY_DECIDED.value
    assert service.keep(asked).outcome == Reason.ALREADY_DECIDED.value
    assert service.still(asked).outcome == Reason.ALREADY_DECIDED.value
    assert world.ledger.works == []
    wanted = service.wanted(call(msisdn=JUMA.msisdn))
    assert (wanted.outcome, wanted.values) == ("nothing", {})


def test_nobody_asks_back_what_another_has_paid() -> None:
    world = World(cast.book(with_pin(JUMA, "7391")))
    service = AskBackService(world.teller, InMemoryPayments(RECORD), Counted())
    for payer in (JUMA, cast.WANJIRU):
        asked = call({"receipt": RECEIPT}, msisdn=payer.msisdn, pin="7391")
        assert service.ask(asked).outcome == Reason.NO_SUCH_PAYMENT.value
        assert service.look(RECEIPT, payer.msisdn).outcome == Reason.NO_SUCH_PAYMENT.value
    assert world.ledger.works == []


@pytest.mark.parametrize(
    ("holds", "outcome"),
    [
        ((), "ok"),
        ((replace(HOLD, expires_at_ms=UNTIL_MS),), "already_asked"),
        ((replace(HOLD, state=HoldState.VOIDED),), "ok"),
        ((replace(ASKED, state=HoldState.EXPIRED),), "already_asked"),
        ((replace(ASKED, state=HoldState.POSTED, posted=500_00),), "taken_back"),
        ((replace(ASKED, state=HoldState.PART_POSTED, posted=100_00),), "already_asked"),
    ],
    ids=["none", "the staff's", "refused", "run out", "given back", "a part of it"],
)
def test_what_was_asked_before_is_told_before_the_pin(
    holds: tuple[Hold, ...], outcome: str
) -> None:
    payments = InMemoryPayments(RECORD, [replace(ON_HOLD, hold=each) for each in holds])
    service = AskBackService(World(cast.book()).teller, payments, Counted())

    assert service.look(RECEIPT, AMINA.msisdn).outcome == outcome
