"""The chain of seals: invariant 14, from the first commit to the newest, and against the heads
that were exported.

    chain_0 = 32 zero octets
    chain_n = SHA-256(chain_{n-1} + batch id + batch time + batch digest)

Ids and times are 8 octets, the highest first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, func, select

from ussd_gateway.store.schema import batch, day_counter, seal, unsealed
from ussd_gateway.store.snapshot import rows
from ussd_gateway.store.verify.finding import Tally

_SEALS = (
    select(seal.c.seq, seal.c.batch_id, seal.c.chain, batch.c.id, batch.c.at_ms, batch.c.digest)
    .select_from(seal.outerjoin(batch, batch.c.id == seal.c.batch_id))
    .order_by(seal.c.seq)
)
_SEALED_TWICE = (
    select(seal.c.batch_id, func.count().label("times"))
    .group_by(seal.c.batch_id)
    .having(func.count() > 1)
)
_BOTH_OR_NEITHER = (
    select(batch.c.id, seal.c.seq)
    .select_from(
        batch.outerjoin(seal, seal.c.batch_id == batch.c.id).outerjoin(
            unsealed, unsealed.c.batch_id == batch.c.id
        )
    )
    .where(seal.c.seq.is_(None) == unsealed.c.batch_id.is_(None))
    .order_by(batch.c.id)
)
_WAITS_FOR_NOTHING = (
    select(unsealed.c.batch_id)
    .select_from(unsealed.outerjoin(batch, batch.c.id == unsealed.c.batch_id))
    .where(batch.c.id.is_(None))
)
# Of a database's whole numbers: it can be asked for none behind them.
_SEQ_END = 2**63
_JOURNALS = select(func.coalesce(func.sum(day_counter.c.issued), 0))


@dataclass(frozen=True, slots=True)
class Exported:
    """A head as its file says; `says` is None where that cannot be read."""

    name: str
    says: tuple[int, int, str, int, str] | None


def read_heads(folder: Path | None) -> list[Exported]:
    """The folder need not exist."""
    files = sorted(folder.glob("*.json")) if folder else ()
    return [Exported(path.name, _read(path)) for path in files]


def check_seals(books: Connection, heads: Sequence[Exported], sealed: Tally) -> None:
    _check_chain(books, sealed)
    for batch_id, times in rows(books, _SEALED_TWICE):
        sealed.wrong(f"batch {batch_id} is sealed {times} times")
    for batch_id, seq in rows(books, _BOTH_OR_NEITHER):
        state = "neither sealed nor to be sealed" if seq is None else "sealed, and to be sealed"
        sealed.wrong(f"batch {batch_id} is {state}")
    for (batch_id,) in rows(books, _WAITS_FOR_NOTHING):
        sealed.wrong(f"batch {batch_id} is to be sealed, and does not exist")
    for head in heads:
        _check_head(books, head, sealed)


def _check_chain(books: Connection, sealed: Tally) -> None:
    """After a break it goes on from what is written, so that each break is told once."""
    seq, chain = 0, bytes(32)
    for number, batch_id, written, there, at_ms, digest in rows(books, _SEALS):
        sealed.checked += 1
        if number > seq + 1:
            sealed.wrong(f"seals {seq + 1} to {number - 1} are missing")
        elif number <= seq:
            sealed.wrong(f"seal {number} is there twice")
        elif there is None:
            sealed.wrong(f"seal {number}: its batch {batch_id} does not exist")
        elif _linked(chain, batch_id, at_ms, digest) != written:
            sealed.wrong(
                f"seal {number}, of batch {batch_id}, does not follow from the one before"
            )
        seq, chain = number, written


def _linked(chain: bytes, batch_id: int, at_ms: int, digest: bytes) -> bytes | None:
    """None of what can be in no chain."""
    try:
        numbers = b"".join(number.to_bytes(8, "big") for number in (batch_id, at_ms))
    except OverflowError:
        return None
    return sha256(b"".join((chain, numbers, digest))).digest()


def _check_head(books: Connection, head: Exported, sealed: Tally) -> None:
    sealed.checked += 1
    if head.says is None:
        sealed.wrong(f"head {head.name} cannot be read")
        return
    seq, batch_id, chain, journals, day = head.says
    found = books.execute(
        select(seal.c.batch_id, seal.c.chain).where(seal.c.seq == seq)
    ).first()
    if found is None:
        newest = books.execute(select(func.max(seal.c.seq))).scalar() or 0
        sealed.wrong(
            f"head {head.name}: seal {seq} was there on {day}; "
            f"seals {newest + 1} to {seq} are cut off"
        )
    elif (found[0], bytes(found[1]).hex()) != (batch_id, chain):
        sealed.wrong(
            f"head {head.name}: seal {seq} was another on {day}; "
            f"something of seals 1 to {seq} was changed, and sealed again"
        )
    if (now := int(books.execute(_JOURNALS).scalar_one())) < journals:
        sealed.wrong(
            f"head {head.name}: there were {journals} journals on {day}; {now} are left"
        )


def _read(path: Path) -> tuple[int, int, str, int, str] | None:
    try:
        match json.loads(path.read_text("utf-8")):
            case {
                "seq": int(seq),
                "batch": int(batch_id),
                "chain": str(chain),
                "journals": int(journals),
                "market_date": str(day),
            } if 0 < seq < _SEQ_END:
                return seq, batch_id, chain, journals, day
    except (OSError, ValueError, RecursionError):
        pass
    return None
