"""Journals that a command may take back: with their legs, what was taken back of them by now,
and the hold by which more of them is about to be. Read after their accounts are locked, so that
nobody takes back more meanwhile.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from ussd_gateway.domain.journal import REVERSAL, Leg, Posted
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
IN_HAND = "SELECT journal_id, id FROM hold WHERE state = 'pending' AND journal_id {}"

_Rows = Iterable[tuple[Any, ...]]


def posted_of(
    journals: _Rows, legs: _Rows, taken_back: _Rows, in_hand: _Rows
) -> dict[int, Posted]:
    """By id, out of the rows of the four statements."""
    moved: dict[int, list[Leg]] = defaultdict(list)
    for journal_id, account_id, minor in legs:
        moved[journal_id].append(Leg(account_id, minor))
    taken: dict[int, Counter[int]] = defaultdict(Counter)
    whole: set[int] = set()
    holds: dict[int, int] = dict(in_hand)
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
            holds.get(number),
        )
        for number, kind, receipt, event_at_ms, business_date in journals
    }
