"""What a commit's digest covers: every row of the books that came with it, column by column.

    command digest = SHA-256 of one key's row, its journal and its entries, and of the hold or
                     voucher that it began or ended, as canonical JSON
    batch digest   = SHA-256 of its commands' digests, in the order of their keys

The sealer chains the batches later. `store.verify` computes all of it a second time, in its own
words.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from ussd_gateway.domain.book import (
    Change,
    HoldDecided,
    HoldPlaced,
    VoucherEnded,
    VoucherSent,
)

_encode = msgspec.json.Encoder().encode


def command_digest(
    key: Sequence[Any],
    journal: Sequence[Any] | None,
    entries: Sequence[Sequence[Any]],
    holds: Iterable[Sequence[Any]] = (),
) -> bytes:
    """Of `key` (key, content, outcome, route, session id, msisdn, time), the journal's columns
    in the table's order (None: nothing moved), of each entry all but the journal's id, and of
    `held`."""
    return sha256(_encode([*key, journal and [*journal, entries], *holds])).digest()


def held(changes: Sequence[Change], now_ms: int) -> list[Sequence[Any]]:
    """The terms of the hold that is placed, then the end of the one that is decided; then the
    same of a voucher. How often a wrong code was typed is no more in it than wrong PINs are."""
    placed = [
        (
            hold.id,
            hold.kind,
            hold.source_id,
            hold.target_id,
            hold.minor,
            now_ms,
            hold.expires_at_ms,
            hold.journal_id,
        )
        for change in changes
        if isinstance(change, HoldPlaced)
        for hold in (change.hold,)
    ]
    decided = [
        (change.hold_id, change.state.value, change.posted)
        for change in changes
        if isinstance(change, HoldDecided)
    ]
    sent = [
        (
            voucher.id,
            voucher.subscriber_id,
            voucher.wallet_id,
            voucher.msisdn,
            voucher.currency,
            voucher.minor,
            voucher.kid,
            voucher.salt.hex(),
            voucher.tag.hex(),
            voucher.sent_at_ms,
            voucher.expires_at_ms,
        )
        for change in changes
        if isinstance(change, VoucherSent)
        for voucher in (change.voucher,)
    ]
    ended = [
        (change.voucher_id, change.state.value)
        for change in changes
        if isinstance(change, VoucherEnded)
    ]
    return [*placed, *decided, *sent, *ended]


def batch_digest(commands: Iterable[tuple[str, bytes]]) -> bytes:
    """Of each command's key and digest."""
    return sha256(b"".join(digest for _, digest in sorted(commands))).digest()
