"""`ledger reverse`, `sweep`, `freeze` and the rest, as njeri and odhiambo type them."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.cli.office import Office, Said
from tests.store.true_books import write_books
from tests.world import Line
from ussd_gateway.app import overdue
from ussd_gateway.app.orders import listed_max
from ussd_gateway.cli.stage.world import opened
from ussd_gateway.cli.told import as_written
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import subscriber

AMINA, JUMA, GRACE = "0711000001", "0711000002", "0711000003"


@pytest.fixture(scope="session")
def paid(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office in whose books three payments are."""
    folder = tmp_path_factory.mktemp("paid") / "office"
    shutil.copytree(template, folder)
    write_books(Settings(data_dir=folder))
    return folder


@pytest.fixture
def desk(paid: Path, tmp_path: Path) -> Office:
    folder = tmp_path / "office"
    shutil.copytree(paid, folder)
    return Office(folder)


def test_a_payment_is_taken_back_by_two_people(desk: Office) -> None:
    receipt = _receipt(desk, 500_00)
    desk.signs_in("njeri")
    asked = _ledger(desk, "reverse", receipt, "--why", "a wrong number")
    hold = re.search(r"reversal (\d+)", asked.stdout)
    assert asked.code == 0, asked.stderr
    assert hold is not None
    assert asked.lines[0] == f"KES 500.00 of Juma Otieno is held: reversal {hold[1]}"

    waiting = _ledger(desk, "reversals").lines
    assert waiting[0] == (
        f"{hold[1]}  refund of {receipt}  KES 500.00 is held of KES 500.00  "
        "Juma Otieno -> Amina Wafula"
    )
    assert waiting[1].startswith("    by njeri, ")
    assert waiting[1].endswith(": a wrong number")
    own = _ledger(desk, "approve-reversal", hold[1])
    assert (own.code, own.stderr) == (
        1,
        "njeri is a maker: checkers approve reversals; sign in as one of them\n",
    )

    desk.signs_in("odhiambo")
    done = _ledger(desk, "approve-reversal", hold[1], "--amount", "450")
    assert done.code == 0, done.stderr
    assert done.lines[:2] == waiting
    assert re.fullmatch(
        rf"\w{{10}}  KES 450.00 went back: reversal of {receipt}", done.lines[2]
    )
    assert _ledger(desk, "balance", JUMA).stdout.endswith("KES 143.00\n")
    assert _ledger(desk, "reversals").stdout == "None waits.\n"
    assert _ledger(desk, "verify").code == 0
    again = _ledger(desk, "approve-reversal", hold[1])
    assert (again.code, again.stderr) == (
        1,
        f"{hold[1]}: it was decided already: part_posted\n",
    )


def test_what_was_asked_on_the_phone_is_taken_on_by_a_maker_and_then_decided(
    desk: Office, valkey_url: str
) -> None:
    receipt = _receipt(desk, 500_00)
    desk.signs_in("odhiambo")
    settings = Settings(data_dir=desk.folder, redis_url=f"{valkey_url}?db=3")
    with opened(settings) as world:
        Line(world, "asks").walks("3", "5", receipt, "4826")
        asked = _ledger(desk, "reversals").lines
        hold = asked[0].split()[0]
        alone = _ledger(desk, "approve-reversal", hold)
        # He has tried wrong PINs in these books.
        with writing(world.gateway.engine) as connection:
            connection.execute(update(subscriber).values(wrong_tries=0))
        said = Line(world, "keeps", "+254711000002").walks("3", "5", "2", "7391")
        assert "Umekataa" in said, said
        kept = _ledger(desk, "reversals").lines

    assert asked[0].startswith(f"{hold}  asked_back of {receipt}  KES 500.00 is held")
    assert asked[1].startswith("    asked by its payer on the phone, ")
    assert kept[1].startswith("    its payee keeps it: take it on with `ledger reverse`, ")
    assert alone.code == 1
    assert f"`ussd-gateway ledger reverse {receipt} --why TEXT`" in alone.stderr

    desk.signs_in("njeri")
    whole = _ledger(desk, "reverse", receipt, "--whole", "--why", "looked into")
    assert whole.stderr == (
        f"{receipt}: its payer asked for it on the phone: take it on as it is held, with no "
        "--amount and no --whole; whoever approves it may give back less\n"
    )
    taken_on = _ledger(desk, "reverse", receipt, "--why", "looked into")
    assert taken_on.code == 0, taken_on.stderr
    [first, second] = _ledger(desk, "reversals").lines
    assert second.startswith("    by njeri, ")
    desk.signs_in("odhiambo")
    done = _ledger(desk, "approve-reversal", first.split()[0], "--amount", "100")
    assert done.lines[2].endswith(f"  KES 100.00 went back: reversal of {receipt}"), done.stderr
    assert _ledger(desk, "verify").code == 0


