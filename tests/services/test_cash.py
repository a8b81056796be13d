"""Cash out and in at a store: what `withdraw` and `deposit` say, one row a Reason, in order."""

from dataclasses import replace

import pytest

from tests.services.cast import (
    AMINA,
    HARDWARE,
    JUMA,
    LIMIT,
    PRICES,
    RIGHT,
    STORE,
    TARIFFS,
    WANJIRU,
    WRONG,
    barred,
    book,
    house,
    kes,
    used,
)
from tests.services.stand_in import Args, World, call, with_pin
from ussd_gateway.domain.book import Book, Decision, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.domain.tariff import price_book
from ussd_gateway.services.cash import Cash, CashService, deposit, withdraw
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.terms.priced import COMMISSION

WITHDRAWN = Cash(AMINA, STORE, kes(1_000), kes(29), RIGHT)
DEPOSITED = Cash(AMINA, STORE, kes(1_000), kes(0), Proof(WANJIRU.id, b"right"))


def test_a_withdrawal_moves_amount_fee_and_commission() -> None:
    decision = withdraw(WITHDRAWN, PRICES, LIMIT, book())

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (AMINA.wallet_id, 1_029_00),
        (STORE.account_id, -1_000_00),
        (house(2440), -29_00),
        (house(1320), 29_00),
        (house(4020), -25_22),
        (house(2310), -3_78),
        (house(5010), 10_00),
        (STORE.commission_id, -8_00),
        (STORE.head_office_commission_id, -2_00),
    ]
    assert decision.posting.tariff == PRICES.id


def test_a_deposit_is_free_and_earns_the_store_its_commission() -> None:
    decision = deposit(DEPOSITED, PRICES, LIMIT, book())

    assert decision.outcome == "ok"
    assert decision.posting is not None
    assert [(leg.account_id, leg.minor) for leg in decision.posting.legs] == [
        (STORE.account_id, 1_000_00),
        (AMINA.wallet_id, -1_000_00),
        (house(5010), 9_00),
        (STORE.commission_id, -7_20),
        (STORE.head_office_commission_id, -1_80),
    ]


def test_customer_and_store_are_both_told_of_cash() -> None:
    customer, store = withdraw(WITHDRAWN, PRICES, LIMIT, book()).messages
    assert (customer.to, customer.template) == (AMINA.msisdn, "withdrawn")
    assert (store.to, store.template) == (STORE.msisdn, "paid_out")
    assert (customer.params["balance"], store.params["balance"]) == (kes(3_971), kes(51_000))

    customer, store = deposit(DEPOSITED, PRICES, LIMIT, book()).messages
    assert (customer.to, customer.template) == (AMINA.msisdn, "deposited")
    assert (store.to, store.template) == (STORE.msisdn, "taken_in")
    assert (customer.params["balance"], store.params["balance"]) == (kes(6_000), kes(49_000))


