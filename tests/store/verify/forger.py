"""Whoever changes books and knows how they are sealed: makes digests fit again, as far as that
goes."""

from collections import defaultdict
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ussd_gateway.store.ledger.sealing import batch_digest, command_digest
from ussd_gateway.store.schema import batch, entry, hold, idempotency, journal, seal, voucher
from ussd_gateway.store.seals.sealer import ZERO, link


class Forged(IntEnum):
    """Each with all that is before it."""

    NOTHING = 0
    KEYS = 1  # the digests of rows
    BATCHES = 2  # those of commits
    CHAIN = 3  # every seal: nothing in the books is wrong any more


def forge(books: Connection, forged: Forged) -> None:
    if forged >= Forged.KEYS:
        _forge_keys(books)
    if forged >= Forged.BATCHES:
        _forge_batches(books)
    if forged >= Forged.CHAIN:
        _forge_chain(books)


def _forge_keys(books: Connection) -> None:
    entries: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for number, *leg in books.execute(select(entry).order_by(entry.c.journal_id, entry.c.leg)):
        entries[number].append(tuple(leg))
    journals: dict[int | None, list[Any]] = {}
    for number, kind, receipt, tariff, day, *rest in books.execute(select(journal)):
        journals[number] = [number, kind, receipt, tariff, day.isoformat(), *rest]
    placed: dict[str, list[Any]] = {}
    decided: dict[str | None, list[Any]] = {}
    for one in books.execute(select(hold)).mappings():
        terms = ("id", "kind", "source_id", "target_id", "minor", "placed_at_ms")
        placed[one["key"]] = [one[name] for name in (*terms, "expires_at_ms", "journal_id")]
        decided[one["decided_by"]] = [one[name] for name in ("id", "state", "posted")]
    sent: dict[str, list[Any]] = {}
    ended: dict[str | None, list[Any]] = {}
    for one in books.execute(select(voucher)).mappings():
        terms = ("id", "subscriber_id", "wallet_id", "msisdn", "currency", "minor")
        secret = (one["code_kid"], one["code_salt"].hex(), one["code_tag"].hex())
        times = (one["sent_at_ms"], one["expires_at_ms"])
        sent[one["key"]] = [*(one[name] for name in terms), *secret, *times]
        ended[one["ended_by"]] = [one[name] for name in ("id", "state")]
    told = ("key", "content", "outcome", "route", "session_id", "msisdn", "at_ms")
    for row in books.execute(select(idempotency)).mappings().all():
        number = row["journal_id"]
        every = (placed, decided, sent, ended)
        holds = [terms[row["key"]] for terms in every if row["key"] in terms]
        digest = command_digest(
            [row[name] for name in told], journals.get(number), entries[number or 0], holds
        )
        mine = idempotency.c.key == row["key"]
        books.execute(update(idempotency).where(mine).values(digest=digest))


def _forge_batches(books: Connection) -> None:
    digests = defaultdict(list)
    columns = select(idempotency.c.batch_id, idempotency.c.key, idempotency.c.digest)
    for number, key, digest in books.execute(columns):
        digests[number].append((key, digest))
    for number, found in digests.items():
        mine = batch.c.id == number
        books.execute(update(batch).where(mine).values(digest=batch_digest(found)))


def _forge_chain(books: Connection) -> None:
    sealed = books.execute(
        select(batch.c.id, batch.c.at_ms, batch.c.digest)
        .join(seal, seal.c.batch_id == batch.c.id)
        .order_by(seal.c.seq)
    ).all()
    books.execute(delete(seal))
    chain = ZERO
    for seq, (number, at_ms, digest) in enumerate(sealed, 1):
        chain = link(chain, batch_id=number, at_ms=at_ms, digest=digest)
        books.execute(insert(seal).values(seq=seq, batch_id=number, chain=chain))
