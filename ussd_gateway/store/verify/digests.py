"""What was committed beside its digests: invariant 14, row by row and commit by commit.

    key, journal, entries,       ->  digest of the key      a row that changed is told by itself
    hold, voucher
    digests of a commit's keys   ->  digest of the batch    rows that are missing, as a range

Both are computed here in this module's own words, as canonical JSON.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, String, cast, select

from ussd_gateway.store.schema import batch, entry, hold, idempotency, journal, voucher
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

_PLACED = hold.alias("placed")
_DECIDED = hold.alias("decided")
_SENT = voucher.alias("sent")
_ENDED = voucher.alias("ended")

_KEY = (
    idempotency.c.key,
    idempotency.c.content,
    idempotency.c.outcome,
    idempotency.c.route,
    idempotency.c.session_id,
    idempotency.c.msisdn,
    idempotency.c.at_ms,
)
_JOURNAL = (
    journal.c.id,
    journal.c.kind,
    journal.c.receipt,
    journal.c.tariff,
    cast(journal.c.business_date, String),
    journal.c.event_at_ms,
    journal.c.created_at_ms,
    journal.c.reverses_id,
    journal.c.hold_id,
)
_TERMS = (
    _PLACED.c.id,
    _PLACED.c.kind,
    _PLACED.c.source_id,
    _PLACED.c.target_id,
    _PLACED.c.minor,
    _PLACED.c.placed_at_ms,
    _PLACED.c.expires_at_ms,
    _PLACED.c.journal_id,
)
_END = (_DECIDED.c.id, _DECIDED.c.state, _DECIDED.c.posted)
_VOUCHER = (
    _SENT.c.id,
    _SENT.c.subscriber_id,
    _SENT.c.wallet_id,
    _SENT.c.msisdn,
    _SENT.c.currency,
    _SENT.c.minor,
    _SENT.c.code_kid,
    _SENT.c.code_salt,
    _SENT.c.code_tag,
    _SENT.c.sent_at_ms,
    _SENT.c.expires_at_ms,
)
_VOUCHER_END = (_ENDED.c.id, _ENDED.c.state)
_PARTS = (_KEY, _JOURNAL, _TERMS, _END, _VOUCHER, _VOUCHER_END)

_COMMANDS = select(
    idempotency.c.journal_id,
    idempotency.c.batch_id,
    idempotency.c.digest,
    *(column for part in _PARTS for column in part),
).select_from(
    idempotency.outerjoin(journal, journal.c.id == idempotency.c.journal_id)
    .outerjoin(_PLACED, _PLACED.c.key == idempotency.c.key)
    .outerjoin(_DECIDED, _DECIDED.c.decided_by == idempotency.c.key)
    .outerjoin(_SENT, _SENT.c.key == idempotency.c.key)
    .outerjoin(_ENDED, _ENDED.c.ended_by == idempotency.c.key)
)
_POSTED = _COMMANDS.where(idempotency.c.journal_id.is_not(None)).order_by(
    idempotency.c.journal_id
)
_UNPOSTED = _COMMANDS.where(idempotency.c.journal_id.is_(None))
_ENTRIES = select(
    entry.c.journal_id,
    entry.c.leg,
    entry.c.account_id,
    entry.c.minor,
    entry.c.balance_after,
    entry.c.account_seq,
).order_by(entry.c.journal_id, entry.c.leg)
_BATCHES = select(batch.c.id, batch.c.digest, batch.c.at_ms).order_by(batch.c.id)


def check_digests(books: Connection, sealed: Tally) -> None:
    for _, command, entries in beside(rows(books, _POSTED), rows(books, _ENTRIES)):
        if command is not None:
            _check_command(command, [list(row[1:]) for row in entries], sealed)
    for command in rows(books, _UNPOSTED):
        _check_command(command, [], sealed)
    for number, row, keys in beside(rows(books, _BATCHES), _keys(books)):
        _check_batch(number, row, keys, sealed)


def _check_command(command: Row, entries: list[list[int]], sealed: Tally) -> None:
    journal_id, batch_id, digest, *rest = command
    told, moved, *parts = _cut(rest, *map(len, _PARTS))
    written: list[Any] = [*told, None if moved[0] is None else [*moved, entries]]
    written += [[_plain(each) for each in part] for part in parts if part[0] is not None]
    name = f"key {told[0]}" if journal_id is None else f"key {told[0]}, journal {journal_id}"
    if digest is None or batch_id is None:
        sealed.wrong(f"{name}: it names no commit")
    elif _digest(written) != digest:
        changed = "its row" if journal_id is None else "its row, its journal or its entries"
        if len(written) > len(told) + 1:
            changed += " or its hold" if parts[0][0] or parts[1][0] else " or its voucher"
        sealed.wrong(f"{name}: {changed} are not what was committed in batch {batch_id}")


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _cut(row: Sequence[Any], *lengths: int) -> Iterator[list[Any]]:
    start = 0
    for length in lengths:
        yield list(row[start : start + length])
        start += length


def _digest(written: list[Any]) -> bytes:
    """Where a column holds what no commit could have put there, some digest all the same."""
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"), default=repr)
    return sha256(text.encode(errors="surrogatepass")).digest()


@dataclass(slots=True)
class _Seen:
    """The keys of a commit that are there, as far as they have been read."""

    count: int = 0
    first: str = ""
    last: str = ""
    journal_first: int | None = None
    journal_last: int | None = None

    def add(self, key: str, journal_id: int | None) -> None:
        self.first = self.first or key
        self.last = key
        self.count += 1
        if journal_id is not None:
            self.journal_first = min(journal_id, self.journal_first or journal_id)
            self.journal_last = max(journal_id, self.journal_last or journal_id)

    def __str__(self) -> str:
        if not self.count:
            return "none of its keys is there"
        words = f"keys {self.first} to {self.last} ({self.count})"
        if self.journal_first is None:
            return f"{words}, no journals"
        return f"{words}, journals {self.journal_first} to {self.journal_last}"


def _check_batch(number: int, row: Row | None, keys: Iterator[Row], sealed: Tally) -> None:
    """The keys come in the order of their digests in the batch's."""
    digest, seen = sha256(), _Seen()
    for _, key, its_digest, journal_id in keys:
        assert key >= seen.last, "the database sorts by code points"
        digest.update(its_digest or b"")
        seen.add(key, journal_id)
    sealed.checked += 1
    if row is None:
        sealed.wrong(f"batch {number} does not exist: {seen}")
        return
    _, committed, at_ms = row
    if not seen.count or digest.digest() != committed:
        sealed.wrong(
            f"batch {number}, committed {_time(at_ms)}: rows of it are missing, added or "
            f"changed: {seen}"
        )


def _keys(books: Connection) -> Iterator[Row]:
    """Sorted as UTF-8 sorts, whatever the database's collation is: that is by code points."""
    collation = "BINARY" if books.dialect.name == "sqlite" else "C"
    statement = (
        select(
            idempotency.c.batch_id,
            idempotency.c.key,
            idempotency.c.digest,
            idempotency.c.journal_id,
        )
        .where(idempotency.c.batch_id.is_not(None))
        .order_by(idempotency.c.batch_id, idempotency.c.key.collate(collation))
    )
    return rows(books, statement)


def _time(at_ms: int) -> str:
    """A time that no clock can have shown, as its number."""
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"at {at_ms} ms"