COMMISSION_ID, HEAD_OFFICE_ID = STORE.commission_id or 0, STORE.head_office_commission_id or 0
OUT_REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, WITHDRAWN, book(replace(AMINA, active=False))),
    (Reason.ACCOUNT_BLOCKED, WITHDRAWN, barred(AMINA.wallet_id)),
    (Reason.PIN_LOCKED, WITHDRAWN, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(WITHDRAWN, proof=WRONG), book()),
    (Reason.UNKNOWN_TILL, WITHDRAWN, barred(STORE.account_id)),
    (Reason.UNKNOWN_TILL, WITHDRAWN, barred(COMMISSION_ID)),
    (Reason.UNKNOWN_TILL, WITHDRAWN, barred(HEAD_OFFICE_ID, by=Status.CLOSED)),
    (Reason.UNDER_MINIMUM, replace(WITHDRAWN, amount=Money(49_99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(WITHDRAWN, amount=kes(250_001)), book()),
    (Reason.OVER_DAY, WITHDRAWN, used(day=500_001 - 1_000)),
    (Reason.OVER_MONTH, WITHDRAWN, used(month=3_000_001 - 1_000)),
    (Reason.OVER_OWN_CAP, WITHDRAWN, book(replace(AMINA, cap_payment=1_000_00 - 1))),
    (Reason.OVER_OWN_CAP, WITHDRAWN, book(replace(AMINA, cap_day=1_000_00 - 1))),
    (Reason.FEE_CHANGED, replace(WITHDRAWN, fee=kes(28)), book()),
    (Reason.PAYEE_FULL, WITHDRAWN, book(full=50_999)),
    (Reason.LOW_BALANCE, WITHDRAWN, book(amina=1_028)),
]
IN_REFUSALS = [
    (Reason.NOT_AGENT, DEPOSITED, barred(COMMISSION_ID, by=Status.FROZEN_IN)),
    (Reason.NOT_AGENT, DEPOSITED, barred(HEAD_OFFICE_ID)),
    (Reason.ACCOUNT_BLOCKED, DEPOSITED, book(replace(WANJIRU, active=False))),
    (Reason.ACCOUNT_BLOCKED, DEPOSITED, barred(STORE.account_id)),
    (Reason.PIN_LOCKED, DEPOSITED, book(replace(WANJIRU, wrong_tries=3))),
    (Reason.WRONG_PIN, replace(DEPOSITED, proof=Proof(WANJIRU.id, b"wrong")), book()),
    (Reason.OWN_NUMBER, replace(DEPOSITED, customer=WANJIRU), book()),
    (Reason.UNKNOWN_PAYEE, DEPOSITED, book(replace(AMINA, active=False))),
    (Reason.UNKNOWN_PAYEE, DEPOSITED, barred(AMINA.wallet_id, by=Status.FROZEN_IN)),
    (Reason.UNDER_MINIMUM, replace(DEPOSITED, amount=Money(49_99, "KES")), book()),
    (Reason.OVER_LIMIT, replace(DEPOSITED, amount=kes(250_001)), book()),
    (Reason.PAYEE_FULL, DEPOSITED, book(amina=499_001)),
    (Reason.LOW_FLOAT, DEPOSITED, book(store=999)),
]

Row = tuple[Reason, Cash, Book]


@pytest.mark.parametrize(
    ("reason", "command", "rows"), OUT_REFUSALS, ids=lambda one: str(one)[:24]
)
def test_each_reason_refuses_a_withdrawal(reason: Reason, command: Cash, rows: Book) -> None:
    _refused(withdraw(command, PRICES, LIMIT, rows), reason)


@pytest.mark.parametrize(
    ("reason", "command", "rows"), IN_REFUSALS, ids=lambda one: str(one)[:24]
)
def test_each_reason_refuses_a_deposit(reason: Reason, command: Cash, rows: Book) -> None:
    _refused(deposit(command, PRICES, LIMIT, rows), reason)


@pytest.mark.parametrize("rows", [OUT_REFUSALS, IN_REFUSALS], ids=["withdraw", "deposit"])
def test_reasons_are_checked_in_their_order(rows: list[Row]) -> None:
    told = list(dict.fromkeys(reason for reason, _, _ in rows))
    assert told == [reason for reason in Reason if reason in told]


def test_a_deposit_is_for_whom_the_agent_read_out() -> None:
    """Should the number have gone to somebody else meanwhile, they do not get it."""
    another = replace(AMINA, msisdn=Msisdn("+254711000003"))
    _refused(deposit(DEPOSITED, PRICES, LIMIT, book(another)), Reason.UNKNOWN_PAYEE)


def test_the_last_shilling_can_be_withdrawn_and_the_last_of_the_float_paid_in() -> None:
    assert withdraw(WITHDRAWN, PRICES, LIMIT, book(amina=1_029)).outcome == "ok"
    assert deposit(DEPOSITED, PRICES, LIMIT, book(store=1_000)).outcome == "ok"


def test_a_wallet_and_a_float_can_be_filled_to_the_brim() -> None:
    assert withdraw(WITHDRAWN, PRICES, LIMIT, book(full=51_000)).outcome == "ok"
    assert deposit(DEPOSITED, PRICES, LIMIT, book(amina=499_000)).outcome == "ok"


@pytest.fixture
def world() -> World:
    return World(book(with_pin(AMINA, "4826"), with_pin(WANJIRU, "6174")))


@pytest.mark.parametrize(
    ("customer_number", "outcome"),
    [
        (AMINA.msisdn, "ok"),
        (WANJIRU.msisdn, "own_number"),
        (Msisdn("+254711000009"), "unknown_payee"),
    ],
)
def test_a_deposit_is_for_a_customer_who_is_not_its_taker(
    world: World, customer_number: Msisdn, outcome: str
) -> None:
    service = CashService(world.teller)
    asked: Args = {"customer_number": customer_number, "amount": kes(1_000)}

    quoted = service.quote_deposit(call(asked, msisdn=WANJIRU.msisdn))
    read_out: Args = {**asked, "customer": "1", "store": STORE.number}
    moved = service.deposit(call(read_out, msisdn=WANJIRU.msisdn, pin="6174"))
    assert (quoted.outcome, moved.outcome) == (outcome, outcome)


def test_only_who_serves_at_a_store_takes_cash_in(world: World) -> None:
    service = CashService(world.teller)
    asked: Args = {"customer_number": AMINA.msisdn, "amount": kes(1_000)}
    stranger = Msisdn("+254711000009")

    assert service.quote_deposit(call(asked, msisdn=JUMA.msisdn)).outcome == "not_agent"
    assert service.quote_deposit(call(asked, msisdn=stranger)).outcome == "not_registered"
    read_out: Args = {**asked, "customer": "1", "store": STORE.number}
    moved = service.deposit(call(read_out, msisdn=JUMA.msisdn, pin="7391"))
    assert moved.outcome == "not_agent"
    assert world.ledger.works == []


@pytest.mark.parametrize(
    ("quoted", "outcome"),
    [
        ({"customer": str(AMINA.id), "store": STORE.number}, "ok"),
        ({"customer": str(JUMA.id), "store": STORE.number}, "unknown_payee"),
        ({"customer": str(AMINA.id), "store": "100999"}, "not_agent"),
    ],
    ids=["as quoted", "another customer", "another store"],
)
def test_a_deposit_is_from_the_store_to_the_customer_that_were_quoted(
    world: World, quoted: Args, outcome: str
) -> None:
    asked: Args = {"customer_number": AMINA.msisdn, "amount": kes(1_000), **quoted}
    moved = CashService(world.teller).deposit(call(asked, msisdn=WANJIRU.msisdn, pin="6174"))

    assert moved.outcome == outcome
    assert world.ledger.balance(AMINA.wallet_id) == kes(6_000 if outcome == "ok" else 5_000)


def test_a_quote_of_a_deposit_says_who_gets_it_and_from_where(world: World) -> None:
    asked: Args = {"customer_number": AMINA.msisdn, "amount": kes(1_000)}
    quoted = CashService(world.teller).quote_deposit(call(asked, msisdn=WANJIRU.msisdn))

    assert quoted.values == {"name": AMINA.name, "customer": "1", "store": STORE.number}


def test_cash_is_taken_at_a_store_and_at_no_other_till(world: World) -> None:
    service = CashService(world.teller)
    unknown = "unknown_till"
    for till, outcome in ((STORE.number, "ok"), (HARDWARE.number, unknown), ("1", unknown)):
        asked: Args = {"till": till, "amount": kes(1_000)}
        assert service.quote_withdrawal(call(asked)).outcome == outcome
        assert service.withdraw(call({**asked, "fee": kes(29)}, pin="4826")).outcome == outcome
    assert world.ledger.balance(AMINA.wallet_id) == kes(3_971)


def test_nothing_is_earned_above_the_last_band_of_a_commission() -> None:
    """The money moves all the same."""
    ends = price_book(
        replace(each, bands=each.bands[:1]) if each.service.endswith(COMMISSION) else each
        for each in TARIFFS.values()
    )
    for decision in (
        withdraw(WITHDRAWN, ends, LIMIT, book()),
        deposit(DEPOSITED, ends, LIMIT, book()),
    ):
        assert decision.posting is not None
        moved = {leg.account_id for leg in decision.posting.legs}
        assert not moved & {house(5010), STORE.commission_id, 15}


def _refused(decision: Decision, reason: Reason) -> None:
    assert decision.outcome == reason.value
    assert decision.posting is None
    assert decision.messages == ()
