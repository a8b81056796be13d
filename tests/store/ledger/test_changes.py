"""What a decision writes beside money: with it or not at all, and seen by the next command."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from tests.store.conftest import SetClock, count, started, told
from tests.store.people import AMINA, OTIENO, bought, doing, enrol, in_one_batch, newcomer
from tests.world import at_once
from ussd_gateway.domain.book import (
    Book,
    Change,
    Decision,
    LanguageChosen,
    Message,
    PinChosen,
    PurchaseSettled,
    PurchaseState,
    Subscriber,
    Work,
)
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Standing, Supplied
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.teller import Accepted, decided
from ussd_gateway.store.database import reading
from ussd_gateway.store.ledger.changes import ASK_LATER_MS
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.schema import account, purchase, registration
from ussd_gateway.store.waiting.purchases import SqlPurchases

PAID = Posting("pay", (Leg(1, 100), Leg(2, -100)))
# No such row is ever taken: it has no number to go to.
NOBODY = Message(None, "sent", "en", {})  # type: ignore[arg-type]
NEW_PIN = PinChosen(1, "k2", b"new salt", b"new")


@pytest.fixture
def enrolled(engine: Engine) -> Engine:
    enrol(engine)
    return engine


@pytest.fixture
def books(enrolled: Engine, clock: SetClock) -> Iterator[Writer]:
    with started(enrolled, clock) as writer:
        yield writer


def test_somebody_new_has_a_wallet_and_what_they_agreed_to(
    books: Writer, enrolled: Engine, clock: SetClock
) -> None:
    new = newcomer(7)
    assert books.run(doing("k1", new, messages=(told(),)), within_s=5).name == "ok"

    assert _person(enrolled, OTIENO) == new.subscriber
    with reading(enrolled) as connection:
        wallet = connection.execute(select(account).where(account.c.id == 7)).one()
        agreed = connection.execute(select(registration)).one()
    assert (wallet.code, wallet.currency, wallet.side) == (2010, "KES", -1)
    assert (wallet.debits, wallet.credits, wallet.seq) == (0, 0, 0)
    assert (wallet.floor, wallet.cap, wallet.public_ref) == (0, 50_000_00, OTIENO)
    now_ms = int(clock.now().timestamp() * 1000)
    assert tuple(agreed) == (7, "12345678", "2026-11", now_ms)
    assert count(enrolled, "outbox") == 1


def test_somebody_new_is_registered_once_for_one_key(books: Writer, enrolled: Engine) -> None:
    work = doing("k1", newcomer(7))

    assert books.run(work, within_s=5) == books.run(work, within_s=5)
    assert count(enrolled, "registration") == 1


def test_of_two_who_register_one_number_one_wins_and_no_stranger_is_harmed(
    books: Writer, enrolled: Engine
) -> None:
    outcomes = in_one_batch(
        books,
        doing("stranger-1", posting=PAID),
        doing("one", newcomer(7), messages=(told(),)),
        doing("two", newcomer(8), messages=(told(),)),
        doing("stranger-2", posting=PAID),
    )

    assert [each.name for each in outcomes] == ["ok", "ok", "timeout", "ok"]
    found = _person(enrolled, OTIENO)
    assert found is not None
    assert found.id == 7
    assert count(enrolled, "account") == 3
    assert count(enrolled, "registration") == 1
    assert count(enrolled, "outbox") == 1
    assert _wallets(enrolled) == (800, 200)


def test_two_who_register_one_number_one_after_the_other_are_one(
    books: Writer, enrolled: Engine
) -> None:
    first = books.run(doing("one", newcomer(7)), within_s=5)
    second = books.run(doing("two", newcomer(8)), within_s=5)

    assert (first.name, second.name) == ("ok", "timeout")
    assert count(enrolled, "subscriber") == 3
    assert count(enrolled, "account") == 3


@pytest.mark.parametrize("change", [newcomer(7), bought()], ids=["person", "purchase"])
def test_two_writers_with_one_command_agree_about_it(
    enrolled: Engine, clock: SetClock, change: Change
) -> None:
    work = doing("k1", change, posting=PAID)
    with started(enrolled, clock) as one, started(enrolled, clock) as two:
        first, second = at_once(
            lambda: one.run(work, within_s=5), lambda: two.run(work, within_s=5)
        )

    assert first == second
    assert first.name == "ok"
    assert _wallets(enrolled) == (900, 100)


CHANGES = [newcomer(7), NEW_PIN, LanguageChosen(1, "sw"), bought()]


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: type(one).__name__)
def test_what_cannot_be_written_takes_everything_beside_it_back(
    books: Writer, enrolled: Engine, change: Change
) -> None:
    before = _state(enrolled)
    broken = doing("k1", change, posting=PAID, messages=(told(), NOBODY))

    assert books.run(broken, within_s=5).name == "timeout"
    assert _state(enrolled) == before


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: type(one).__name__)
def test_a_decision_that_breaches_a_floor_changes_nothing(
    books: Writer, enrolled: Engine, change: Change
) -> None:
    before = _state(enrolled)
    too_much = Posting("pay", (Leg(1, 1_001), Leg(2, -1_001)))

    assert books.run(doing("k1", change, posting=too_much), within_s=5).name == "timeout"
    assert _state(enrolled) == before


def test_a_new_pin_is_kept_and_its_count_starts_again(books: Writer, enrolled: Engine) -> None:
    assert books.run(_paying("wrong", b"guess"), within_s=5).name == "wrong_pin"
    books.run(doing("k1", NEW_PIN), within_s=5)

    amina = _amina(enrolled)
    assert (amina.pin_kid, amina.pin_salt, amina.pin_tag) == ("k2", b"new salt", b"new")
    assert amina.wrong_tries == 0


def test_the_old_pin_is_wrong_for_the_next_command_of_the_batch(
    books: Writer, enrolled: Engine
) -> None:
    outcomes = in_one_batch(books, doing("change", NEW_PIN), _paying("pay", b"old"))

    assert [each.name for each in outcomes] == ["ok", "wrong_pin"]
    assert outcomes[1].values["tries_left"] == 2
    assert _wallets(enrolled) == (1_000, 0)
    assert _amina(enrolled).wrong_tries == 1


def test_the_new_pin_pays_in_the_batch_that_changed_it(books: Writer, enrolled: Engine) -> None:
    outcomes = in_one_batch(
        books, _paying("guess", b"guess"), doing("change", NEW_PIN), _paying("pay", b"new")
    )

    assert [each.name for each in outcomes] == ["wrong_pin", "ok", "ok"]
    assert _wallets(enrolled) == (900, 100)
    assert _amina(enrolled).wrong_tries == 0


def test_a_wrong_try_before_the_change_is_forgotten_with_the_old_pin(
    books: Writer, enrolled: Engine
) -> None:
    in_one_batch(books, _paying("guess", b"guess"), doing("change", NEW_PIN))
    assert _amina(enrolled).wrong_tries == 0


def test_a_language_is_kept_and_seen_by_the_next_command(
    books: Writer, enrolled: Engine
) -> None:
    seen: list[str] = []

    def look(book: Book) -> Decision:
        seen.append(book.subscribers[1].language)
        return Decision("ok", {})

    looks = replace(doing("look"), decide=look)
    in_one_batch(books, doing("choose", LanguageChosen(1, "sw")), looks)

    assert seen == ["sw"]
    assert _amina(enrolled).language == "sw"


def test_a_purchase_is_due_with_its_money_and_looked_at_if_nobody_asks(
    books: Writer, enrolled: Engine, clock: SetClock
) -> None:
    purchases = SqlPurchases(enrolled, clock)
    books.run(doing("buy-1", bought(), posting=PAID), within_s=5)
    assert _wallets(enrolled) == (900, 100)
    assert purchases.backlog() == {"due": 1}
    assert purchases.take_overdue(10) == []
    clock.wait(ASK_LATER_MS / 1000)

    (taken,) = purchases.take_overdue(10)
    assert (taken.purchase, taken.asked_before) == (bought(), False)


@pytest.mark.parametrize(
    ("settled", "name"),
    [
        (PurchaseSettled("buy-1", PurchaseState.DONE, "ATQid_9", "Success"), "ATQid_9"),
        (PurchaseSettled("buy-1", PurchaseState.DONE, None, "Success"), "ATQid_1"),
        (PurchaseSettled("buy-1", PurchaseState.REFUSED, None, "Failed"), "ATQid_1"),
    ],
    ids=["done, with a name", "done", "refused"],
)
def test_a_purchase_is_settled_for_good_and_keeps_its_name(
    books: Writer, enrolled: Engine, clock: SetClock, settled: PurchaseSettled, name: str
) -> None:
    purchases = SqlPurchases(enrolled, clock)
    books.run(doing("buy-1", bought()), within_s=5)
    purchases.note("buy-1", Supplied(Standing.PENDING, "ATQid_1", "Sent"))
    books.run(doing("buy-1:settled", settled, posting=PAID), within_s=5)
    clock.wait(86_400)

    with reading(enrolled) as connection:
        row = connection.execute(select(purchase)).one()
    assert (row.state, row.supplier_id) == (settled.state.value, name)
    assert row.detail == settled.detail
    assert _wallets(enrolled) == (900, 100)
    assert purchases.take_overdue(10) == []


def test_a_purchase_is_bought_and_settled_in_one_batch(
    books: Writer, enrolled: Engine, clock: SetClock
) -> None:
    settled = PurchaseSettled("buy-1", PurchaseState.DONE, "ATQid_1", "Success")
    in_one_batch(books, doing("buy-1", bought()), doing("buy-1:settled", settled))

    assert SqlPurchases(enrolled, clock).backlog() == {"done": 1}


def _paying(key: str, tag: bytes) -> Work:
    """Amina pays Juma KES 1.00, with the PIN of this tag."""

    def decide(book: Book) -> Decision:
        return decided(Proof(1, tag), book, lambda _: Accepted({}, PAID))

    return replace(doing(key), decide=decide)


def _person(engine: Engine, msisdn: Msisdn) -> Subscriber | None:
    url = engine.url.render_as_string(hide_password=False)
    with closing(SqlReads(url)) as reads:
        return reads.subscribers(msisdn).get(msisdn)


def _amina(engine: Engine) -> Subscriber:
    found = _person(engine, AMINA)
    assert found is not None
    return found


def _wallets(engine: Engine) -> tuple[int, int]:
    """Amina's and Juma's, in minor units, whoever else has one."""
    rows = select(account.c.credits - account.c.debits).where(account.c.id.in_((1, 2)))
    with reading(engine) as connection:
        amina, juma = connection.execute(rows.order_by(account.c.id)).scalars()
    return amina, juma


def _state(engine: Engine) -> tuple[object, ...]:
    """All that a command may leave."""
    tables = ("account", "registration", "purchase", "journal", "idempotency", "outbox")
    return (_amina(engine), _wallets(engine), *(count(engine, table) for table in tables))