def test_a_frozen_account_gives_money_back_and_is_frozen_all_along(desk: Office) -> None:
    receipt = _receipt(desk, 500_00)
    desk.signs_in("njeri")
    assert _ledger(desk, "freeze", JUMA, "--both", "--why", "a thief's").code == 0
    asked = _ledger(desk, "reverse", receipt, "--why", "stolen")
    assert asked.lines[0].startswith("KES 500.00 of Juma Otieno is held"), asked.stderr
    hold = _ledger(desk, "reversals").lines[0].split()[0]
    before = _has(desk, AMINA)
    desk.signs_in("odhiambo")
    done = _ledger(desk, "approve-reversal", hold)

    assert done.lines[2].endswith(f"  KES 500.00 went back: reversal of {receipt}"), done.stderr
    assert _has(desk, AMINA) == before + 500_00
    assert "frozen_both" in _ledger(desk, "balance", JUMA).stdout
    assert _ledger(desk, "verify").code == 0


def test_what_would_go_back_to_a_frozen_account_waits_until_that_is_active(
    desk: Office,
) -> None:
    receipt = _receipt(desk, 500_00)
    desk.signs_in("odhiambo")
    for who in (AMINA, JUMA):
        _ledger(desk, "freeze", who, "--in", "--why", "asked by the police")
    asked = ("reverse", receipt, "--why", "stolen")
    desk.signs_in("njeri")
    refused = _ledger(desk, *asked)
    assert (refused.code, refused.stderr) == (
        1,
        f"{receipt}: the account that would get it is frozen_in: it takes nothing in\n",
    )

    desk.signs_in("odhiambo")
    assert _ledger(desk, "unfreeze", AMINA, "--why", "it was a mistake").code == 0
    desk.signs_in("njeri")
    assert _ledger(desk, *asked).code == 0


def test_a_list_that_is_cut_says_how_many_more_there_are(desk: Office) -> None:
    numbers = range(9_000, 9_000 + listed_max)
    with closing(sqlite3.connect(desk.folder / "gateway.sqlite")) as books, books:
        books.executemany(
            "INSERT INTO account (id, public_ref, code, currency, side, debits, credits, "
            "debits_pending, credits_pending, seq, status) "
            "VALUES (?1, 'w' || ?1, 2010, 'KES', -1, 0, 0, 0, 0, 0, 'dormant')",
            [(number,) for number in numbers],
        )
    assert len(_ledger(desk, "statuses").lines) == 2 * listed_max
    desk.signs_in("njeri")
    for who in (JUMA, GRACE):
        _ledger(desk, "freeze", who, "--in", "--why", "x")

    listed = _ledger(desk, "statuses").lines
    assert len(listed) == 2 * listed_max + 1
    assert listed[-1] == "and 2 more"


@pytest.mark.parametrize(
    "why", ["a\n9 refund of X", "a\x1b[2Kb", "a\rb", "\u202eb", "a\u2028b", "a\x07"]
)
def test_nobody_writes_a_reason_that_looks_like_something_else(desk: Office, why: str) -> None:
    desk.signs_in("njeri")
    asked = _ledger(desk, "reverse", _receipt(desk, 500_00), "--why", why)

    assert asked.code == 2
    assert "write one line" in asked.stderr
    assert _ledger(desk, "reversals").stdout == "None waits.\n"


def test_what_was_written_before_is_shown_on_one_line() -> None:
    assert as_written("a\n9 refund \x1b[2K \u202e of é") == r"a\n9 refund \x1b[2K \u202e of é"


def test_a_reversal_is_refused_with_a_reason(desk: Office) -> None:
    receipt = _receipt(desk, 200_00)
    desk.signs_in("njeri")
    _ledger(desk, "reverse", receipt.lower(), "--whole", "--why", "ours")
    hold = _ledger(desk, "reversals").lines[0].split()[0]
    desk.signs_in("odhiambo")

    refused = _ledger(desk, "refuse-reversal", hold, "--why", "it was right")
    assert refused.stdout == f"Reversal {hold} of {receipt} is refused: nothing moved\n", (
        refused.stderr
    )
    assert _ledger(desk, "reversals").stdout == "None waits.\n"


