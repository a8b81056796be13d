"""Balances and statements: for the right PIN only, and on one screen."""

from dataclasses import replace

import pytest

from tests.services.cast import AMINA, JUMA, RIGHT, STORE, WANJIRU, WRONG, book, kes
from tests.services.stand_in import MARKET, World, call, with_pin
from ussd_gateway.domain import gsm7
from ussd_gateway.domain.book import Book, Movement
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.services.balance import (
    STATEMENT_ROW_SEPTETS,
    STATEMENT_ROWS_MAX,
    BalanceService,
    decide,
    decide_held,
    statement,
)
from ussd_gateway.services.pins import Proof
from ussd_gateway.ussd.render import fitter, screen_septets_max

AT_MS = 1_795_240_800_000  # 21 November 2026, 09:00 in Nairobi
NAMES = [
    "Juma Otieno",
    "Wanjiru wa Kamau-Njoroge",
    "Nyasuguta Kerubo Moraa Bosibori",
    "Ōtieno €€€€€€€€€€€€€€€€€€€€",
    "QCM7HK2P9X",
    "",
]


def test_the_right_pin_shows_the_balance_and_moves_nothing() -> None:
    decision = decide(RIGHT, AMINA.wallet_id, {"at": "21/11/26 09:00"}, book())

    assert decision.outcome == "ok"
    assert decision.values == {"balance": kes(5_000), "at": "21/11/26 09:00"}
    assert decision.posting is None
    assert decision.messages == ()


REFUSALS = [
    (Reason.ACCOUNT_BLOCKED, RIGHT, book(replace(AMINA, active=False))),
    (Reason.PIN_LOCKED, RIGHT, book(replace(AMINA, wrong_tries=3))),
    (Reason.WRONG_PIN, WRONG, book()),
]


@pytest.mark.parametrize(("reason", "proof", "rows"), REFUSALS, ids=lambda one: str(one)[:24])
def test_each_reason_refuses_and_shows_nothing(
    reason: Reason, proof: Proof, rows: Book
) -> None:
    decision = decide(proof, AMINA.wallet_id, {"rows": "-"}, rows)

    assert decision.outcome == reason.value
    assert not {"balance", "rows"} & set(decision.values)


def test_a_statement_has_date_sign_amount_and_name() -> None:
    moved = [
        Movement(AT_MS, -507_00, "Juma Otieno"),
        Movement(AT_MS, 200_00, "Grace Njoki"),
        Movement(AT_MS, -20_00, ""),
    ]
    assert statement(moved, "KES", MARKET).split("\n") == [
        "21/11 -507.00 Juma Otieno",
        "21/11 +200.00 Grace Njoki",
        "21/11 -20.00",
    ]


def test_the_day_of_a_row_is_the_markets_own() -> None:
    """Nine at night in UTC is the next day in Nairobi."""
    late = Movement(AT_MS + 15 * 3_600_000, 1_00, "Juma")
    assert statement([late], "KES", MARKET) == "22/11 +1.00 Juma"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("minor", [-1, 507_00, -250_000_00, 500_000_00])
def test_five_rows_fit_one_screen_however_long_the_names(name: str, minor: int) -> None:
    rows = statement([Movement(AT_MS, minor, name)] * 7, "KES", MARKET)
    service = BalanceService(World(book()).teller)
    (action,) = (each for each in service.actions() if each.name == "statement")
    shown = str(fitter(action.gives["rows"])(rows))

    lines = shown.split("\n")
    assert len(lines) == STATEMENT_ROWS_MAX
    assert all(gsm7.septets(line) <= STATEMENT_ROW_SEPTETS for line in lines)
    assert gsm7.septets(f"Statement, KES\n{shown}") <= screen_septets_max
    # Amounts are never cut: only names are.
    amount = statement([Movement(AT_MS, minor, "")], "KES", MARKET)
    assert all(line.startswith(amount) for line in lines)


@pytest.mark.parametrize("minor", [-1_00, 500_000_00, -3_000_000_00])
def test_a_receipt_in_a_row_is_never_cut(minor: int) -> None:
    row = statement([Movement(AT_MS, minor, "QCM7HK2P9X")], "KES", MARKET)
    assert gsm7.septets(row) <= STATEMENT_ROW_SEPTETS


def test_what_is_held_of_a_balance_is_shown_beside_it() -> None:
    rows = book()
    rows.accounts[AMINA.wallet_id].debits_pending = 146_00
    decision = decide_held(RIGHT, AMINA.wallet_id, {"at": "21/11/26 09:00"}, rows)

    assert decision.outcome == "held"
    assert (decision.values["balance"], decision.values["held"]) == (kes(5_000), kes(146))


@pytest.fixture
def world() -> World:
    return World(book(with_pin(AMINA, "4826"), with_pin(WANJIRU, "6174")))


def test_a_statement_shows_the_newest_five(world: World) -> None:
    world.reads.moved = [Movement(AT_MS, -n * 100, "Juma") for n in range(1, 9)]
    answer = BalanceService(world.teller).statement(call(pin="4826"))

    rows = str(answer.values["rows"]).split("\n")
    assert [row.split()[1] for row in rows] == ["-1.00", "-2.00", "-3.00", "-4.00", "-5.00"]


def test_an_empty_statement_says_so(world: World) -> None:
    answer = BalanceService(world.teller).statement(call(pin="4826"))
    assert answer.outcome == "empty"
    assert answer.values == {"balance": kes(5_000)}


def test_a_balance_has_its_time(world: World) -> None:
    answer = BalanceService(world.teller).balance(call(pin="4826"))
    assert answer.values == {"balance": kes(5_000), "at": "21/11/26 09:00"}


def test_float_and_commission_are_of_the_store_where_one_serves(world: World) -> None:
    service = BalanceService(world.teller)
    world.ledger.accounts[STORE.commission_id or 0].credits = 19_00

    by_wanjiru = call(key="k1", msisdn=WANJIRU.msisdn, pin="6174")
    assert service.float(by_wanjiru).values["balance"] == kes(50_000)
    by_wanjiru = call(key="k2", msisdn=WANJIRU.msisdn, pin="6174")
    assert service.commission(by_wanjiru).values["balance"] == kes(19)


def test_who_serves_at_no_store_has_no_float(world: World) -> None:
    service = BalanceService(world.teller)
    for ask in (service.float, service.commission):
        assert ask(call(msisdn=JUMA.msisdn, pin="7391")).outcome == "not_agent"
        stranger = call(msisdn=Msisdn("+254711000009"), pin="7391")
        assert ask(stranger).outcome == "not_registered"
