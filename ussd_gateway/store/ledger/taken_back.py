"""Journals that a command may take back: with their legs, what was taken back of them by now,
and the holds that were to take more of them. Read after their accounts are locked, so that
nobody takes back more, or asks for it, meanwhile.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from ussd_gateway.domain.journal import REVERSAL, HoldState, Leg, Posted
from ussd_gateway.store.rows import day_of

# To be completed with what the database calls "one of these ids".
JOURNALS = "SELECT id, kind, receipt, event_at_ms, business_date FROM journal WHERE id {}"
LEGS = (
    "SELECT journal_id, account_id, minor FROM entry WHERE journal_id {} "
    "ORDER BY journal_id, leg"
)
TAKEN_BACK = (
    "SELECT reverses_id, kind, account_id, minor "
    "FROM journal JOIN entry ON journal_id = journal.id WHERE reverses_id {}"
)
HOLDS_OF = "SELECT journal_id, id, kind, state FROM hold WHERE journal_id {}"

_Rows = Iterable[tuple[Any, ...]]


def posted_of(
    journals: _Rows, legs: _Rows, taken_back: _Rows, holds: _Rows
) -> dict[int, Posted]:
    """By id, out of the rows of the four statements."""
    moved: dict[int, list[Leg]] = defaultdict(list)
    for journal_id, account_id, minor in legs:
        moved[journal_id].append(Leg(account_id, minor))
    taken: dict[int, Counter[int]] = defaultdict(Counter)
    whole: set[int] = set()
    in_hand: dict[int, int] = {}
    held_as: dict[int, set[str]] = defaultdict(set)
    for journal_id, hold_id, kind, state in holds:
        held_as[journal_id].add(kind)
        if state == HoldState.PENDING.value:
            in_hand[journal_id] = hold_id
    for journal_id, kind, account_id, minor in taken_back:
        taken[journal_id][account_id] += minor
        if kind == REVERSAL:
            whole.add(journal_id)
    return {
        number: Posted(
            number,
            kind,
            receipt,
            event_at_ms,
            day_of(business_date),
            tuple(moved[number]),
            taken[number],
            number in whole,
            in_hand.get(number),
            frozenset(held_as[number]),
        )
        for number, kind, receipt, event_at_ms, business_date in journals
    }
