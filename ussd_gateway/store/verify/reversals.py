"""What was taken back beside what it was taken from: invariant 9."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, select

from ussd_gateway.store.schema import account, entry, journal
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

WHOLE, PARTS = "reversal", ("refund", "given_back")
# What may stand in for what in a whole reversal: the claim on an agent for a commission that is
# spent; the two banks for a fee that was swept from one to the other.
STANDS_IN = {1140: 2210, 1010: 2440, 1310: 1320}

_BACK = journal.alias("back")
_TAKEN_FROM = select(_BACK.c.reverses_id).where(_BACK.c.reverses_id.is_not(None))
_ORIGINALS = (
    select(
        journal.c.id,
        journal.c.kind,
        entry.c.account_id,
        entry.c.minor,
        account.c.currency,
        account.c.code,
    )
    .select_from(
        journal.join(entry, entry.c.journal_id == journal.c.id).outerjoin(
            account, account.c.id == entry.c.account_id
        )
    )
    .where(journal.c.id.in_(_TAKEN_FROM))
    .order_by(journal.c.id, entry.c.leg)
)
_TAKEN_BACK = (
    select(
        journal.c.reverses_id,
        journal.c.id,
        journal.c.kind,
        entry.c.account_id,
        entry.c.minor,
        account.c.currency,
        account.c.code,
    )
    .select_from(
        journal.outerjoin(entry, entry.c.journal_id == journal.c.id).outerjoin(
            account, account.c.id == entry.c.account_id
        )
    )
    .where(journal.c.reverses_id.is_not(None))
    .order_by(journal.c.reverses_id, journal.c.id, entry.c.leg)
)
_OF_NOTHING = select(journal.c.id, journal.c.kind).where(
    journal.c.kind.in_((WHOLE, *PARTS)), journal.c.reverses_id.is_(None)
)


def check_reversals(books: Connection, taken_back: Tally) -> None:
    heads = _by_journal(rows(books, _ORIGINALS))
    for number, original, back in beside(heads, rows(books, _TAKEN_BACK)):
        _check(number, original, list(back), taken_back)
    for number, kind in rows(books, _OF_NOTHING):
        taken_back.wrong(f"journal {number}, {kind}: it takes back no journal")


def _by_journal(legs: Iterator[Row]) -> Iterator[Row]:
    """One row for each original: its id, its kind, its legs."""
    number, kind, gathered = None, "", list[Row]()
    for journal_id, its_kind, *leg in legs:
        if journal_id != number and number is not None:
            yield number, kind, gathered
            gathered = []
        number, kind = journal_id, its_kind
        gathered.append(tuple(leg))
    if number is not None:
        yield number, kind, gathered


def _check(number: int, original: Row | None, back: list[Row], taken_back: Tally) -> None:
    kinds = {journal_id: kind for _, journal_id, kind, *_ in back}
    taken_back.checked += len(kinds)
    ids = " and ".join(map(str, kinds))
    if original is None:
        taken_back.wrong(f"journal {number} is taken back by {ids}, and does not exist")
        return
    _, kind, legs = original
    if kind in (WHOLE, *PARTS):
        taken_back.wrong(f"journal {number} takes back another, and is taken back by {ids}")
    for journal_id, its_kind in kinds.items():
        if its_kind not in (WHOLE, *PARTS):
            taken_back.wrong(
                f"journal {journal_id}, {its_kind}: it takes back journal {number}"
            )
        if journal_id <= number:
            taken_back.wrong(f"journal {journal_id} takes back {number}, which came later")
    if WHOLE in kinds.values() and len(kinds) > 1:
        taken_back.wrong(f"journal {number} is taken back whole, and more than once: {ids}")
    _check_amounts(number, ids, legs, [tuple(row[3:]) for row in back], taken_back)
    if WHOLE in kinds.values():
        _check_whole(number, ids, legs, [tuple(row[3:]) for row in back], taken_back)


def _check_amounts(
    number: int, ids: str, legs: list[Row], back: list[Row], taken_back: Tally
) -> None:
    """No account gives or gets more than it got or gave: but that some stand in for one that
    has no more to give."""
    currencies = {leg[2] for leg in (*legs, *back) if leg[0] is not None}
    if len(currencies) > 1:
        told = ", ".join(sorted(map(str, currencies)))
        taken_back.wrong(f"journal {number} is taken back by {ids} in another currency: {told}")
    left = _sums(legs)
    stood_in: Counter[int] = Counter()
    for account_id, minor in _sums(back).items():
        code = next(leg[3] for leg in back if leg[0] == account_id)
        if code in STANDS_IN and account_id not in left:
            stood_in[code] += minor
        elif not _within(left[account_id], -minor):
            taken_back.wrong(
                f"journal {number} moved {left[account_id]} of account {account_id}; "
                f"{ids} took back {-minor}"
            )
        else:
            left[account_id] += minor
    for code, minor in stood_in.items():
        for_code = STANDS_IN[code]
        owed = sum(left[leg] for leg in {leg[0] for leg in legs if leg[3] == for_code})
        if not _within(owed, -minor):
            taken_back.wrong(
                f"journal {number} left {owed} of {for_code} to take back; "
                f"{ids} took {-minor} of it from {code}"
            )


def _check_whole(
    number: int, ids: str, legs: list[Row], back: list[Row], taken_back: Tally
) -> None:
    """By account code, since one may stand in for another."""
    codes: Counter[int] = Counter()
    for _, minor, _, code in (*legs, *back):
        codes[STANDS_IN.get(code, code)] += minor
    for code, minor in codes.items():
        if minor:
            taken_back.wrong(
                f"journal {number} is not taken back whole by {ids}: {code} {minor}"
            )


def _within(whole: int, part: int) -> bool:
    """Whether `part` is of the same sign as `whole`, and no more than that."""
    return 0 <= part <= whole if whole >= 0 else whole <= part <= 0


def _sums(legs: list[Row]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for account_id, minor, *_ in legs:
        if account_id is not None:
            sums[account_id] += minor
    return sums
