"""What staff have before them: two wallets, an agent's commission, and the house's accounts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from ussd_gateway.domain.accounts import HOUSE, house_id
from ussd_gateway.domain.book import Account, Book, Status
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posted
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Holder, OnHold, Recorded
from ussd_gateway.services.orders.desk import By

AMINAS, JUMAS, EARNED = 1, 2, 3
RECEIPT = "UDP2KW5VQP"
NOW_MS = 1_000_000
TODAY = date(2026, 11, 21)

MAKER, CHECKER = By("njeri", "wrong number", "k1"), By("odhiambo", "so it was", "k2")

AMINA = Holder(AMINAS, "+254711000001", 2010, "KES", "Amina Wafula", Msisdn("a"), "en")
JUMA = Holder(JUMAS, "+254711000002", 2010, "KES", "Juma Otieno", Msisdn("j"), "sw")
RECORDED = Recorded(
    id=7,
    kind="send_money",
    receipt=RECEIPT,
    payer=AMINA,
    payee=JUMA,
    account_ids=(AMINAS, JUMAS),
    commission_ids=frozenset({EARNED}),
    paid=Money(500, "KES"),
    event_at_ms=1_000,
)
SENT = Posted(
    id=7,
    kind="send_money",
    receipt=RECEIPT,
    event_at_ms=1_000,
    business_date=TODAY,
    legs=(Leg(AMINAS, 507), Leg(JUMAS, -500), Leg(house_id(HOUSE[0], "KES"), -7)),
    taken_back={},
    reversed=False,
)
HOLD = Hold(5, "refund", JUMAS, AMINAS, 500, 0, HoldState.PENDING, NOW_MS + 1, journal_id=7)
HELD = OnHold(HOLD, JUMA, AMINA, RECEIPT, 500, "njeri", "wrong number")


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def wallet(number: int, minor: int, *, status: Status = Status.ACTIVE) -> Account:
    return Account(
        id=number,
        currency="KES",
        sign=-1,
        debits=0,
        credits=minor,
        debits_pending=0,
        credits_pending=0,
        floor=0,
        cap=10_000,
        seq=1,
        status=status,
    )


def book(
    *changed: Account, hold: Hold | None = None, posted: Posted = SENT, has: int = 500
) -> Book:
    """Amina has KES 4,493.00 in cents, Juma `has`, of which `hold` is held if it is pending."""
    accounts = {one.id: one for one in (wallet(AMINAS, 4_493), wallet(JUMAS, has))}
    accounts[EARNED] = wallet(EARNED, 0)
    accounts |= {one.id: replace(one) for one in changed}
    for code in HOUSE:
        number = house_id(code, "KES")
        accounts.setdefault(
            number, replace(wallet(number, 0), sign=code.side.value, floor=None, cap=None)
        )
    if hold is not None and hold.state is HoldState.PENDING:
        accounts[hold.source_id].debits_pending += hold.minor
        accounts[hold.target_id].credits_pending += hold.minor
    holds: Mapping[int, Hold] = {} if hold is None else {hold.id: hold}
    return Book({}, accounts, holds, {posted.id: posted}, NOW_MS, TODAY)
