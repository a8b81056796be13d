"""Chains what was committed, so that no commit can be changed, taken out or put in afterwards
without every seal behind it.

    chain_0 = 32 zero octets
    chain_n = SHA-256(chain_{n-1} + batch id + batch time + batch digest)

Ids and times are 8 octets, the highest first. The writer puts each batch into `unsealed` in the
same commit; the sealer takes it out with the commit that seals it. So it matters not in which
order commits become visible, and a sealer that is killed has done all or nothing. One at a
time: an advisory lock on PostgreSQL, the file's lock on SQLite. Nobody who pays waits for more
than one short transaction.
"""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select

from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import batch, day_counter, seal, unsealed

# Of one transaction.
SEALED_MAX = 500
ZERO = bytes(32)
# Names the advisory lock among others of the database.
LOCK = 0x5EA1

_ALONE = select(func.pg_try_advisory_xact_lock(LOCK))
_ANY = select(unsealed.c.batch_id).limit(1)
_COUNT = select(func.count()).select_from(unsealed)
_WAITING = (
    select(batch.c.id, batch.c.at_ms, batch.c.digest)
    .join(unsealed, unsealed.c.batch_id == batch.c.id)
    .order_by(batch.c.id)
    .limit(SEALED_MAX)
)
_NEWEST = select(seal.c.seq, seal.c.chain).order_by(seal.c.seq.desc()).limit(1)
_SEALED = delete(unsealed).where(unsealed.c.batch_id == bindparam("sealed_id"))
_HEAD = (
    select(
        seal.c.seq,
        seal.c.batch_id,
        seal.c.chain,
        select(func.coalesce(func.sum(day_counter.c.issued), 0)).scalar_subquery(),
        _COUNT.scalar_subquery(),
    )
    .order_by(seal.c.seq.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal. Whoever has a copy of it can tell whether anything before it changed."""

    seq: int
    batch_id: int
    chain: bytes
    journals: int  # of the books, when it was read
    unsealed: int  # commits that waited then

    @property
    def values(self) -> dict[str, str | int]:
        """As programs and auditors read it."""
        return {
            "seq": self.seq,
            "batch": self.batch_id,
            "chain": self.chain.hex(),
            "journals": self.journals,
        }


def seal_waiting(engine: Engine) -> int:
    """Seals up to SEALED_MAX commits, the oldest first; gives how many. None where another
    process is at it. Raises DBAPIError."""
    with reading(engine) as connection:
        if connection.execute(_ANY).first() is None:
            return 0
    with writing(engine) as connection:
        if not _is_alone(connection):
            return 0
        waiting = connection.execute(_WAITING).all()
        newest = connection.execute(_NEWEST).first()
        seq, chain = newest or (0, ZERO)
        seals = []
        for number, (batch_id, at_ms, digest) in enumerate(waiting, seq + 1):
            chain = link(chain, batch_id=batch_id, at_ms=at_ms, digest=digest)
            seals.append({"seq": number, "batch_id": batch_id, "chain": chain})
        if seals:
            connection.execute(insert(seal), seals)
            connection.execute(_SEALED, [{"sealed_id": one["batch_id"]} for one in seals])
        return len(seals)


def seal_all(engine: Engine) -> None:
    """All that waits now; what comes meanwhile may have to wait. Raises DBAPIError."""
    with reading(engine) as connection:
        waiting = connection.execute(_COUNT).scalar_one()
    for _ in range(-(-waiting // SEALED_MAX)):
        seal_waiting(engine)


def link(chain: bytes, *, batch_id: int, at_ms: int, digest: bytes) -> bytes:
    return sha256(
        chain + batch_id.to_bytes(8, "big") + at_ms.to_bytes(8, "big") + digest
    ).digest()


def head(engine: Engine) -> Head | None:
    """None where nothing is sealed yet. Raises DBAPIError."""
    with reading(engine) as connection:
        found = connection.execute(_HEAD).first()
    return (
        None if found is None else Head(found[0], found[1], found[2], int(found[3]), found[4])
    )


def _is_alone(connection: Connection) -> bool:
    """On PostgreSQL until the transaction ends. On SQLite whoever writes is alone."""
    return connection.dialect.name == "sqlite" or bool(connection.execute(_ALONE).scalar())
