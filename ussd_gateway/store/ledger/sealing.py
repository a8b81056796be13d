"""What a commit's digest covers: every row of the books that came with it, column by column.

    command digest = SHA-256 of one key's row, its journal and its entries, as canonical JSON
    batch digest   = SHA-256 of its commands' digests, in the order of their keys

The sealer chains the batches later. `store.verify` computes all of it a second time, in its own
words.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def command_digest(
    key: Sequence[Any], journal: Sequence[Any] | None, entries: Sequence[Sequence[Any]]
) -> bytes:
    """Of `key` (key, content, outcome, route, session id, msisdn, time), the journal's columns
    in the table's order (None: nothing moved), and of each entry all but the journal's id."""
    return sha256(_encode([*key, journal and [*journal, entries]])).digest()


def batch_digest(commands: Iterable[tuple[str, bytes]]) -> bytes:
    """Of each command's key and digest."""
    return sha256(b"".join(digest for _, digest in sorted(commands))).digest()
