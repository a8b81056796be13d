"""What was posted, what is taken back of it, and money that waits."""

from dataclasses import replace
from datetime import date

import pytest

from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posted, Posting, reverse

SENT = Posted(
    id=7,
    kind="send_money",
    receipt="SBNABCDEFG",
    event_at_ms=1_000,
    business_date=date(2026, 11, 21),
    legs=(Leg(1, 507), Leg(2, -500), Leg(9, -7)),
    taken_back={},
    reversed=False,
)
HOLD = Hold(3, "refund", 2, 1, 500, 0, HoldState.PENDING, expires_at_ms=2_000, journal_id=7)


@pytest.mark.parametrize(
    "legs", [(), (Leg(1, 5),), (Leg(1, 5), Leg(2, -4)), (Leg(1, 0), Leg(2, 0))]
)
def test_a_posting_that_does_not_balance_cannot_be_made(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(AssertionError):
        Posting("transfer", legs)


def test_a_reversal_takes_back_every_leg() -> None:
    posting = reverse(SENT)

    assert posting.legs == (Leg(1, -507), Leg(2, 500), Leg(9, 7))
    assert (posting.kind, posting.reverses_id) == ("reversal", 7)


def test_what_is_left_of_a_leg_is_what_was_not_taken_back() -> None:
    partly = replace(SENT, taken_back={1: -200, 2: 200})

    assert [SENT.left(account) for account in (1, 2, 9, 5)] == [507, -500, -7, 0]
    assert [partly.left(account) for account in (1, 2, 9)] == [307, -300, -7]


@pytest.mark.parametrize(
    ("state", "now_ms", "is_open"),
    [
        (HoldState.PENDING, 1_999, True),
        (HoldState.PENDING, 2_000, False),  # over, whether or not anybody has said so yet
        (HoldState.POSTED, 1_999, False),
        (HoldState.PART_POSTED, 1_999, False),
        (HoldState.VOIDED, 1_999, False),
        (HoldState.EXPIRED, 1_999, False),
    ],
)
def test_a_hold_is_open_until_it_is_decided_or_its_time_is_over(
    state: HoldState, now_ms: int, is_open: bool
) -> None:
    assert replace(HOLD, state=state).open(now_ms) is is_open


@pytest.mark.parametrize("wrong", [{"minor": 0}, {"posted": 501}, {"target_id": 2}])
def test_a_hold_that_makes_no_sense_cannot_be_made(wrong: dict[str, int]) -> None:
    with pytest.raises(AssertionError):
        replace(HOLD, **wrong)  # type: ignore[arg-type]
