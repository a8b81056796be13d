"""Holds, reversals, statuses and usage through the writer: what the rows say afterwards, and
that one of any two who race has won."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from itertools import count

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import AMINA, JUMA, SetClock, started, wallet
from tests.world import at_once
from ussd_gateway.domain.book import (
    Book,
    Change,
    Decision,
    HoldDecided,
    HoldPlaced,
    Spent,
    Status,
    StatusSet,
    Work,
)
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posting, reverse
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account, batch, hold, idempotency, journal, unsealed

TODAY = date(2026, 11, 21)
NEVER_MS = 2**53
PENDING, POSTED = HoldState.PENDING, HoldState.POSTED
_keys = count()


@pytest.fixture
def many(wallets: Engine, clock: SetClock) -> Iterator[tuple[Writer, Writer]]:
    """Two writers, as two processes have them."""
    with started(wallets, clock) as one, started(wallets, clock) as two:
        yield one, two


def test_held_money_cannot_be_spent_and_is_there_until_it_is_decided(
    writer: Writer, wallets: Engine
) -> None:
    assert run(writer, place(5, 700)) == "ok"

    assert row(wallets, AMINA)[:4] == (0, 1_000, 700, 0)
    assert row(wallets, JUMA)[:4] == (0, 0, 0, 700)
    assert run(writer, move(400)) == "low"
    assert run(writer, move(300)) == "ok"


@pytest.mark.parametrize(("minor", "state"), [(700, POSTED), (1, HoldState.PART_POSTED)])
def test_a_hold_is_posted_in_part_or_whole_and_the_rest_is_let_go(
    writer: Writer, wallets: Engine, minor: int, state: HoldState
) -> None:
    run(writer, place(5, 700))
    assert run(writer, post(5, minor)) == "ok"

    assert row(wallets, AMINA)[:4] == (minor, 1_000, 0, 0)
    assert row(wallets, JUMA)[:4] == (0, minor, 0, 0)
    assert held(wallets, 5) == (state.value, minor)
    with reading(wallets) as connection:
        assert connection.scalar(select(journal.c.hold_id)) == 5


@pytest.mark.parametrize("state", [HoldState.VOIDED, HoldState.EXPIRED])
def test_a_hold_that_is_let_go_moves_nothing(
    writer: Writer, wallets: Engine, state: HoldState
) -> None:
    run(writer, place(5, 700))
    assert run(writer, decide_hold(5, state)) == "ok"

    assert row(wallets, AMINA)[:4] == (0, 1_000, 0, 0)
    assert row(wallets, JUMA)[:4] == (0, 0, 0, 0)
    assert held(wallets, 5) == (state.value, 0)


def test_no_more_is_held_than_is_there(writer: Writer, wallets: Engine) -> None:
    run(writer, place(5, 700))
    assert run(writer, place(6, 301)) == "timeout"  # the writer asserts what services check
    assert row(wallets, AMINA)[2] == 700


@pytest.mark.parametrize("both_in_one_batch", [True, False])
def test_of_those_who_decide_one_hold_one_wins(
    many: tuple[Writer, Writer], wallets: Engine, both_in_one_batch: bool
) -> None:
    run(many[0], place(5, 700))
    let_go = [decide_hold(5, state) for state in (HoldState.VOIDED, HoldState.EXPIRED)]
    deeds = [post(5, 700), post(5, 300), *let_go]
    writers = (many[0],) * 4 if both_in_one_batch else (many[0], many[1]) * 2
    outcomes = at_once(
        *(lambda w=w, d=d: run(w, d) for w, d in zip(writers, deeds, strict=True))
    )

    assert sorted(outcomes) == ["decided", "decided", "decided", "ok"]
    assert row(wallets, AMINA)[2:4] == (0, 0)
    assert row(wallets, JUMA)[2:4] == (0, 0)


def test_the_database_keeps_a_decided_hold_as_it_is(writer: Writer, wallets: Engine) -> None:
    run(writer, place(5, 700))
    run(writer, post(5, 700))
    for change in ("state = 'voided', posted = 0", "minor = 800", "state = 'pending'"):
        with pytest.raises(DBAPIError), writing(wallets) as connection:
            connection.execute(text(f"UPDATE hold SET {change} WHERE id = 5"))
    with pytest.raises(DBAPIError), writing(wallets) as connection:
        connection.execute(text("DELETE FROM hold WHERE id = 5"))


def test_what_was_taken_back_is_known_to_the_next_who_asks(
    writer: Writer, wallets: Engine
) -> None:
    run(writer, move(600))
    original = newest(wallets)
    answers = at_once(*(lambda: run(writer, refund(original, 250)) for _ in range(4)))

    # 600 came to Juma; two of 250 go back, and then there is no third.
    assert sorted(answers) == ["gone", "gone", "ok", "ok"]
    assert row(wallets, JUMA)[:2] == (500, 600)


def test_a_journal_is_reversed_whole_once(many: tuple[Writer, Writer], wallets: Engine) -> None:
    run(many[0], move(600))
    original = newest(wallets)
    answers = at_once(
        *(lambda w=w: run(w, take_back(original)) for w in (many[0], many[1], many[0]))
    )

    assert sorted(answers) == ["gone", "gone", "ok"]
    assert row(wallets, AMINA)[:2] == (600, 1_600)
    with reading(wallets) as connection:
        reverses = connection.scalars(select(journal.c.reverses_id).order_by(journal.c.id))
        assert list(reverses) == [None, original]


def test_the_database_takes_no_second_whole_reversal(writer: Writer, wallets: Engine) -> None:
    run(writer, move(600))
    original = newest(wallets)
    run(writer, take_back(original))
    back = Posting("reversal", (Leg(AMINA, -600), Leg(JUMA, 600)), reverses_id=original)
    run(writer, move(600))  # Juma could pay it again

    assert run(writer, command(lambda _book: Decision("ok", {}, back), original)) == "timeout"


@pytest.mark.parametrize(
    ("status", "answer"),
    [(Status.FROZEN_IN, "ok"), (Status.FROZEN_BOTH, "low"), (Status.DORMANT, "low")],
)
def test_a_barred_account_pays_out_only_where_its_status_lets_it(
    writer: Writer, wallets: Engine, status: Status, answer: str
) -> None:
    assert run(writer, set_status(AMINA, status)) == "ok"
    assert run(writer, move(100)) == answer
    with reading(wallets) as connection:
        kept = select(account.c.status).where(account.c.id == AMINA)
        assert connection.scalar(kept) == status.value


def test_the_database_moves_nothing_in_a_barred_account(
    writer: Writer, wallets: Engine
) -> None:
    run(writer, set_status(AMINA, Status.FROZEN_BOTH))
    run(writer, set_status(JUMA, Status.FROZEN_IN))
    for number, column in ((AMINA, "debits"), (AMINA, "credits"), (JUMA, "credits")):
        with barred(), writing(wallets) as connection:
            connection.execute(
                text(f"UPDATE account SET {column} = {column} + 1 WHERE id = {number}")
            )


@pytest.mark.parametrize("status", [Status.FROZEN_BOTH, Status.DORMANT])
def test_out_of_a_barred_account_the_database_lets_what_was_held_and_no_more(
    writer: Writer, wallets: Engine, status: Status
) -> None:
    run(writer, place(5, 700))
    run(writer, set_status(AMINA, status))
    bank = wallet(3, 0) | {
        "side": 1,
        "credits": 0,
        "debits": 1_000,
        "credits_pending": 700,
        "status": status.value,
    }
    with writing(wallets) as connection:
        connection.execute(account.insert(), bank)
    for number, out, come in ((AMINA, "debits", "credits"), (3, "credits", "debits")):
        for change in (
            f"{out} = {out} + 1",
            f"{out} = {out} + 700, {out}_pending = {out}_pending - 699",
            f"{out} = {out} + 701, {out}_pending = {out}_pending - 700",
            f"{out} = {out} + 700, {out}_pending = {out}_pending + 1",
            f"{out} = {out} + 700, {come} = {come} + 1, {out}_pending = 0",
            f"{come} = {come} + 1, {come}_pending = 0",
        ):
            with barred(), writing(wallets) as connection:
                connection.execute(text(f"UPDATE account SET {change} WHERE id = {number}"))
        with writing(wallets) as connection:
            gone = f"{out} = {out} + 600, {out}_pending = {out}_pending - 700"
            connection.execute(text(f"UPDATE account SET {gone} WHERE id = {number}"))


@pytest.mark.parametrize("status", [Status.FROZEN_BOTH, Status.DORMANT])
def test_a_hold_out_of_a_barred_account_takes_a_payment_back_or_is_none(
    writer: Writer, wallets: Engine, status: Status
) -> None:
    for minor in (300, 300):
        run(writer, move(minor))
    original = newest(wallets)
    run(writer, place(5, 300))  # Amina's, which takes nothing back
    run(writer, set_status(AMINA, status))
    assert run(writer, place(6, 1)) == "timeout"
    assert run(writer, post(5, 300)) == "timeout"

    run(writer, set_status(AMINA, Status.ACTIVE))
    run(writer, set_status(JUMA, status))
    assert run(writer, place_refund(7, original, 200)) == "ok"
    for other in (None, original - 1):  # not what it is to take back
        assert run(writer, post_refund(7, other, 200)) == "timeout"
    assert run(writer, post_refund(7, original, 201)) == "timeout"
    assert run(writer, refund(original, 100)) == "timeout"  # with no hold
    assert run(writer, post_refund(7, original, 100)) == "ok"
    assert row(wallets, JUMA) == (100, 600, 0, 300)


def test_a_refund_and_a_new_hold_on_a_barred_account_are_two_commits_if_need_be(
    writer: Writer, wallets: Engine
) -> None:
    run(writer, move(300))
    run(writer, move(300))
    second = newest(wallets)
    first = second - 1
    run(writer, place_refund(5, first, 300))
    run(writer, set_status(JUMA, Status.FROZEN_BOTH))
    answers = at_once(
        lambda: run(writer, post_refund(5, first, 300)),
        lambda: run(writer, place_refund(6, second, 300)),
    )

    assert answers == ["ok", "ok"]
    assert row(wallets, JUMA) == (300, 600, 300, 0)


def test_a_payment_and_the_freeze_behind_it_are_one_commit_if_need_be(
    writer: Writer, wallets: Engine
) -> None:
    answers = at_once(
        lambda: run(writer, move(100)), lambda: run(writer, set_status(AMINA, Status.DORMANT))
    )

    assert "timeout" not in answers
    with reading(wallets) as connection:
        kept = select(account.c.status).where(account.c.id == AMINA)
        assert connection.scalar(kept) == "dormant"


def test_only_an_empty_account_is_closed(writer: Writer) -> None:
    assert run(writer, set_status(AMINA, Status.CLOSED)) == "timeout"
    assert run(writer, set_status(JUMA, Status.CLOSED)) == "ok"


@pytest.mark.parametrize("column", ["debits", "credits", "seq"])
def test_posted_totals_only_grow(writer: Writer, wallets: Engine, column: str) -> None:
    run(writer, move(100))
    with pytest.raises(DBAPIError), writing(wallets) as connection:
        connection.execute(text(f"UPDATE account SET {column} = {column} - 1"))


def test_what_was_spent_stands_on_the_account_and_comes_off_again(
    writer: Writer, wallets: Engine, clock: SetClock
) -> None:
    run(writer, move(100, spent=Spent(AMINA, 100)))
    run(writer, move(200, spent=Spent(AMINA, 200)))
    assert used(wallets) == ("2026-11-21", 300, 300)

    run(writer, move(50, spent=Spent(AMINA, 200, back_of=TODAY)))
    assert used(wallets) == ("2026-11-21", 100, 100)

    clock.wait(24 * 3600)
    run(writer, move(10, spent=Spent(AMINA, 10)))
    assert used(wallets) == ("2026-11-22", 10, 110)


def test_accounts_of_two_currencies_never_meet_in_a_journal(
    writer: Writer, wallets: Engine
) -> None:
    other = wallet(3, 0) | {"currency": "UGX"}
    with writing(wallets) as connection:
        connection.execute(account.insert(), other)
    crossed = Posting("pay", (Leg(AMINA, 100), Leg(3, -100)))

    assert run(writer, command(lambda _book: Decision("ok", {}, crossed), 3)) == "timeout"
    assert row(wallets, AMINA)[:2] == (0, 1_000)


def test_each_commit_is_a_batch_that_waits_to_be_sealed(
    writer: Writer, wallets: Engine
) -> None:
    run(writer, move(100))
    run(writer, move(5_000))
    run(writer, replace(move(100), key="once"))
    run(writer, replace(move(100), key="once"))  # answered before: nothing new, no batch

    with reading(wallets) as connection:
        batches = list(connection.scalars(select(batch.c.id)))
        assert list(connection.scalars(select(unsealed.c.batch_id))) == batches
        keys = connection.execute(select(idempotency.c.batch_id, idempotency.c.digest)).all()
    assert sorted(key.batch_id for key in keys) == batches
    assert len({key.digest for key in keys}) == 3


# --- commands -------------------------------------------------------------------------------


def run(writer: Writer, work: Work) -> str:
    return writer.run(work, within_s=10).name


def command(
    decide: Callable[[Book], Decision], *account_or_journal: int, hold_id: int | None = None
) -> Work:
    few = [number for number in account_or_journal if number < 100]
    return Work(
        key=f"k{next(_keys)}",
        content="c",
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=(AMINA, JUMA, *few),
        decide=decide,
        hold_ids=() if hold_id is None else (hold_id,),
        journal_ids=tuple(number for number in account_or_journal if number >= 100),
    )


def move(minor: int, *, spent: Spent | None = None) -> Work:
    def decide(book: Book) -> Decision:
        if not book.accounts[AMINA].takes(minor):
            return Decision("low", {})
        legs = (Leg(AMINA, minor), Leg(JUMA, -minor))
        return Decision("ok", {}, Posting("pay", legs), spent=spent)

    return command(decide)


def place(number: int, minor: int) -> Work:
    new = Hold(number, "reserve", AMINA, JUMA, minor, 0, PENDING, NEVER_MS)
    return command(lambda _book: Decision("ok", {}, changes=(HoldPlaced(new),)))


def post(number: int, minor: int) -> Work:
    def decide(book: Book) -> Decision:
        found = book.holds[number]
        if not found.open(book.now_ms):
            return Decision("decided", {})
        state = POSTED if minor == found.minor else HoldState.PART_POSTED
        legs = (Leg(found.source_id, minor), Leg(found.target_id, -minor))
        posting = Posting("reserve", legs, hold_id=number)
        return Decision("ok", {}, posting, changes=(HoldDecided(number, state, minor),))

    return command(decide, hold_id=number)


def place_refund(number: int, original_id: int, minor: int) -> Work:
    new = Hold(number, "refund", JUMA, AMINA, minor, 0, PENDING, NEVER_MS, original_id)
    placed = Decision("ok", {}, changes=(HoldPlaced(new),))
    return command(lambda _book: placed, original_id)


def post_refund(number: int, original_id: int | None, minor: int) -> Work:
    def decide(book: Book) -> Decision:
        found = book.holds[number]
        state = POSTED if minor == found.minor else HoldState.PART_POSTED
        legs = (Leg(JUMA, minor), Leg(AMINA, -minor))
        posting = Posting("refund", legs, reverses_id=original_id, hold_id=number)
        # What the row may say; the posting is what is to be refused.
        decided = HoldDecided(number, state, min(minor, found.minor))
        return Decision("ok", {}, posting, changes=(decided,))

    ids = () if original_id is None else (original_id,)
    return command(decide, *ids, hold_id=number)


def decide_hold(number: int, state: HoldState) -> Work:
    def decide(book: Book) -> Decision:
        if book.holds[number].state is not PENDING:
            return Decision("decided", {})
        changes: tuple[Change, ...] = (HoldDecided(number, state),)
        return Decision("ok", {}, changes=changes)

    return command(decide, hold_id=number)


def refund(original_id: int, minor: int) -> Work:
    def decide(book: Book) -> Decision:
        if -book.journals[original_id].left(JUMA) < minor:
            return Decision("gone", {})
        legs = (Leg(JUMA, minor), Leg(AMINA, -minor))
        return Decision("ok", {}, Posting("refund", legs, reverses_id=original_id))

    return command(decide, original_id)


def take_back(original_id: int) -> Work:
    def decide(book: Book) -> Decision:
        posted = book.journals[original_id]
        if posted.reversed or posted.taken_back:
            return Decision("gone", {})
        return Decision("ok", {}, reverse(posted))

    return command(decide, original_id)


def set_status(number: int, status: Status) -> Work:
    return command(lambda _book: Decision("ok", {}, changes=(StatusSet(number, status),)))


# --- rows -----------------------------------------------------------------------------------


def row(engine: Engine, number: int) -> tuple[int, ...]:
    """Debits and credits, posted and pending."""
    columns = (
        *(account.c.debits, account.c.credits),
        *(account.c.debits_pending, account.c.credits_pending),
    )
    with reading(engine) as connection:
        return tuple(connection.execute(select(*columns).where(account.c.id == number)).one())


def held(engine: Engine, number: int) -> tuple[str, int]:
    with reading(engine) as connection:
        found = select(hold.c.state, hold.c.posted).where(hold.c.id == number)
        state, posted = connection.execute(found).one()
        return state, posted


def barred() -> AbstractContextManager[object]:
    return pytest.raises(DBAPIError, match="nothing moves in a barred account")


def used(engine: Engine) -> tuple[str, int, int]:
    found = select(account.c.used_on, account.c.used_day, account.c.used_month)
    with reading(engine) as connection:
        on, day, month = connection.execute(found.where(account.c.id == AMINA)).one()
        return str(on), day, month


def newest(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.max(journal.c.id))).scalar_one())
