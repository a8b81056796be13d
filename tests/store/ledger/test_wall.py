"""A decision that breaks a rule is found before anything is written: the strangers in its batch
are committed with it gone, all at once, and the database is not asked to refuse anything."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.store.conftest import AMINA, JUMA, balances, count, pay
from tests.store.people import in_one_batch
from ussd_gateway.domain.book import Decision, HoldDecided, HoldPlaced, Work
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posting
from ussd_gateway.store.ledger.writer import Writer

FIRST_AND_LAST = ("ok", "timeout", "ok")
NEVER_MS = 2**53
ASKED = Hold(5, "asked", AMINA, JUMA, 100, 0, HoldState.PENDING, NEVER_MS, journal_id=7)
NEXT = replace(ASKED, id=6, kind="disputed")


def test_a_decision_that_breaches_a_floor_undoes_no_batch(
    writer: Writer, wallets: Engine
) -> None:
    too_much = _always("breach", Posting("pay", (Leg(AMINA, 5_000), Leg(JUMA, -5_000))))
    outcomes = in_one_batch(writer, pay("k1"), too_much, pay("k2"))

    assert tuple(each.name for each in outcomes) == FIRST_AND_LAST
    assert balances(wallets) == (800, 200)
    assert count(wallets, "batch") == 2  # what held the writer back, and these


@pytest.mark.parametrize(
    ("state", "posting", "left"),
    [
        (HoldState.POSTED, Posting("held", (Leg(AMINA, 700), Leg(JUMA, -700)), hold_id=5), 200),
        (HoldState.VOIDED, None, 900),
    ],
    ids=["posted", "voided"],
)
def test_a_hold_that_is_decided_twice_in_one_batch_undoes_no_batch(
    writer: Writer, wallets: Engine, state: HoldState, posting: Posting | None, left: int
) -> None:
    held = Hold(5, "held", AMINA, JUMA, 700, 0, HoldState.PENDING, NEVER_MS)
    placed = _always("place", None, HoldPlaced(held))
    assert writer.run(placed, within_s=5).name == "ok"
    decided = HoldDecided(5, state, 700 if posting else 0)
    outcomes = in_one_batch(
        writer,
        _always("post", posting, decided, hold_ids=(5,)),
        _always("again", posting, decided, hold_ids=(5,)),
        pay("k1"),
    )

    assert tuple(each.name for each in outcomes) == FIRST_AND_LAST
    assert balances(wallets) == (left, 1_000 - left)
    assert count(wallets, "batch") == 3


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (NEXT, "ok"),
        (replace(NEXT, expires_at_ms=NEVER_MS + 1), "timeout"),
        (replace(NEXT, minor=99), "timeout"),
        (replace(NEXT, source_id=JUMA, target_id=AMINA), "timeout"),
    ],
    ids=["the same", "for longer", "another sum", "the other way"],
)
def test_what_is_held_to_take_a_journal_back_is_passed_on_as_it_is(
    writer: Writer, wallets: Engine, other: Hold, outcome: str
) -> None:
    placed = _always("place", None, HoldPlaced(ASKED))
    assert writer.run(placed, within_s=5).name == "ok"
    passes = (HoldDecided(5, HoldState.VOIDED), HoldPlaced(other))
    outcomes = in_one_batch(
        writer, pay("k1"), _always("pass", None, *passes, hold_ids=(5,)), pay("k2")
    )

    assert [each.name for each in outcomes] == ["ok", outcome, "ok"]
    assert count(wallets, "hold") == (2 if outcome == "ok" else 1)


def _always(
    key: str,
    posting: Posting | None,
    *changes: HoldPlaced | HoldDecided,
    hold_ids: tuple[int, ...] = (),
) -> Work:
    """A command that looks at nothing."""
    return Work(
        key=key,
        content=key,
        event_at_ms=1_000,
        subscriber_ids=(),
        account_ids=(AMINA, JUMA),
        decide=lambda _book: Decision("ok", {}, posting, changes=changes),
        hold_ids=hold_ids,
    )
