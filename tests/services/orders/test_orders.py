"""Sweeps, statuses and caps, one row a no, in the order of `Objection`."""

from dataclasses import replace

import pytest

from tests.services.orders.at_the_desk import (
    CHECKER,
    EARNED,
    JUMA,
    JUMAS,
    MAKER,
    book,
    kes,
    wallet,
)
from ussd_gateway.app.orders import WORDS
from ussd_gateway.domain.accounts import (
    COMMISSION,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    OPERATING_BANK,
    TRUST_BANK,
    house_id,
)
from ussd_gateway.domain.book import Account, Book, CapSet, Decision, Status, StatusSet
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Needed
from ussd_gateway.services.orders.desk import Objected, Objection
from ussd_gateway.services.orders.set_status import set_cap, set_status
from ussd_gateway.services.orders.sweep_dues import sweep

TRUST, OWED, BANK, DUE = (
    house_id(code, "KES")
    for code in (TRUST_BANK, DUE_TO_OPERATING, OPERATING_BANK, DUE_FROM_TRUST)
)


def dues(due: int, *, there: int = 10_000) -> Book:
    owed = replace(wallet(OWED, due), floor=None)
    trust = replace(wallet(TRUST, 0), sign=1, floor=None, debits=there)
    return book(owed, trust)


def test_a_sweep_is_two_pairs_of_legs_in_one_journal() -> None:
    decision = sweep(kes(300), "KES", CHECKER, dues(700))

    assert isinstance(decision, Decision)
    assert decision.posting is not None
    assert decision.posting.kind == "sweep"
    assert decision.posting.legs == (
        *(Leg(OWED, 300), Leg(TRUST, -300)),
        *(Leg(BANK, 300), Leg(DUE, -300)),
    )
    assert decision.values["due"] == kes(400)


@pytest.mark.parametrize(
    ("objection", "amount", "rows"),
    [
        (Objection.NOT_DUE, None, dues(0)),
        (Objection.NOT_DUE, None, dues(-5)),  # a reversal gave a fee back after a sweep
        (Objection.NOT_DUE, kes(701), dues(700)),
        (Objection.SPENT, kes(700), dues(700, there=699)),
    ],
)
def test_each_no_to_a_sweep(objection: Objection, amount: Money | None, rows: Book) -> None:
    found = sweep(amount, "KES", CHECKER, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.ACTIVE])
def test_an_empty_account_takes_any_other_status(status: Status) -> None:
    decision = set_status(JUMA, status, CHECKER, book(has=0))

    assert isinstance(decision, Decision)
    assert decision.changes == (StatusSet(JUMAS, status),)
    assert decision.values["by"] == "odhiambo"


@pytest.mark.parametrize(
    ("objection", "account_id", "status", "rows"),
    [
        (Objection.HOUSE_ACCOUNT, OWED, Status.DORMANT, book()),
        (Objection.SAME, JUMAS, Status.ACTIVE, book()),
        (Objection.CLOSED, JUMAS, Status.ACTIVE, book(wallet(JUMAS, 0, status=Status.CLOSED))),
        (Objection.NOT_EMPTY, JUMAS, Status.CLOSED, book(has=1)),
        (
            Objection.NOT_EMPTY,
            JUMAS,
            Status.CLOSED,
            book(replace(wallet(JUMAS, 0), credits_pending=1)),
        ),
    ],
)
def test_each_no_to_a_status(
    objection: Objection, account_id: int, status: Status, rows: Book
) -> None:
    found = set_status(replace(JUMA, account_id=account_id), status, CHECKER, rows)
    assert isinstance(found, Objected)
    assert found.objection is objection


@pytest.mark.parametrize(
    ("needed", "objection"),
    [
        (Needed("its holder serves the store 100200", 0, 1), Objection.SERVES),
        (Needed("", 1, 1), Objection.IN_USE),
        (Needed("", 0, 0), Objection.IN_USE),  # something moved since it was looked up
        (Needed("", 0, 1), None),
    ],
)
def test_what_is_needed_still_is_not_closed(
    needed: Needed, objection: Objection | None
) -> None:
    found = set_status(JUMA, Status.CLOSED, CHECKER, book(has=0), needed)
    assert (found.objection if isinstance(found, Objected) else None) is objection


@pytest.mark.parametrize(
    ("before", "status", "objection"),
    [
        (Status.ACTIVE, Status.FROZEN_IN, None),
        (Status.ACTIVE, Status.FROZEN_BOTH, None),
        (Status.FROZEN_IN, Status.FROZEN_BOTH, None),
        (Status.DORMANT, Status.FROZEN_BOTH, None),
        (Status.FROZEN_BOTH, Status.FROZEN_IN, Objection.LOOSER),
        (Status.DORMANT, Status.FROZEN_IN, Objection.LOOSER),
        (Status.FROZEN_IN, Status.ACTIVE, Objection.LOOSER),
    ],
)
def test_whoever_may_not_loosen_makes_an_account_only_stricter(
    before: Status, status: Status, objection: Objection | None
) -> None:
    rows = book(wallet(JUMAS, 500, status=before))
    found = set_status(JUMA, status, MAKER, rows, loosens=False)

    assert (found.objection if isinstance(found, Objected) else None) is objection
    assert isinstance(set_status(JUMA, status, CHECKER, rows), Decision)


def test_commission_accounts_have_neither_status_nor_cap() -> None:
    earned = replace(JUMA, account_id=EARNED, code=COMMISSION.number)
    for found in (
        set_status(earned, Status.FROZEN_IN, CHECKER, book()),
        set_cap(earned, kes(5), CHECKER, book()),
    ):
        assert isinstance(found, Objected)
        assert found.objection is Objection.COMMISSION_ACCOUNT


@pytest.mark.parametrize("cap", [kes(500), kes(9_999), None])
def test_a_cap_is_set_at_what_is_there_or_more_or_taken_away(cap: Money | None) -> None:
    decision = set_cap(JUMA, cap, CHECKER, book(has=500))

    assert isinstance(decision, Decision)
    assert decision.changes == (CapSet(JUMAS, None if cap is None else cap.minor),)


@pytest.mark.parametrize(
    ("objection", "account_id", "cap", "changed"),
    [
        (Objection.HOUSE_ACCOUNT, OWED, kes(5), wallet(JUMAS, 0)),
        (Objection.SAME, JUMAS, kes(10_000), wallet(JUMAS, 0)),
        (Objection.CLOSED, JUMAS, kes(5), wallet(JUMAS, 0, status=Status.CLOSED)),
        (Objection.UNDER_BALANCE, JUMAS, kes(499), wallet(JUMAS, 500)),
        (
            Objection.UNDER_BALANCE,
            JUMAS,
            kes(500),
            replace(wallet(JUMAS, 500), credits_pending=1),
        ),
    ],
)
def test_each_no_to_a_cap(
    objection: Objection, account_id: int, cap: Money, changed: Account
) -> None:
    found = set_cap(replace(JUMA, account_id=account_id), cap, CHECKER, book(changed))
    assert isinstance(found, Objected)
    assert found.objection is objection


def test_every_no_has_words_for_a_person() -> None:
    assert WORDS.keys() == set(Objection)
