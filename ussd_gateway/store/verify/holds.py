"""Holds beside the accounts that they pend on, and beside the journals that came of them:
invariants 6 and 7."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, or_, select, union_all

from ussd_gateway.store.schema import account, batch, entry, hold, idempotency, journal
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

_OPEN = hold.c.state == "pending"
_PENDS = union_all(
    select(
        hold.c.source_id.label("account_id"),
        hold.c.minor.label("debits"),
        literal(0).label("credits"),
    ).where(_OPEN),
    select(hold.c.target_id, literal(0), hold.c.minor).where(_OPEN),
).subquery()
_PENDING = (
    select(_PENDS.c.account_id, func.sum(_PENDS.c.debits), func.sum(_PENDS.c.credits))
    .group_by(_PENDS.c.account_id)
    .order_by(_PENDS.c.account_id)
)
_ACCOUNTS = select(
    account.c.id, account.c.public_ref, account.c.debits_pending, account.c.credits_pending
).order_by(account.c.id)

_PLACING = idempotency.alias("placing")
_DECIDING = idempotency.alias("deciding")
_HOLDS = (
    select(
        hold.c.id,
        hold.c.source_id,
        hold.c.target_id,
        hold.c.minor,
        hold.c.posted,
        hold.c.state,
        hold.c.placed_at_ms,
        hold.c.expires_at_ms,
        hold.c.journal_id,
        _PLACING.c.key,
        hold.c.decided_by,
        _DECIDING.c.key,
        batch.c.at_ms,
    )
    .select_from(
        hold.outerjoin(_PLACING, _PLACING.c.key == hold.c.key)
        .outerjoin(_DECIDING, _DECIDING.c.key == hold.c.decided_by)
        .outerjoin(batch, batch.c.id == _DECIDING.c.batch_id)
    )
    .order_by(hold.c.id)
)
# What a command lets go of and holds anew is somebody else's turn, and the same in all else.
_NEXT = hold.alias("next")
_TERMS = ("source_id", "target_id", "minor", "expires_at_ms", "journal_id")
_PASSED_ON = (
    select(hold.c.id, _NEXT.c.id)
    .select_from(hold.join(_NEXT, _NEXT.c.key == hold.c.decided_by))
    .where(
        or_(
            hold.c.state != "voided",
            *(hold.c[name].is_distinct_from(_NEXT.c[name]) for name in _TERMS),
        )
    )
    .order_by(hold.c.id)
)
_LEGS = (
    select(
        journal.c.hold_id,
        journal.c.id,
        journal.c.created_at_ms,
        journal.c.reverses_id,
        entry.c.account_id,
        entry.c.minor,
    )
    .select_from(journal.outerjoin(entry, entry.c.journal_id == journal.c.id))
    .where(journal.c.hold_id.is_not(None))
    .order_by(journal.c.hold_id, journal.c.id)
)

POSTED = ("posted", "part_posted")
LET_GO = ("voided", "expired")


@dataclass(frozen=True, slots=True)
class _Hold:
    id: int
    source_id: int
    target_id: int
    minor: int
    posted: int
    state: str
    placed_at_ms: int
    expires_at_ms: int
    takes_back: int | None
    placed_by: str | None  # None: there is no such key
    decided_by: str | None
    decider: str | None  # None: there is no such key
    decided_at_ms: int | None

    def __str__(self) -> str:
        return f"hold {self.id}"


@dataclass(slots=True)
class _Moved:
    """A journal that says that it came of the hold."""

    at_ms: int
    reverses_id: int | None
    legs: Counter[int]


def check_holds(books: Connection, *, pending: Tally, resolved: Tally) -> None:
    for number, one, found in beside(rows(books, _ACCOUNTS), rows(books, _PENDING)):
        _check_pending(number, one, found, pending)
    for number, row, legs in beside(rows(books, _HOLDS), rows(books, _LEGS)):
        resolved.checked += 1
        moved = _moved(legs)
        if row is None:
            for journal_id in moved:
                resolved.wrong(f"journal {journal_id}: its hold {number} does not exist")
        else:
            _check_hold(_Hold(*row), moved, resolved)
    for before, after in rows(books, _PASSED_ON):
        resolved.wrong(f"hold {before} was passed on as hold {after}, on other terms")


def _check_pending(number: int, one: Row | None, found: Iterator[Row], pending: Tally) -> None:
    pending.checked += 1
    _, debits, credited = next(found, (number, 0, 0))
    if one is None:
        pending.wrong(f"account {number} does not exist, and something is held for it")
    elif one[2:] != (debits, credited):
        pending.wrong(
            f"account {number} ({one[1]}): says pending debits {one[2]}, credits {one[3]}; "
            f"its holds say {debits} and {credited}"
        )


def _check_hold(one: _Hold, moved: dict[int, _Moved], resolved: Tally) -> None:
    if one.placed_by is None:
        resolved.wrong(f"{one}: no command placed it")
    if one.state == "pending" and one.decided_by is not None:
        resolved.wrong(f"{one} is pending, and {one.decided_by} decided it")
    if one.state != "pending" and one.decider is None:
        resolved.wrong(f"{one} is {one.state}, and no command decided it")

    if one.state in POSTED:
        if not 0 < one.posted <= one.minor:
            resolved.wrong(f"{one}: {one.posted} was posted of {one.minor}")
        if (one.state == "posted") != (one.posted == one.minor):
            resolved.wrong(f"{one} is {one.state}: {one.posted} of {one.minor}")
    elif one.state in ("pending", *LET_GO):
        if one.posted:
            resolved.wrong(f"{one} is {one.state}, and {one.posted} of it was posted")
    else:
        resolved.wrong(f"{one} is {one.state}, which is nothing that a hold can be")
    late = one.decided_at_ms is not None and one.decided_at_ms >= one.expires_at_ms
    if one.state in POSTED and late:
        resolved.wrong(f"{one} was posted when its time was over")
    if one.state == "expired" and not late:
        resolved.wrong(f"{one} expired before its time was over")
    _check_journals(one, moved, resolved)


def _check_journals(one: _Hold, moved: dict[int, _Moved], resolved: Tally) -> None:
    wanted = 1 if one.state in POSTED else 0
    if len(moved) != wanted:
        ids = " ".join(map(str, moved)) or "none"
        resolved.wrong(f"{one} is {one.state}, and its journals are: {ids}")
        return
    for journal_id, it in moved.items():
        taken, given = it.legs[one.source_id], -it.legs[one.target_id]
        # Beside what was held, the target may be given a fee back.
        if taken != one.posted or given < one.posted:
            resolved.wrong(
                f"{one}: {one.posted} was posted; journal {journal_id} moves {taken} out of "
                f"account {one.source_id} and {given} into account {one.target_id}"
            )
        if it.reverses_id != one.takes_back:
            resolved.wrong(
                f"{one} was to take back journal {one.takes_back}; journal {journal_id} takes "
                f"back {it.reverses_id}"
            )


def _moved(legs: Iterator[Row]) -> dict[int, _Moved]:
    found: dict[int, _Moved] = {}
    for _, journal_id, at_ms, reverses_id, account_id, minor in legs:
        one = found.setdefault(journal_id, _Moved(at_ms, reverses_id, Counter()))
        if account_id is not None:
            one.legs[account_id] += minor
    return found