def test_our_own_fault_is_taken_back_with_its_fee(desk: Office) -> None:
    receipt = _receipt(desk, 200_00)
    desk.signs_in("njeri")
    whole = ("reverse", receipt, "--whole", "--why", "booked twice")
    assert _ledger(desk, *whole).lines[0].startswith("KES 200.00 of Amina Wafula is held")
    assert f"reversal --whole of {receipt}" in _ledger(desk, "reversals").stdout
    assert "is about to take it back" in _ledger(desk, *whole).stderr
    hold = _ledger(desk, "reversals").lines[0].split()[0]
    desk.signs_in("odhiambo")

    done = _ledger(desk, "approve-reversal", hold)
    assert done.lines[2].endswith(f"  KES 207.00 went back: reversal of {receipt}"), done.stderr
    assert _ledger(desk, "balance", GRACE).stdout.endswith("KES 120,000.00\n")
    verified = _ledger(desk, "verify")
    assert verified.code == 0, verified.stdout


def test_who_asks_is_told_that_less_is_there(desk: Office) -> None:
    receipt = _receipt(desk, 500_00)
    desk.signs_in("njeri")
    asked = _ledger(desk, "reverse", receipt, "--amount", "700", "--why", "a wrong number")

    assert asked.lines[0].startswith("KES 500.00 of Juma Otieno is held"), asked.stderr
    assert asked.lines[1] == "  of KES 700.00: no more of it is left, or still there"
    held = _ledger(desk, "balance", JUMA).stdout
    assert held.endswith("KES 593.00, of which KES 500.00 is held\n")


def test_a_fee_that_was_swept_is_to_be_transferred_back(desk: Office) -> None:
    receipt = _receipt(desk, 200_00)
    desk.signs_in("njeri")
    _ledger(desk, "reverse", receipt, "--whole", "--why", "booked twice")
    hold = _ledger(desk, "reversals").lines[0].split()[0]
    desk.signs_in("odhiambo")
    assert _ledger(desk, "sweep", "--why", "weekly").code == 0
    done = _ledger(desk, "approve-reversal", hold)

    assert done.lines[3].startswith("  KES 7.00 of the fee was swept before"), done.stderr
    assert _ledger(desk, "balance", "KES-2440").stdout.endswith("KES 0.00\n")
    assert _ledger(desk, "verify").code == 0


def test_what_is_not_to_be_barred_or_closed_says_why(desk: Office) -> None:
    desk.signs_in("odhiambo")
    commission = _ledger(desk, "freeze", "100200-2210", "--both", "--why", "x")
    assert commission.stderr == (
        "100200-2210: commission accrues there by each cash deal: its stores would stop; bar "
        "the store's till instead\n"
    )
    till = _ledger(desk, "close", "500500", "--why", "x")
    assert till.code == 1
    assert "so it stays open" in till.stderr or "empty it first" in till.stderr


def test_the_scheduler_lets_go_what_nobody_has_decided_in_two_days(desk: Office) -> None:
    receipt = _receipt(desk, 200_00)
    desk.signs_in("njeri")
    assert _ledger(desk, "reverse", receipt, "--why", "a wrong number").code == 0
    settings = Settings(data_dir=desk.folder)
    for offset_s, let_go in ((47 * 3600, 0), (48 * 3600, 1), (49 * 3600, 0)):
        with overdue(settings.model_copy(update={"clock_offset_s": offset_s})) as late:
            assert late.holds.expire() == let_go

    assert _ledger(desk, "reversals").stdout == "None waits.\n"
    assert _ledger(desk, "verify").code == 0


def test_fees_are_swept_by_a_checker(desk: Office) -> None:
    desk.signs_in("odhiambo")
    swept = _ledger(desk, "sweep", "--amount", "20", "--why", "weekly")

    assert swept.code == 0, swept.stderr
    assert swept.lines[0].endswith("  KES 20.00 swept; KES 1.00 is still due")
    assert _ledger(desk, "balance", "KES-1310").stdout.endswith("KES 20.00\n")
    over = _ledger(desk, "sweep", "--amount", "1.01", "--why", "weekly")
    assert (over.code, over.stderr) == (1, "sweep: KES 1.00 is due to the operating bank\n")
    assert _ledger(desk, "verify").code == 0


def test_an_account_is_frozen_by_anybody_and_freed_by_a_checker(desk: Office) -> None:
    assert _ledger(desk, "statuses").stdout == "Every account is active.\n"
    desk.signs_in("njeri")
    frozen = _ledger(desk, "freeze", JUMA, "--both", "--why", "asked by the police")
    assert frozen.stdout == f"{JUMA} Juma Otieno: frozen_both, was active\n", frozen.stderr
    listed = _ledger(desk, "statuses").lines
    assert listed[0] == "+254711000002  frozen_both  KES 593.00  Juma Otieno"
    assert listed[1].startswith("    by njeri, ")
    assert listed[1].endswith(": asked by the police")
    assert "frozen_both" in _ledger(desk, "balance", JUMA).stdout
    assert _ledger(desk, "unfreeze", JUMA, "--why", "over").code == 1
    less = _ledger(desk, "freeze", JUMA, "--in", "--why", "over")
    assert (less.code, less.stderr) == (
        1,
        f"{JUMA}: it is frozen_both, which bars more: a checker lets it move again\n",
    )

    desk.signs_in("odhiambo")
    assert _ledger(desk, "unfreeze", JUMA, "--why", "over").lines == [
        f"{JUMA} Juma Otieno: active, was frozen_both"
    ]
    assert _ledger(desk, "dormant", JUMA, "--why", "unused").code == 0
    full = _ledger(desk, "close", JUMA, "--why", "gone")
    assert full.stderr == (
        f"{JUMA}: KES 593.00 is in it, or something is held: empty it first\n"
    )


