"""Who wants no notices, noted with the command that says so and kept to when one is sent; and
what else is known of a number that texts us."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, insert, select

from tests.store.conftest import SetClock, count, started, wallet
from tests.store.outbox.owing import AMINA, Box
from tests.store.people import doing, enrol, in_one_batch
from ussd_gateway.domain.book import OptedIn, OptedOut, Priority, Work
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.schema import account, business, opt_out

STRANGER = Msisdn("+254711000009")


@pytest.fixture
def books(engine: Engine, clock: SetClock) -> Iterator[Writer]:
    enrol(engine)
    with started(engine, clock) as writer:
        yield writer


def asking(key: str, *, at_ms: int, msisdn: Msisdn = AMINA, route: str = "sms") -> Work:
    work = doing(key)
    return replace(work, route=route, session_id=msisdn, msisdn=msisdn, event_at_ms=at_ms)


def noted(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return sorted((row.msisdn, row.sender) for row in connection.execute(select(opt_out)))


def test_a_number_is_noted_once_a_sender_also_by_two_in_one_batch(
    books: Writer, engine: Engine
) -> None:
    outcomes = in_one_batch(
        books,
        doing("k1", OptedOut(STRANGER, "PESA")),
        doing("k2", OptedOut(STRANGER, "PESA")),
        doing("k3", OptedOut(STRANGER, "20384")),
        doing("k4", OptedOut(AMINA, "PESA")),
    )
    assert {outcome.name for outcome in outcomes} == {"ok"}
    assert noted(engine) == [(AMINA, "PESA"), (STRANGER, "20384"), (STRANGER, "PESA")]


def test_who_wants_them_again_is_forgotten_and_an_old_stop_come_again_changes_nothing(
    books: Writer, engine: Engine
) -> None:
    stop = doing("k1", OptedOut(STRANGER, "20384"), OptedOut(AMINA, "PESA"))
    for work in (stop, doing("k2", OptedIn(STRANGER)), stop):
        assert books.run(work, within_s=5).name == "ok"
    assert noted(engine) == [(AMINA, "PESA")]


def test_a_notice_is_not_sent_to_who_wants_none_and_all_else_is(
    books: Writer, engine: Engine, clock: SetClock
) -> None:
    books.run(doing("stop", OptedOut(AMINA, "20384")), within_s=5)
    box = Box(Outbox(engine, clock), engine, clock)
    box.owe("notice", priority=Priority.NOTICE)
    box.owe("answer", priority=Priority.ANSWER)
    box.owe("receipt")

    begun = [box.row(key)["id"] for key in ("receipt", "answer")]
    assert [owed.id for owed in box.begin()] == begun
    row = box.row("notice")
    assert (row["state"], row["detail"]) == ("failed", "the number wants no notices")
    assert row["sent_at_ms"] is None

    books.run(doing("start", OptedIn(AMINA)), within_s=5)
    box.owe("next", priority=Priority.NOTICE)
    assert [owed.id for owed in box.begin()] == [box.row("next")["id"]]


def test_what_a_number_asked_by_sms_is_counted_by_its_time(
    books: Writer, engine: Engine
) -> None:
    reads = SqlReads(engine.url.render_as_string(hide_password=False))
    for at_ms in (1, 2, 3):
        books.run(asking(f"k{at_ms}", at_ms=at_ms), within_s=5)
    books.run(asking("elsewhere", at_ms=3, route="africastalking"), within_s=5)
    books.run(asking("another", at_ms=3, msisdn=STRANGER), within_s=5)

    assert count(engine, "idempotency") == 5
    assert [reads.asked_by_sms(AMINA, since_ms=at_ms) for at_ms in range(4)] == [3, 2, 1, 0]
    assert reads.asked_by_sms(Msisdn("+254711000003"), since_ms=0) == 0
    reads.close()


def test_the_phone_of_a_business_is_spoken_to_in_its_language(engine: Engine) -> None:
    reads = SqlReads(engine.url.render_as_string(hide_password=False))
    phone, row = (
        Msisdn("+254733000001"),
        {
            "name": "Otieno Hardware",
            "msisdn": "+254733000001",
            "account_digits": 0,
        },
    )
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(12, 0), wallet(13, 0)])
        connection.execute(
            insert(business),
            [
                row
                | {"number": "500500", "trade": "merchant", "language": "sw", "account_id": 12},
                row
                | {"number": "600600", "trade": "biller", "language": "fr", "account_id": 13},
            ],
        )
    assert reads.business_language(phone) == "sw"
    assert reads.business_language(STRANGER) is None
    reads.close()