def test_a_cap_is_set_by_a_checker(desk: Office) -> None:
    desk.signs_in("odhiambo")
    assert _ledger(desk, "cap", JUMA, "--at", "600", "--why", "a complaint").lines == [
        f"{JUMA} Juma Otieno: cap KES 600.00"
    ]
    low = _ledger(desk, "cap", JUMA, "--at", "500", "--why", "a complaint")
    assert low.stderr == (
        f"{JUMA}: it holds KES 593.00, or is about to: the cap cannot be lower\n"
    )
    assert _ledger(desk, "cap", JUMA, "--none", "--why", "solved").lines == [
        f"{JUMA} Juma Otieno: cap none"
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("reverse", "UDP2KW5VQP", "--why", "x"),
        ("approve-reversal", "5"),
        ("refuse-reversal", "5", "--why", "x"),
        ("sweep", "--why", "x"),
        ("freeze", JUMA, "--in", "--why", "x"),
        ("unfreeze", JUMA, "--why", "x"),
        ("dormant", JUMA, "--why", "x"),
        ("close", JUMA, "--why", "x"),
        ("cap", JUMA, "--none", "--why", "x"),
    ],
)
def test_nobody_orders_anything_who_is_not_signed_in(
    desk: Office, words: tuple[str, ...]
) -> None:
    said = _ledger(desk, *words)
    assert said.code == 1
    assert said.stderr.startswith("nobody is signed in here")


@pytest.mark.parametrize(
    "words",
    [
        ("reverse", "UDP2KW5VQP", "--why", " "),
        ("reverse", "UDP2KW5VQP"),
        ("reverse", "UDP2KW5VQP", "--why", "x", "--whole", "--amount", "5"),
        ("freeze", JUMA, "--why", "x"),
        ("freeze", JUMA, "--in", "--both", "--why", "x"),
        ("cap", JUMA, "--why", "x"),
        ("cap", JUMA, "--none", "--at", "5", "--why", "x"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_so(desk: Office, words: tuple[str, ...]) -> None:
    assert _ledger(desk, *words).code == 2


def test_an_amount_that_is_none_is_told_so(desk: Office) -> None:
    desk.signs_in("odhiambo")
    for typed in ("five", "0", "1.001"):
        swept = _ledger(desk, "sweep", "--amount", typed, "--why", "x")
        assert (swept.code, "'--amount'" in swept.stderr) == (2, True)
    capped = _ledger(desk, "cap", JUMA, "--at", "five", "--why", "x")
    assert (capped.code, "'--at'" in capped.stderr) == (2, True)


def test_what_is_not_there_is_told(desk: Office) -> None:
    desk.signs_in("njeri")
    gone = _ledger(desk, "reverse", "NOTTHERE22", "--why", "x")
    assert (gone.code, gone.stderr) == (1, "NOTTHERE22: no payment has this receipt\n")
    frozen = _ledger(desk, "freeze", "0711000009", "--in", "--why", "x")
    assert frozen.stderr.startswith("0711000009: no such account")
    house = _ledger(desk, "freeze", "KES-2440", "--in", "--why", "x")
    assert house.stderr == (
        "KES-2440: an account of the house: everybody's payments would stop\n"
    )


def _ledger(desk: Office, *words: str) -> Said:
    return desk.does("ledger", *words)


def _receipt(desk: Office, minor: int) -> str:
    """Of the payment that moved so much."""
    wanted = (
        "SELECT receipt FROM journal JOIN entry ON journal_id = journal.id "
        "WHERE kind = 'send_money' AND minor = ?"
    )
    with closing(sqlite3.connect(desk.folder / "gateway.sqlite")) as connection:
        receipt: str = connection.execute(wanted, (-minor,)).fetchone()[0]
    return receipt


def _has(desk: Office, who: str) -> int:
    told = json.loads(_ledger(desk, "balance", who, "--json").stdout)
    minor: int = told["balance_minor"]
    return minor
